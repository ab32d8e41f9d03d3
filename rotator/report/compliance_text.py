"""The compliance report for a terminal: how many stand how, how long it took, and which targets were kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from rotator.report import compliance_words
from rotator.report.html_form import lasted
from rotator.report.plain import plain
from rotator.report.tables import plain_table


def text(report: Mapping[str, Any]) -> Group:
    """Return it as it is printed."""
    period, population = report["compliance"], report["population"]
    states = ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in report["states"].items() if count)
    beside = {
        name: count for name, count in report["exceptions"]["counts"].items() if count and _is_beside(report, name)
    }
    hours = report["exposure"]
    shown: list[RenderableType] = [
        Text(f"Exposed credentials from {period['from'][:10]} to {period['to'][:10]}, as of {period['made_at'][:19]}Z"),
        Text(f"{population['credentials']:,} of {population['incidents']:,} incidents: {states or 'none'}"),
        *_without_evidence(population["without_evidence"]),
        Text(f"{hours['risk_hours']:,} risk-weighted hours of exposure"),
        *[Text(f"{count:,} {name.replace('_', ' ')}") for name, count in beside.items()],
        _clocks(report["clocks"]),
        *([Text(compliance_words.WHILE_OPEN)] if any(each["open"] for each in report["clocks"].values()) else []),
        Text(_signed(report["evidence"])),
        *_readiness(report["readiness"]),
        *_hygiene(report["hygiene"]),
    ]
    if report["targets"]:
        shown.append(_targets(report["targets"]))
    return Group(*shown)


def _without_evidence(count: int) -> list[RenderableType]:
    if not count:
        return []
    of = f"{count:,} more incidents" if count > 1 else "one more incident"
    return [Text(f"{of} of that time: the evidence was deleted by policy, and nothing here counts them")]


def _readiness(readiness: Mapping[str, Any]) -> list[RenderableType]:
    if not readiness["drills"]:
        return []
    dead = readiness["clocks"]["proven_dead"]
    took = f"proven dead after {lasted(dead['p50_s'])} in the middle, {lasted(dead['max_s'])} at most"
    took += " of those that ended" if dead["open"] else ""
    counts = f"drills: {readiness['drills']:,}, their canaries, counted nowhere above: {readiness['canaries']:,}"
    return [Text(f"{counts}; {took}, {dead['open']:,} open")]


def _hygiene(hygiene: Mapping[str, Any]) -> list[RenderableType]:
    """Tell of each policy, and of all, where there are any."""
    if not hygiene["all"]["due"] and not hygiene["ages"]["at"]:
        return []
    aged = {each["policy"]: each for each in hygiene["ages"]["policies"]}
    due = {each["policy"]: each for each in hygiene["policies"]}
    names = ("due", "on_time", "late", "overdue", "open", "by_hand")
    table = plain_table(None, "hygiene", *(each.replace("_", " ") for each in names), "share", "over max age")
    lines = [(name, due.get(name), aged.get(name)) for name in sorted({*due, *aged})]
    for name, figures, ages in [*lines, ("all", hygiene["all"], hygiene["ages"]["all"])]:
        counts = [f"{figures[each]:,}" if figures else "0" for each in names]
        share = "-" if not figures or figures["on_time_share"] is None else f"{figures['on_time_share']:.1%}"
        over = f"{ages['over_max_age']:,} of {ages['credentials']:,}" if ages else "-"
        table.add_row(plain(name), *counts, share, over)
    at = hygiene["ages"]["at"]
    return [table, Text(f"Ages as of {at[:19]}Z" if at else "No ages were told in the period.")]


def _signed(evidence: Mapping[str, Any]) -> str:
    if not evidence["checkpoint"]:
        return "Nothing of the evidence was signed yet."
    lacks = [
        f"; {each['name']} lacks what was signed since {each['lacks_since'][:19]}Z"
        for each in evidence["witnesses"]
        if each["lacks_since"]
    ]
    return plain(f"Under the checkpoint of {evidence['signed_at'][:19]}Z, {evidence['checkpoint']}{''.join(lacks)}")


def _is_beside(report: Mapping[str, Any], name: str) -> bool:
    return name not in report["states"]


def _clocks(clocks: Mapping[str, Any]) -> RenderableType:
    table = plain_table(None, "clock", "mean", "p50", "p95", "max", "ended", "open", "open for")
    for name, each in clocks.items():
        times = [lasted(each[key]) for key in ("mean_s", "p50_s", "p95_s", "max_s")]
        counts = [f"{each[key]:,}" for key in ("ended", "open")]
        table.add_row(compliance_words.CLOCKS[name][0], *times, *counts, lasted(each["longest_open_s"]))
    return table


def _targets(targets: list[Mapping[str, Any]]) -> RenderableType:
    table = plain_table(None, "target", "kept", "missed", "undecided", "budget left")
    for each in targets:
        of = f", {each['severity']}" if each["severity"] else ""
        name = f"{each['clock'].replace('_', ' ')}: {each['percent']} % within {lasted(each['within_s'])}{of}"
        left = "-" if each["budget_left"] is None else f"{each['budget_left']:.1%}"
        counts = [f"{each[key]:,}" for key in ("kept", "missed", "undecided")]
        table.add_row(name, *counts, left)
    return table
