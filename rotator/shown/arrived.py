"""Advisories that arrived by themselves of late, each with whom it touches; and the ordinary vulnerabilities."""

from __future__ import annotations

from typing import Any

from rotator import clock
from rotator.bootstrap import Rotator
from rotator.ledger.advisories import Arrived
from rotator.report.clocks import moment

WEEK_S = 7 * 86400.0
MOST, NAMED = 10, 5
"""So many of a week are shown, and of each so many vendors."""


def arrived(parts: Rotator) -> list[dict[str, Any]]:
    """Return a row for each of the last week that touches a vendor, the newest first."""
    paused = parts.pauses.paused()
    found = [each for each in parts.advisories.since(clock.now() - WEEK_S) if each.touched]
    return [_row(each, paused) for each in found[:MOST]]


def ordinary(parts: Rotator) -> dict[str, Any]:
    """Return how many of the last week are ordinary vulnerabilities, which touch nobody, and the newest of them."""
    found = [each for each in parts.advisories.since(clock.now() - WEEK_S) if each.is_ordinary]
    return {"count": len(found), "newest": [{"name": each.name, "what": each.what} for each in found[:NAMED]]}


def _row(of: Arrived, paused: set[str]) -> dict[str, Any]:
    return {
        "name": of.name,
        "title": of.title,
        "sender": of.sender,
        "what": of.what,
        "at": moment(of.at),
        "touched": [
            {"vendor": each.vendor, "priority": each.priority, "advice": each.advice, "paused": each.vendor in paused}
            for each in of.touched[:NAMED]
        ],
        "more": max(len(of.touched) - NAMED, 0),
        "unknown": of.unknown,
        "command": of.command,
    }
