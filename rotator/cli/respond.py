"""`rotator intake` and `rotator respond`: from a report on disk to the incident's report."""

from __future__ import annotations

import sys
import time
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from rotator import clock
from rotator.cli.alarm import Advisories, Alarm, Evidence, Files, Given, Logs, Packages
from rotator.cli.graph import GraphFile, write_graph
from rotator.cli.options import Context, Output, OutputOption, console, emit
from rotator.errors import BadInput
from rotator.flow.incident import Severity

if TYPE_CHECKING:
    from rotator.bootstrap import Rotator
    from rotator.response import Prepared

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


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    app.command("intake")(intake)
    app.command("respond")(respond)


def intake(  # noqa: PLR0917 - options, which callers name
    context: typer.Context,
    files: Files = None,
    package: Packages = None,
    advisory: Advisories = None,
    evidence: Evidence = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Show which credentials reports name, and which were within reach of a bad package; never the secrets."""
    from rotator.report.leaked import leaked_rows, leaked_table  # noqa: PLC0415 - Rich is not free
    from rotator.report.packages import evidence_rows, evidence_table  # noqa: PLC0415

    given: Context = context.obj
    asked = Given(files or (), package or (), advisory or (), evidence or ())
    parts = given.parts()
    alarm = asked.read(parts)
    if output is Output.TABLE:
        if alarm.evidence is not None:
            console().print(evidence_table(alarm.evidence))
        console().print(leaked_table(alarm.suspects, parts.playbooks))
    elif alarm.evidence is not None:
        emit({"evidence": evidence_rows(alarm.evidence), "credentials": leaked_rows(alarm.suspects)}, output)
    else:
        emit(leaked_rows(alarm.suspects), output)


def respond(  # noqa: PLR0917 - options, which callers name
    context: typer.Context,
    files: Files = None,
    package: Packages = None,
    advisory: Advisories = None,
    evidence: Evidence = None,
    access: Logs = None,
    graph: GraphFile = None,
    title: Annotated[str, typer.Option(help="What people will call this incident.")] = "",
    severity: Annotated[Severity, typer.Option(help="How bad it is.")] = Severity.HIGH,
    strategy: Strategies = None,
    exclude: Exclusions = None,
    reason: Reasons = None,
    exposed_at: Annotated[
        str | None, typer.Option(help="When the secrets came within reach, ISO 8601; unknown if absent.")
    ] = None,
    foothold: Footholds = None,
    yes: Annotated[bool, typer.Option("--yes", help="Approve the plan as printed, without asking.")] = False,
    output: OutputOption = Output.TABLE,
) -> None:
    """Declare an incident from reports or a bad package, plan, confirm, run, watch, and report."""
    from rotator import response  # noqa: PLC0415 - only this command pays for them
    from rotator.cli import footholds, watching  # noqa: PLC0415
    from rotator.flow.exclusion import exclusions  # noqa: PLC0415
    from rotator.flow.wish import wishes  # noqa: PLC0415
    from rotator.report.leaked import leaked_table  # noqa: PLC0415
    from rotator.report.plan import plan_text  # noqa: PLC0415

    given: Context = context.obj
    began = time.monotonic()
    exposed = moment(exposed_at)
    wanted, left_out = wishes(strategy or ()), exclusions(exclude or (), reason or (), response.actor())
    asked = Given(files or (), package or (), advisory or (), evidence or ())
    parts = given.parts()
    alarm = asked.read(parts)
    show_evidence(given, alarm)
    prepared = response.prepare(
        parts,
        alarm.suspects,
        wanted,
        exclusions=left_out,
        reach=alarm.reach,
        access=alarm.access(access or (), exposed),
    )
    write_graph(graph, prepared)
    hosts = footholds.named(parts, prepared.plan, foothold)
    shown = prepared.document(hosts)
    if not given.quiet:
        screen = console(error=True)
        screen.print(leaked_table(alarm.suspects, parts.playbooks))
        screen.print(plan_text(shown))
        for line in already(parts, prepared):
            screen.print(line, style="yellow", markup=False)
    if not yes and not _confirmed(len(prepared.plan.runs)):
        how = "" if sys.stdin.isatty() else " (nobody is there to ask: give --yes to approve the plan as printed)"
        print(f"rotator: not approved; nothing was changed{how}", file=sys.stderr)  # noqa: T201
        raise typer.Exit(4)
    incident = response.declare(
        parts,
        prepared,
        title=title or alarm.title,
        severity=severity,
        detected_at=clock.now() - (time.monotonic() - began),
        exposed_at=exposed,
        footholds=list(hosts),
        approved=True,
        shown=shown,
    )
    watching.start_workers(given, parts)
    watching.follow(given, parts, incident.id, output)


def already(parts: Rotator, prepared: Prepared) -> list[str]:
    """Say of how many of these another incident speaks that is not done with them: it may be the one that was meant."""
    found = parts.reading.standing([each.ref for each in prepared.scoped])
    return [
        f"warning: {count:,} of these {'is' if count == 1 else 'are'} in {incident} already, which is {how}"
        for incident, how, count in found
    ]


def show_evidence(given: Context, alarm: Alarm) -> None:
    """Show where bad packages were, before anything is made of it. Raises BadInput when they were nowhere."""
    from rotator.report.packages import evidence_table  # noqa: PLC0415 - Rich is not free

    if alarm.evidence is None:
        return
    if not given.quiet:
        console(error=True).print(evidence_table(alarm.evidence))
    alarm.must_name_something()


def _confirmed(credentials: int) -> bool:
    if not sys.stdin.isatty():
        return False
    try:
        answer = typer.prompt(f"Type `revoke {credentials}` to go ahead", default="no", show_default=False, err=True)
    except typer.Abort:
        return False
    return str(answer).strip() == f"revoke {credentials}"


def moment(text: str | None) -> float | None:
    """Read --exposed-at as seconds since the epoch."""
    if text is None:
        return None
    try:
        given = datetime.fromisoformat(text)
    except ValueError:
        raise BadInput(f"`{text}` is not a time", "--exposed-at", "write 2026-03-24T08:30:00Z") from None
    if given.tzinfo is None:
        raise BadInput(f"`{text}` has no time zone", "--exposed-at", f"write {given.isoformat()}Z for UTC")
    seconds = given.timestamp()
    if not 0 <= seconds <= clock.now():
        what = "is in the future" if seconds > 0 else "is before 1970"
        raise BadInput(f"`{text}` {what}", "--exposed-at", "write when the secrets came within reach")
    return seconds
