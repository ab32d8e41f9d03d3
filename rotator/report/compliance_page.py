"""The compliance report as one HTML file: no script, nothing from elsewhere, to be read without who made it beside."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from rotator import __version__
from rotator.flow import punctuality
from rotator.flow.response import Response, counted
from rotator.ledger.responses import Found
from rotator.report import compliance, compliance_words, curve, lives
from rotator.report.html_form import datetime_of, drawn_until, template

LISTED = 500
"""How many exceptions, and groups of one sort, the page lists at most: `-o json` has all."""


def text(report: Mapping[str, Any], found: Found, made_at: float) -> str:
    """Return the file; it was made at a moment, in epoch seconds."""
    lines = _alive(counted(found.responses))
    until = drawn_until(lines, made_at)
    listed = report["exceptions"]["listed"]
    return template("compliance.html").render(
        report=report,
        version=__version__,
        made_at=datetime_of(made_at),
        states=compliance.STATES,
        beside=compliance.BESIDE,
        clocks=compliance_words.CLOCKS,
        became=punctuality.STATES,
        buckets=compliance_words.BUCKETS,
        words=compliance_words.WORDS,
        while_open=compliance_words.WHILE_OPEN,
        not_shown=compliance_words.NOT_SHOWN,
        curve=curve.svg(lines, until),
        stayed=datetime_of(until) if until < made_at else "",
        keys=[(curve.key(number), each.name, each.at(made_at)) for number, each in enumerate(lines)],
        curve_rows=curve.rows(lines, until),
        style=curve.STYLE,
        listed=listed[:LISTED],
        unlisted=len(listed[LISTED:]),
        most=LISTED,
    )


def _alive(responses: Iterable[Response]) -> list[lives.Line]:
    found: dict[str, list[tuple[float, float | None]]] = {}
    for each in responses:
        found.setdefault(each.provider or "not recognised", []).append((each.detected_at, each.dead_at))
    return lives.lines("all", {name: lives.Lives.of(each) for name, each in found.items()})
