"""Responses: how each exposed credential was answered, and the clocks by which it is measured. See docs/metrics.md."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from math import fsum
from operator import attrgetter
from typing import Any

from rotator.flow.playbook_words import REPLACING
from rotator.flow.survival import Span, Survival, estimate, span

PLACES = 3
"""Figures are rounded to so many, and nothing before: seconds to milliseconds."""
HOUR_S = 3600.0
_SHARES = {"p50_s": 0.50, "p95_s": 0.95}
_REPLACING = frozenset(each.value for each in REPLACING)


@dataclass(frozen=True, slots=True)
class Response:
    """One exposed credential of one incident. Times in epoch seconds, None for what is not so, or not known.

    `of` is its run, or its task, which has no `strategy`: no machine answers it. `declared_at` is when it came to the
    incident, `dead_at` when it was proven dead. `weight` is what a second of its exposure weighs, None where nobody
    said. `consumers` tells whether somebody must come to hold its replacement, `vendor` who holds it beside us, ""
    for not known. `is_let_in` says that its vendor has it again, by a restore.
    """

    of: str
    incident: str
    severity: str
    provider: str
    connection: str
    owner: str
    credential: str
    detected_at: float
    declared_at: float
    exposed_at: float | None = None
    strategy: str = ""
    weight: float | None = None
    consumers: bool = False
    vendor: str = ""
    dismissed: str | None = None
    reason: str = ""
    risk_accepted: str | None = None
    requested_at: float | None = None
    acknowledged_at: float | None = None
    contained_at: float | None = None
    dead_at: float | None = None
    stated: bool = False
    replaced_at: float | None = None
    converged_at: float | None = None
    is_let_in: bool = False

    @property
    def is_task(self) -> bool:
        """Tell whether it is left to a person."""
        return not self.strategy

    @property
    def replaces(self) -> bool:
        """Tell whether another credential is to take its place."""
        return self.strategy in _REPLACING


@dataclass(frozen=True, slots=True)
class Clock:
    """From one moment to another, by their names, over those responses that have such an end to come."""

    begins: str
    ends: str
    measures: Callable[[Response], bool] | None = None


CLOCKS: Mapping[str, Clock] = {
    "detected": Clock("exposed_at", "detected_at"),
    "declared": Clock("detected_at", "declared_at"),
    "approved": Clock("detected_at", "requested_at", lambda each: not each.is_task),
    "acknowledged": Clock("detected_at", "acknowledged_at"),
    "contained": Clock("detected_at", "contained_at"),
    "proven_dead": Clock("detected_at", "dead_at"),
    "replaced": Clock("detected_at", "replaced_at", lambda each: each.replaces),
    "converged": Clock("detected_at", "converged_at", lambda each: each.replaces and each.consumers),
}


def counted(responses: Iterable[Response]) -> list[Response]:
    """Return those that figures are over: all that nobody dismissed, and that no restore let in again."""
    return [each for each in responses if each.dismissed is None and not each.is_let_in]


def spans(clock: Clock, responses: Iterable[Response], until: float) -> list[Span | None]:
    """Return the times by a clock as they were known then; None where nobody knows when it began."""
    moments = attrgetter(clock.begins, clock.ends)
    mine = responses if clock.measures is None else filter(clock.measures, responses)
    return [None if begun is None else span(begun, end, until) for begun, end in map(moments, mine)]


def times(found: Iterable[Span | None]) -> dict[str, Any]:
    """Return the figures of these times; None where so many are open that nobody can tell."""
    every = list(found)
    known = [each for each in every if each is not None]
    survival = estimate(known)
    longest = [each for each in (survival.longest_s, survival.longest_open_s) if each is not None]
    mean = survival.restricted_mean_s(max(longest)) if longest else None
    counts = {"n": len(known), "ended": survival.ended, "open": survival.still_open, "unknown": len(every) - len(known)}
    return {**counts, **_figures(mean, survival), "longest_open_s": rounded(survival.longest_open_s)}


def times_of_one(found: Iterable[Span]) -> dict[str, Any]:
    """Return the figures as the report of one incident has them, which is read while it goes on.

    They are those of `times`, but no mean is estimated: it is None while one is open for longer than any that ended.
    """
    survival = estimate(found)
    return {**_figures(survival.mean_s, survival), "still_open": survival.still_open}


def _figures(mean: float | None, survival: Survival) -> dict[str, float | None]:
    shares = {name: survival.quantile(share) for name, share in _SHARES.items()}
    return {name: rounded(each) for name, each in {"mean_s": mean, **shares, "max_s": survival.longest_s}.items()}


def risk_hours(each: Response, until: float) -> float | None:
    """Return its risk-weighted hours from exposure, or else detection, to proven death or `until`."""
    if each.weight is None:
        return None
    begun = each.detected_at if each.exposed_at is None else each.exposed_at
    return each.weight * max((until if each.dead_at is None else each.dead_at) - begun, 0.0) / HOUR_S


def exposure(hours: Iterable[float | None]) -> dict[str, Any]:
    """Return the sum of the risk-weighted hours, and of how many none are known."""
    every = list(hours)
    known = [each for each in every if each is not None]
    return {"risk_hours": rounded(fsum(known)), "unweighed": len(every) - len(known)}


def rounded(value: float | None) -> float | None:
    """Return a figure as it is told: the nearest of so many places, as Python's `round` says."""
    return None if value is None else round(value, PLACES)
