"""Incidents with how long it took to revoke what they exposed, and how much of it is still open."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rotator import clock
from rotator.bootstrap import Rotator
from rotator.flow.response import times_of_one
from rotator.flow.survival import span
from rotator.ledger.listing import Part
from rotator.ledger.looking import Looking
from rotator.shown.incident_list import listed

ON_A_PAGE = 50


def reports(parts: Rotator, page: int) -> dict[str, Any]:
    """Return a page of incidents, or the last one, the newest first, each with its times, and those of all on it."""
    count = parts.reading.count(Part(on_top=True))
    pages = max(-(-count // ON_A_PAGE), 1)
    page = min(page, pages)
    found = listed(parts, Part(on_top=True, limit=ON_A_PAGE, skip=(page - 1) * ON_A_PAGE))
    lives, now = Looking(parts.database).deaths(each["id"] for each in found), clock.now()
    return {
        "rows": [each | {"times": _times(lives[each["id"]], now)} for each in found],
        "whole": _times([one for each in lives.values() for one in each], now),
        "count": count,
        "page": page,
        "pages": pages,
    }


def _times(lives: Sequence[tuple[float, float | None]], now: float) -> dict[str, Any]:
    return times_of_one(span(since, dead, now) for since, dead in lives)
