"""From a plan that is shown to the incident's report: the yes, the declaring, the workers, the watch."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

import typer

from rotator.cli import approval, declaring
from rotator.cli.options import Context, Output, emit
from rotator.report.plain import plain

if TYPE_CHECKING:
    from rotator.bootstrap import Rotator
    from rotator.flow.planned import Plan
    from rotator.standing_orders import Declared


@dataclass(frozen=True, slots=True)
class Yes:
    """What was given beforehand of a yes: that the plan as printed is meant, or the words that are to be typed."""

    given: bool = False
    words: str | None = None


@dataclass(frozen=True, slots=True)
class Begun:
    """What was declared or added: to which incident, how many runs wait for a person, and what is said of that."""

    incident: str
    waiting: int
    told: Sequence[str]

    @classmethod
    def of(cls, given: Context, parts: Rotator, found: Declared) -> Begun:
        """Return it for an incident that was declared."""
        return cls(found.incident.id, found.waiting, declaring.declared(given, parts, found))


def begin(  # noqa: PLR0917 - what is begun, and how
    given: Context, parts: Rotator, plan: Plan, yes: Yes, declare: Callable[[bool, str], Begun], output: Output
) -> NoReturn:
    """Ask, have it declared, start workers, watch, report, and exit with the report's code.

    `declare` is told whether it is approved, and the words that were typed for that.
    """
    from rotator.cli import watching  # noqa: PLC0415 - Rich is not free
    from rotator.cli.here import Here  # noqa: PLC0415
    from rotator.confirmation import words_for  # noqa: PLC0415

    declaring.foretell(given, parts, plan)
    words = words_for(parts, [run.ref for run in plan.runs])
    refused = declaring.not_alone(parts, plan)
    if words and not refused:
        approval.confirmed(words, yes.words)
    elif not yes.given and not approval.typed(_asked(parts, plan, refused)):
        left, does = ("declared", "declare") if refused else ("approved", "approve")
        how = "" if sys.stdin.isatty() else f" (nobody is there to ask: give --yes to {does} the plan as printed)"
        print(f"rotator: not {left}; nothing was changed{how}", file=sys.stderr)  # noqa: T201
        raise typer.Exit(4)
    declared = declare(not refused, words)
    watching.start_workers(given, parts)
    if refused and declared.waiting:
        told = [*declared.told, declaring.or_alone(parts)]
        print(plain(f"rotator: not approved: {refused}; {'; '.join(filter(None, told))}"), file=sys.stderr)  # noqa: T201
        if output is not Output.TABLE:
            emit(declaring.document(given, parts, declared.incident), output)
        raise typer.Exit(4)
    watching.follow(given, Here(given, parts), declared.incident, output)


def _asked(parts: Rotator, plan: Plan, refused: str) -> str:
    """Return what is to be typed; where others begin it, say so first."""
    if not refused:
        return f"revoke {len(plan.runs)}"
    begins = "begins no more than standing orders cover" if parts.settings.orders else "begins nothing"
    said = f"{refused}: to go ahead declares it and {begins}; then {declaring.who_begins(parts, plan)}."
    if sys.stdin.isatty():
        print(plain(said), file=sys.stderr)  # noqa: T201
    return f"declare {len(plan.runs)}"
