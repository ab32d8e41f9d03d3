"""Alarms that came over HTTP, and the channels by which people are told: how each stands."""

from __future__ import annotations

from collections import Counter
from typing import Any

from rotator.bootstrap import Rotator
from rotator.ledger.alarms import Alarm
from rotator.ledger.told import GIVEN_UP, SENT
from rotator.report.clocks import moment


def alarms(parts: Rotator) -> list[dict[str, Any]]:
    """Return a row for each alarm, the newest first: when it came, its incident, and why one waits that has none."""
    return [_row(each) for each in parts.triggers.listed()]


def waiting(parts: Rotator, limit: int) -> dict[str, Any]:
    """Return the `count` of alarms that are no incident yet, and `rows` as above of those that came first."""
    count, first = parts.triggers.waiting(limit)
    return {"count": count, "rows": [_row(each) for each in first]}


def _row(alarm: Alarm) -> dict[str, Any]:
    return {
        "id": alarm.id,
        "sender": alarm.sender,
        "title": alarm.title,
        "received_at": moment(alarm.received_at),
        "state": alarm.state,
        "same_as": alarm.same_as,
        "incident": alarm.incident,
        "reason": alarm.reason,
        "due_at": moment(alarm.due_at) or None,
    }


def channels(parts: Rotator) -> list[dict[str, Any]]:
    """Return a row for each channel: what it hears of, what it was sent, and what it would not take."""
    told = parts.reading.told()
    found = []
    for entry in parts.settings.notices:
        mine = [each for each in told if each.channel == entry.name]
        states = Counter(each.state for each in mine)
        last = max((each.settled_at or 0.0 for each in mine if each.state == SENT), default=None)
        trouble = [each for each in mine if each.state != SENT and each.reason]
        found.append(
            {
                "name": entry.name,
                "kind": "slack" if entry.slack is not None else "mail",
                "events": "default" if entry.events is None else [each.value for each in entry.events],
                "severity": entry.severity.value,
                "sent": states[SENT],
                "last_sent_at": moment(last) or None,
                "waiting": len(mine) - states[SENT] - states[GIVEN_UP],
                "given_up": states[GIVEN_UP],
                "trouble": trouble[-1].reason if trouble else None,
            }
        )
    return found
