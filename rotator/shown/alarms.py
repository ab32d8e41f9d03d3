"""Alarms that came over HTTP, and the channels by which people are told: how each stands."""

from __future__ import annotations

from collections import Counter
from typing import Any

from rotator.bootstrap import Rotator
from rotator.ledger.told import GIVEN_UP, SENT
from rotator.report.clocks import moment


def alarms(parts: Rotator) -> list[dict[str, Any]]:
    """Return a row for each alarm, the newest first: when it came, its incident, and why one waits that has none."""
    return [
        {
            "id": each.id,
            "sender": each.sender,
            "title": each.title,
            "received_at": moment(each.received_at),
            "state": each.state,
            "same_as": each.same_as,
            "incident": each.incident,
            "reason": each.reason,
            "due_at": moment(each.due_at) or None,
        }
        for each in parts.triggers.listed()
    ]


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
