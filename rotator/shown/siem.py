"""How far each channel to a SIEM has come, and what keeps it."""

from __future__ import annotations

from typing import Any

from rotator.bootstrap import Rotator
from rotator.ledger.siem import SiemPlaces
from rotator.report.clocks import moment


def channels(parts: Rotator) -> list[dict[str, Any]]:
    """Return a row for each channel; `waiting` records stand behind its place, the first for `lag_s` seconds.

    One that has not begun does so with the next record once a dispatcher leads, and nothing waits for it.
    """
    places, found = SiemPlaces(parts.database), []
    for entry in parts.settings.siem:
        stand = places.find(entry.name)
        waiting, lag_s = (0, 0.0) if stand is None else places.lag(stand)
        found.append(
            {
                "name": entry.name,
                "format": entry.format,
                "to": entry.kind,
                "begun": stand is not None,
                "sent": 0 if stand is None else stand.sent,
                "last_sent_at": (moment(stand.sent_at) if stand is not None else "") or None,
                "waiting": waiting,
                "lag_s": round(lag_s, 3),
                "failed": 0 if stand is None else stand.attempts,
                "trouble": None if stand is None else stand.reason,
            }
        )
    return found
