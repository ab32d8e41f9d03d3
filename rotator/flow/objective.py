"""Objectives: which share of the responses is to have come to a moment within a time, and how much may still fail."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rotator.flow.response import CLOCKS, Response, rounded, spans


@dataclass(frozen=True, slots=True)
class Objective:
    """`percent` of the responses, of one `severity` where it is named, are to be within so many seconds by a clock."""

    clock: str
    percent: int
    within_s: float
    severity: str = ""


def judged(objective: Objective, responses: Sequence[Response], until: float) -> dict[str, Any]:
    """Return how many kept it, missed it, and may still do either; and what of the error budget is left.

    What is open for longer than that has missed it already. The budget is what may miss: the rest of the percent, of
    all that is decided. 1.0 is all of it, 0.0 none, below zero it is overspent; None where nothing is decided.
    """
    mine = [each for each in responses if objective.severity in {"", each.severity}]
    found = [each for each in spans(CLOCKS[objective.clock], mine, until) if each is not None]
    kept = sum(each.ended and each.seconds <= objective.within_s for each in found)
    missed = sum(each.seconds > objective.within_s for each in found)
    decided = kept + missed
    share = kept / decided if decided else None
    budget = (100 - objective.percent) / 100 * decided
    return {
        "clock": objective.clock,
        "percent": objective.percent,
        "within_s": objective.within_s,
        "severity": objective.severity,
        "kept": kept,
        "missed": missed,
        "undecided": len(found) - decided,
        "share": rounded(share),
        "budget_left": rounded(1 - missed / budget) if decided else None,
        "met": None if share is None else 100 * kept >= objective.percent * decided,
    }
