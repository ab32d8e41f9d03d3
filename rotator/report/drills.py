"""Drills for people: what was practised, and a table of the clocks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from rotator.report.plain import plain
from rotator.report.tables import plain_table, words

_CLOCKS = {
    "declared": "declared",
    "acknowledged": "stopped",
    "contained": "contained",
    "proven_dead": "proven dead",
    "replaced": "replaced",
    "converged": "in use",
}
_SAYS = {
    "proven": "every canary is proven dead, and nothing of it is left",
    "stated": "every canary is dead by its issuer's word: nobody held the secret to knock with",
    "open": "not every canary died",
    "abandoned": "nothing was answered; its canaries are taken away",
}


def drills_text(found: Sequence[Mapping[str, Any]]) -> RenderableType:
    """Return drills with the clocks of their canaries, and what is wrong with them."""
    told: list[RenderableType] = [clocks(found)]
    for each in found:
        outcome = _SAYS.get(each["outcome"], each["outcome"])
        told.append(Text(plain(f"DRILL {each['name']}, {each['incident']}, leaked by {each['trigger']}: {outcome}")))
        told += [Text(plain(f"  too slow: {why}"), style="bold") for why in each["slow"]]
    return Group(*told)


def clocks(found: Iterable[Mapping[str, Any]]) -> RenderableType:
    """Return a table of the seconds from detection on, a row for each canary."""
    table = plain_table(None, "kind", "canary", *_CLOCKS.values())
    for each in (canary for drill in found for canary in drill["canaries"]):
        seconds = each["seconds"]
        told = (_seconds(seconds[name], stated=each["stated"] and name == "proven_dead") for name in _CLOCKS)
        table.add_row(words(each["provider"]), words(each["id"]), *told)
    return table


def drills_table(found: Sequence[Mapping[str, Any]]) -> RenderableType:
    """Return the drills as a table."""
    table = plain_table(None, "drill", "incident", "at", "by", "leaked by", "canaries", "outcome", "worst")
    for each in found:
        names = (each["name"], each["incident"], each["at"], each["by"], each["trigger"])
        table.add_row(*map(words, names), str(each["count"]), each["outcome"], _seconds(each["worst_s"]))
    return table


def trend_table(found: Sequence[Mapping[str, Any]]) -> RenderableType:
    """Return the trend as a table."""
    heads = ("kind", "week", "drills", "canaries", "open", "p50", "p95", "max", "worst")
    table = plain_table(None, *heads)
    for each in found:
        counts = (str(each[name]) for name in ("drills", "canaries", "open"))
        times = (_seconds(each[name]) for name in ("p50_s", "p95_s", "max_s"))
        table.add_row(words(each["provider"]), each["week"], *counts, *times, words(each["worst"] or ""))
    return table


def _seconds(value: float | None, *, stated: bool = False) -> str:
    return "stated" if stated else "-" if value is None else f"{value:,.1f} s"
