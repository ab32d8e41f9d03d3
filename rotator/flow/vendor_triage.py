"""Triage of vendors: how likely each is touched times how sensitive what it reaches is, beside what a pause costs.

What is recommended follows from thresholds that are told with it; a person decides.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from rotator.flow import vendor_terms as terms
from rotator.flow.vendor import Level, Vendor
from rotator.flow.vendor_notice import Ground
from rotator.flow.vendor_terms import DIGITS, NUMBERS, Holds, Judged, Term

PAUSE_FROM, PREPARE_FROM = 0.5, 0.2
SURE_FROM = 0.9
"""Below this likelihood what people depend on most is not cut before they are prepared."""


class Advice(StrEnum):
    """What is recommended; a person decides."""

    PAUSE = "pause now"
    PREPARE = "pause after preparing"
    WATCH = "watch"


@dataclass(frozen=True, slots=True)
class Triage:
    """One vendor: its terms, what the first two come to, what is recommended, and why."""

    vendor: Vendor
    grounds: tuple[Ground, ...]
    holds: Holds
    terms: tuple[Term, ...]
    priority: float
    advice: Advice
    because: str

    def term(self, name: str) -> Term:
        """Return one of its terms."""
        return next(each for each in self.terms if each.name == name)

    @property
    def unknown(self) -> tuple[Term, ...]:
        """Return the terms of which something is not known, with how to find out."""
        return tuple(each for each in self.terms if each.ask)


def assess(vendor: Vendor, grounds: Sequence[Ground], holds: Holds, judged: Iterable[Judged] = ()) -> Triage:
    """Return what becomes of one vendor that a notice may touch; `grounds` is not empty, the likeliest first.

    What is judged of this notice goes before what is judged of every one, and what came later before what was.
    """
    own = {each.name: each for each in sorted(judged, key=lambda one: (one.notice != "", one.at))}
    worst, breadth = terms.worst(vendor, holds), terms.breadth(holds)
    sensitivity = terms.judged(terms.sensitivity(worst, breadth, holds), own)
    likelihood = terms.judged(terms.likelihood(grounds[0]), own)
    impact = terms.judged(terms.impact(vendor, holds), own)
    cost = terms.judged(terms.cost(vendor.cost_of_change), own)
    effort = terms.judged(terms.effort(holds), own)
    likely = likelihood.value or 0.0
    priority = round(likely * (sensitivity.value or 0.0), DIGITS)
    advice, because = advised(priority, likely, [impact, cost])
    told = (likelihood, worst, breadth, sensitivity, *terms.counts(holds), effort, impact, cost)
    return Triage(vendor, tuple(grounds), holds, told, priority, advice, because)


def ranked(found: Iterable[Triage]) -> list[Triage]:
    """Return them by priority; those that are alike by name."""
    return sorted(found, key=lambda each: (-each.priority, each.vendor.name))


def advised(priority: float, likelihood: float, costs: Iterable[Term]) -> tuple[Advice, str]:
    """Return what is recommended, and by which threshold; `costs` are terms of what a pause costs."""
    if priority < PREPARE_FROM:
        return Advice.WATCH, f"its priority {priority:g} is below {PREPARE_FROM:g}"
    if priority < PAUSE_FROM:
        return Advice.PREPARE, f"its priority {priority:g} is from {PREPARE_FROM:g} on and below {PAUSE_FROM:g}"
    reached = f"its priority {priority:g} is from {PAUSE_FROM:g} on"
    grave = [each.name for each in costs if each.value == NUMBERS[Level.CRITICAL]]
    if grave and likelihood < SURE_FROM:
        unsure = f"its likelihood {likelihood:g} is below {SURE_FROM:g} while {' and '.join(grave)} is critical"
        return Advice.PREPARE, f"{reached}, but {unsure}"
    return Advice.PAUSE, reached
