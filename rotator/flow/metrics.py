"""Metrics: how long it took, over what is proven; what is not stands beside every figure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TimeToRevoke:
    """Seconds from detection to proven dead, over the credentials that are. `still_open` counts all others.

    The figures are None while nothing is proven: a mean of nothing is not zero.
    """

    mean_s: float | None
    p50_s: float | None
    p95_s: float | None
    max_s: float | None
    still_open: int


def time_to_revoke(seconds: Sequence[float], still_open: int) -> TimeToRevoke:
    """Summarise; percentiles are nearest-rank, so that each is a time that really was."""
    if not seconds:
        return TimeToRevoke(None, None, None, None, still_open)
    ordered = sorted(seconds)
    return TimeToRevoke(
        mean_s=round(sum(ordered) / len(ordered), 3),
        p50_s=round(_rank(ordered, 0.50), 3),
        p95_s=round(_rank(ordered, 0.95), 3),
        max_s=round(ordered[-1], 3),
        still_open=still_open,
    )


def _rank(ordered: Sequence[float], share: float) -> float:
    return ordered[max(math.ceil(share * len(ordered)), 1) - 1]
