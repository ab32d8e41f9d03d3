"""What every command that plans is given, and the way from there to a plan that can be shown, and declared."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rotator import clock
from rotator.actor import actor
from rotator.cli.alarm import access
from rotator.cli.graph import write_graph
from rotator.cli.options import Context, console
from rotator.errors import BadInput
from rotator.flow.incident import Severity

if TYPE_CHECKING:
    from rotator.alarm.alarm import Alarm
    from rotator.bootstrap import Rotator
    from rotator.cli.alarm import Given
    from rotator.flow.revision import Present
    from rotator.response import Prepared
    from rotator.standing_orders import Declared

Footholds = Annotated[
    list[str] | None,
    typer.Option(metavar="HOST", help="A host on which the attacker ran; once for each. No new secret goes there."),
]

Strategies = Annotated[
    list[str] | None,
    typer.Option(
        metavar="[SELECTOR=]STRATEGY",
        help="contain_first, replace_first, revoke_only or cut_only, of all where a kind has it; or of those that a "
        "selector fits: `owner:ci=replace_first`. The closest selector holds.",
    ),
]

Exclusions = Annotated[
    list[str] | None,
    typer.Option(
        metavar="SELECTOR",
        help="Leave these alive: id:, owner:, environment:, connection: or provider: and a name, with * where it may "
        "be anything; a comma between several. They stay in the plan and the report, with the reason.",
    ),
]

Reasons = Annotated[
    list[str] | None, typer.Option(help="Why that is excluded: one for all of them, or one for each in order.")
]

ExposedAt = Annotated[str | None, typer.Option(help="When the secrets came within reach, ISO 8601; unknown if absent.")]

HowBad = Annotated[Severity, typer.Option(help="How bad it is.")]


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan of what was given, as it is shown. `warnings` are what to know before one says yes."""

    alarm: Alarm
    prepared: Prepared
    hosts: Sequence[str]
    shown: dict[str, Any]
    warnings: Sequence[str]
    exposed_at: float | None
    _began: float

    def show(self, given: Context) -> None:
        """Print the plan, and what to know of it; nothing when asked to be quiet."""
        from rotator.report.plan import plan_text  # noqa: PLC0415 - Rich is not free

        if given.quiet:
            return
        screen = console(error=True)
        screen.print(plan_text(self.shown))
        for line in self.warnings:
            screen.print(line, style="yellow", markup=False)

    def declare(self, parts: Rotator, title: str, severity: Severity, *, approved: bool = False) -> Declared:
        """Write it to the ledger. Where it is not `approved`, standing orders begin with what they cover of it."""
        from rotator import response, standing_orders  # noqa: PLC0415
        from rotator.settings.approval import CLI  # noqa: PLC0415

        told: dict[str, Any] = {
            "title": title,
            "severity": severity,
            "detected_at": clock.now() - (time.monotonic() - self._began),
            "exposed_at": self.exposed_at,
            "footholds": self.hosts,
            "shown": self.shown,
        }
        if approved:
            return standing_orders.Declared(response.declare(parts, self.prepared, approved=True, **told))
        return standing_orders.declare(parts, self.prepared, CLI, **told)


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody who wants a plan wrote on the command line, not yet looked at."""

    of: Given
    access: Sequence[str] | None = None
    graph: str | None = None
    strategy: Sequence[str] | None = None
    exclude: Sequence[str] | None = None
    reason: Sequence[str] | None = None
    exposed_at: str | None = None
    foothold: Sequence[str] | None = None
    severity: Severity = Severity.HIGH
    _began: float = field(default_factory=time.monotonic)

    def read(self, given: Context, parts: Rotator) -> Alarm:
        """Read everything, and show where bad packages were. Raises BadInput for the first that is bad."""
        alarm = self.of.read(parts)
        _show_evidence(given, alarm)
        return alarm

    def planned(self, given: Context, parts: Rotator) -> Planned:
        """Read everything and plan, with nothing written yet. Raises BadInput for the first that is bad."""
        return self.planned_of(parts, self.read(given, parts))

    def planned_of(self, parts: Rotator, alarm: Alarm, present: Present | None = None) -> Planned:
        """Plan what was read, of an incident that grows what is new. Raises BadInput for the first that is bad."""
        from rotator import footholds, growth  # noqa: PLC0415 - only who plans pays for them
        from rotator.flow.exclusion import exclusions  # noqa: PLC0415
        from rotator.flow.wish import wishes  # noqa: PLC0415

        exposed = moment(self.exposed_at)
        wanted = wishes(self.strategy or ())
        left_out = exclusions(self.exclude or (), self.reason or (), actor())
        prepared = growth.prepare(
            parts,
            alarm.suspects,
            wanted,
            exclusions=left_out,
            present=present,
            reach=alarm.reach,
            access=access(alarm, self.access or (), exposed),
            exposed_at=alarm.not_before if exposed is None else exposed,
            severity=self.severity,
        )
        write_graph(self.graph, prepared)
        hosts = footholds.named(parts, prepared.plan, self.foothold)
        shown = growth.shown(parts, present, prepared, hosts)
        warnings = _already(parts, prepared, present)
        return Planned(alarm, prepared, list(hosts), shown, warnings, exposed, self._began)


def _already(parts: Rotator, prepared: Prepared, present: Present | None) -> list[str]:
    """Say of how many of these another incident speaks that is not done with them: it may be the one that was meant."""
    found = parts.reading.standing([each.ref for each in prepared.scoped])
    said = [
        f"warning: {count:,} of these {'is' if count == 1 else 'are'} in {incident} already, which is {how}"
        for incident, how, count in found
    ]
    more = [
        f"To have the rest there too, say so: rotator incident add {each} with what you gave here"
        for each, _, _ in found[:1]
    ]
    return [*said, *(more if present is None else ())]


def _show_evidence(given: Context, alarm: Alarm) -> None:
    """Show where bad packages were, before anything is made of it. Raises BadInput when they were nowhere."""
    from rotator.report.packages import evidence_table  # noqa: PLC0415 - Rich is not free

    if alarm.evidence is None:
        return
    if not given.quiet:
        console(error=True).print(evidence_table(alarm.evidence))
    alarm.must_name_something()


def moment(
    text: str | None, option: str = "--exposed-at", when: str = "when the secrets came within reach"
) -> float | None:
    """Read a time of the past as seconds since the epoch; `option` is where it stands. Raises BadInput for another."""
    if text is None:
        return None
    try:
        given = datetime.fromisoformat(text)
    except ValueError:
        raise BadInput(f"`{text}` is not a time", option, "write 2026-03-24T08:30:00Z") from None
    if given.tzinfo is None:
        raise BadInput(f"`{text}` has no time zone", option, f"write {given.isoformat()}Z for UTC")
    seconds = given.timestamp()
    if not 0 <= seconds <= clock.now():
        what = "is in the future" if seconds > 0 else "is before 1970"
        raise BadInput(f"`{text}` {what}", option, f"write {when}")
    return seconds
