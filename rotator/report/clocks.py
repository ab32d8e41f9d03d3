"""Moments and times, as reports write them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rotator.access.event import when

_UNTOLD = {"mean_s": "not known yet", "p50_s": "not reached yet", "p95_s": "not reached yet"}


def moment(seconds: float | None) -> str:
    """Return an ISO 8601 time in UTC with milliseconds, or "" for None; the nearest to one that cannot be written."""
    if seconds is None:
        return ""
    return when(seconds).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def untold(figures: Mapping[str, Any], name: str) -> str:
    """Return what stands for a figure of an incident that is None: so many are open that nobody can tell, or "-"."""
    return _UNTOLD.get(name, "-") if figures["still_open"] else "-"
