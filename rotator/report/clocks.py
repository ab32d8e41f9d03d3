"""Moments, as reports write them."""

from __future__ import annotations

from rotator.access.event import when


def moment(seconds: float | None) -> str:
    """Return an ISO 8601 time in UTC with milliseconds, or "" for None; the nearest to one that cannot be written."""
    if seconds is None:
        return ""
    return when(seconds).isoformat(timespec="milliseconds").replace("+00:00", "Z")
