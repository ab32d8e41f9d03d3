"""Show what leaked and what will be done, on a terminal. Never the secrets: only ids, places and counts."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from rotator.flow.exposure import Suspect, misspelt
from rotator.flow.order import names
from rotator.flow.plan import Plan, PlannedRun
from rotator.flow.scope import Unresolved
from rotator.report.plain import plain
from rotator.report.tables import plain_table, words

_PLACES = 3
_ROWS = 40


def leaked_rows(found: Iterable[Suspect]) -> list[dict[str, Any]]:
    """Return what a report names, for programs."""
    return [
        {
            "kind": each.kind,
            "key": each.key,
            "recognised": each.kind is not None,
            "has_material": each.leaked.secret is not None,
            "exposures": [
                {"source": one.source, "rule": one.rule, "where": one.where, "scanner_says": one.scanner_says}
                for one in each.exposures
            ],
        }
        for each in found
    ]


def leaked_table(found: list[Suspect], kinds: Collection[str] = ()) -> RenderableType:
    """Return the table of what leaked; `kinds` are those that a list may misspell."""
    table = plain_table(f"Leaked: {len(found):,} credentials", "kind", "id or fingerprint", "seen in")
    for each in found[:_ROWS]:
        rules = ", ".join(sorted({f"{one.source}:{one.rule}" for one in each.exposures}))
        close = misspelt(each, kinds)
        unknown = f"not recognised ({rules}{f'; did you mean {close}?' if close else ''})"
        table.add_row(words(each.kind or unknown), words(each.key), words(_places(each)))
    return Group(table, _rest(len(found)))


def _places(suspect: Suspect) -> str:
    places = list(dict.fromkeys(one.where for one in suspect.exposures))
    more = f" and {len(places) - _PLACES} more" if len(places) > _PLACES else ""
    return ", ".join(places[:_PLACES]) + more


NO_HOSTS: Mapping[str, bool] = {}


def plan_table(plan: Plan, footholds: Mapping[str, bool] = NO_HOSTS) -> RenderableType:
    """Return the plan: for each credential its strategy and why, where the new one goes, who is told; the steps.

    `footholds` are the hosts on which the attacker ran, and whether each is known here.
    """
    table = plain_table(f"Plan {plan.digest}", "credential", "strategy", "the new one goes to", "told")
    for run in plan.runs[:_ROWS]:
        table.add_row(
            words(f"{run.kind} of {run.ref.owner or '?'}", run.ref.id, f"on {run.ref.connection}{_doors(run)}"),
            words(run.strategy, run.why, *_when(run)),
            words(*map(str, run.deliver)) or "nowhere",
            words(*(each.name for each in run.consumers)) or "nobody",
        )
    paths = {f"{run.kind}, {run.strategy}": _steps(run) for run in plan.runs}
    parts: list[RenderableType] = []
    if plan.runs:
        parts += [table, _rest(len(plan.runs)), *lines("Steps", paths)]
    if plan.manual:
        parts.append(_manual_table(plan.manual))
    if plan.waves:
        sizes = [sum(run.wave == wave for run in plan.runs) for wave in range(1, plan.waves + 1)]
        then = ", then ".join(f"{size:,}" for size in sizes)
        parts.append(Text(f"Production in waves: {then}; each when nothing of those before is at work."))
    destroyed = sum(run.destroys for run in plan.runs)
    parts += [_foothold(plan, host, known=known) for host, known in footholds.items()]
    parts += [Text(plain(f"warning: {each}"), style="yellow") for each in plan.warnings]
    if destroyed:
        parts.append(Text(ends(destroyed, len(plan.runs))))
    return Group(*parts)


def ends(destroyed: int, planned: int) -> str:
    """Say how many of the planned runs end with a destruction: to approve a plan is to approve those too."""
    rest = "; the others without that" if destroyed < planned else ""
    return f"{destroyed:,} of {planned:,} end with the exposed credential destroyed for good{rest}."


def _foothold(plan: Plan, host: str, *, known: bool) -> Text:
    """Say what a foothold holds up; one that holds nothing up may be misspelt."""
    kept = [run.ref.id for run in plan.runs if any(told.host == host for told in run.consumers)]
    if kept:
        what = f"no new secret for {names(kept)} before it is cut off: rotator host isolate INCIDENT {host} --reason …"
        return Text(plain(f"Foothold {host}: {what}"), style="magenta")
    if known:
        return Text(plain(f"Foothold {host}: no consumer of what leaked lives there; it holds nothing up."))
    unknown = "no consumer, connection or target is called so here; it holds nothing up"
    return Text(plain(f"warning: foothold {host}: {unknown}"), style="yellow")


def _when(run: PlannedRun) -> list[str]:
    """Say when a run begins, where that is not at once."""
    after = [f"after {each.id}" for each in run.awaits]
    return [*after, *([f"wave {run.wave}"] if run.wave else [])]


def lines(title: str, entries: dict[str, str]) -> list[RenderableType]:
    """Return names and what stands behind each, under a title."""
    grid = Table.grid(padding=(0, 2))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for name, text in entries.items():
        grid.add_row(f"  {words(name)}", words(text))
    return [Text(title, style="bold"), grid, Text("")]


def _doors(run: PlannedRun) -> str:
    doors = sorted({target for segment in run.segments for target in segment.targets if target})
    return f" ({', '.join(doors)})" if doors else ""


def _steps(run: PlannedRun) -> str:
    return " → ".join(step.name for segment in run.segments for step in segment.steps)


def _manual_table(manual: tuple[Unresolved, ...]) -> RenderableType:
    table = plain_table(f"For a person: {len(manual):,}", "what", "why", "how to mend")
    for each in manual[:_ROWS]:
        table.add_row(words(each.kind or "not recognised", each.key), words(each.reason), words(each.mend))
    return Group(table, _rest(len(manual)))


def _rest(count: int) -> Text:
    return Text(f"… and {count - _ROWS:,} more (-o json has them all)" if count > _ROWS else "", end="")
