"""What the demo prints: tables of doors and consumers, and the end of the story. Names and answers, never material."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich import box
from rich.table import Table

from rotator.practice.doors import Answer
from rotator.practice.honesty import InUse, Tried, still_open
from rotator.report.tables import words
from rotator.report.terminal import times

_ID_SHOWN = 20
_COLOUR = {Answer.OPENED: "red", Answer.REFUSED: "green", Answer.UNCLEAR: "yellow"}


def doors_table(tried: Sequence[Tried], report: Mapping[str, Any] | None = None) -> Table:
    """Return a line for each stolen credential: its doors' answer beside its id, or beside what the report says."""
    table = _table("stolen", "its doors", "the report says" if report else "id")
    states = {entry["id"]: entry["state"].replace("_", " ") for entry in report["credentials"]} if report else {}
    for each in tried:
        doors = f"{len(each.knocks)} doors" if len(each.knocks) > 1 else each.knocks[0].said
        said = f"[{_COLOUR[each.answer]}]{each.answer}[/] ({words(doors)})"
        table.add_row(
            words(each.stolen.label), said, states.get(each.stolen.id, "nothing") if report else _brief(each.stolen.id)
        )
    return table


def consumers_table(used: Sequence[InUse]) -> Table:
    """Return a line for each consumer: what it holds now, and whether that opens its doors."""
    table = _table("consumer", "holds now", "works")
    for use in used:
        new = use.using != use.instead_of
        works = "[green]works[/]" if use.works else "[red]does not work[/]"
        table.add_row(
            words(use.consumer), _brief(use.using), works if new else f"{works}, [red]and it is the stolen one[/]"
        )
    return table


def conclusion(report: Mapping[str, Any], wrong: Sequence[str], kept: str, took_s: float) -> str:
    """Return the last words: totals, time to revoke, what is open and why, and whether all of it is true."""
    totals, clock = report["totals"], report["time_to_revoke"]
    counts = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in totals.items() if count)
    lines = [
        f"{words(report['incident']['title'])}: {counts}; {report['replaced']} replaced",
        times("time to revoke", clock),
    ]
    for entry in still_open(report):
        why = "; ".join(entry.get("open", ())) or "no connection knows it"
        lines.append(f"[yellow]left to a person[/]: {words(entry['provider'] or 'unrecognised')}: {words(why)}")
    lines += [f"[red]not so[/]: {words(line)}" for line in wrong]
    verdict = "[red]The response is not complete, or its report is not true[/]"
    if not wrong:
        verdict = (
            "[green]True[/]: every door of the range refuses what was stolen; every program works with its new one"
        )
    return "\n".join([*lines, "", f"{verdict} ({took_s:.0f} s; {words(kept)})"])


def _brief(credential_id: str) -> str:
    return words(credential_id if len(credential_id) <= _ID_SHOWN else f"{credential_id[:_ID_SHOWN]}…")


def _table(*columns: str) -> Table:
    table = Table(box=box.SIMPLE, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    return table
