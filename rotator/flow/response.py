"""Responses: how each exposed credential was answered, and the clocks by which it is measured. See docs/metrics.md."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import fsum
from typing import Any

from rotator.flow.playbook_words import REPLACING, Strategy
from rotator.flow.survival import Span, estimate

PLACES = 3
"""Figures are rounded to so many, and nothing before: seconds to milliseconds."""
HOUR_S = 3600.0
_SHARES = {"p50_s": 0.50, "p95_s": 0.95}


@dataclass(frozen=True, slots=True)
class Response:
    """One exposed credential of one incident. Times in epoch seconds, None for what is not so, or not known.

    `of` is its run, or its task, which has no `strategy`: no machine answers it. `declared_at` is when it came to the
    incident, `dead_at` when it was proven dead. `weight` is what a second of its exposure weighs, None where nobody
    said. `consumers` tells whether somebody must come to hold its replacement.
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

    @property
    def is_task(self) -> bool:
        """Tell whether it is left to a person."""
        return not self.strategy

    @property
    def replaces(self) -> bool:
        """Tell whether another credential is to take its place."""
        return bool(self.strategy) and Strategy(self.strategy) in REPLACING


@dataclass(frozen=True, slots=True)
class Clock:
    """From one moment to another, over those responses that have such an end to come."""

    name: str
    begins: Callable[[Response], float | None]
    ends: Callable[[Response], float | None]
    measures: Callable[[Response], bool] = lambda _each: True


def _detected(each: Response) -> float:
    return each.detected_at


CLOCKS: Mapping[str, Clock] = {
    each.name: each
    for each in (
        Clock("detected", lambda each: each.exposed_at, _detected),
        Clock("declared", _detected, lambda each: each.declared_at),
        Clock("approved", _detected, lambda each: each.requested_at, lambda each: not each.is_task),
        Clock("acknowledged", _detected, lambda each: each.acknowledged_at),
        Clock("contained", _detected, lambda each: each.contained_at),
        Clock("proven_dead", _detected, lambda each: each.dead_at),
        Clock("replaced", _detected, lambda each: each.replaced_at, lambda each: each.replaces),
        Clock("converged", _detected, lambda each: each.converged_at, lambda each: each.replaces and each.consumers),
    )
}


def counted(responses: Iterable[Response]) -> list[Response]:
    """Return those that figures are over: all that nobody dismissed."""
    return [each for each in responses if each.dismissed is None]


def spans(clock: Clock, responses: Iterable[Response], until: float) -> tuple[list[Span], int]:
    """Return the times by a clock, as they were known `then`, and of how many it is not known when they began."""
    found, unknown = [], 0
    for each in responses:
        if not clock.measures(each):
            continue
        begun, end = clock.begins(each), clock.ends(each)
        if begun is None:
            unknown += 1
        else:
            found.append(Span(max((until if end is None else end) - begun, 0.0), end is not None))
    return found, unknown


def times(clock: Clock, responses: Iterable[Response], until: float) -> dict[str, Any]:
    """Return the figures of a clock; None where so many are open that nobody can tell."""
    found, unknown = spans(clock, responses, until)
    survival = estimate(found)
    known = [each for each in (survival.longest_s, survival.longest_open_s) if each is not None]
    shares = {name: survival.quantile(share) for name, share in _SHARES.items()}
    figures = {
        "mean_s": survival.restricted_mean_s(max(known)) if known else None,
        **shares,
        "max_s": survival.longest_s,
        "longest_open_s": survival.longest_open_s,
    }
    counts = {"n": len(found), "ended": survival.ended, "open": survival.still_open, "unknown": unknown}
    return {**counts, **{name: rounded(value) for name, value in figures.items()}}


def exposure(responses: Sequence[Response], until: float) -> dict[str, Any]:
    """Return the risk-weighted hours from the exposure, or else the detection, to the proven death, or till `until`."""
    weighed = [(each, each.weight) for each in responses if each.weight is not None]
    hours = fsum(
        weight * max((until if each.dead_at is None else each.dead_at) - _begun(each), 0.0) / HOUR_S
        for each, weight in weighed
    )
    return {"risk_hours": rounded(hours), "unweighed": len(responses) - len(weighed)}


def _begun(each: Response) -> float:
    return each.detected_at if each.exposed_at is None else each.exposed_at


def rounded(value: float | None) -> float | None:
    """Return a figure as it is told: the nearest of so many places, as Python's `round` says."""
    return None if value is None else round(value, PLACES)
