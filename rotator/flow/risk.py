"""Risk: how much a second of a credential's exposure weighs, as a product whose terms are shown."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from math import prod

from rotator.flow.access import Seen, Uses
from rotator.flow.exposure import Certainty
from rotator.flow.scope import Scoped

UNSAID = "medium"
"""What is taken where nobody said how critical it is."""
CRITICALITIES = {"low": 1.0, "medium": 3.0, "high": 9.0, "critical": 27.0}
_CERTAINTY = {Certainty.SEEN: 1.0, Certainty.REACHABLE: 1.0, Certainty.INFERRED: 0.5}
"""What a payload that harvests could reach counts as taken; what follows only from what was taken, by half."""
_MOST_SIGNS = 3


@dataclass(frozen=True, slots=True)
class Term:
    """One factor, and what it stands for."""

    factor: float
    words: str

    def __str__(self) -> str:
        return f"{self.factor:g} {self.words}"


@dataclass(frozen=True, slots=True)
class Risk:
    """The terms and their product: 9 high x 3 reaches x 2 used after exposure from a new network = 54."""

    terms: tuple[Term, ...]

    @property
    def score(self) -> float:
        """Return the product."""
        return prod(term.factor for term in self.terms)

    def __str__(self) -> str:
        return f"{' x '.join(map(str, self.terms))} = {self.score:g}"


def risk_of(each: Scoped, uses: Uses | None = None) -> Risk:
    """Return criticality times reach, times how sure the exposure is, times what its use shows since.

    A term that would be 1 since nothing is known to raise or lower it is not there.
    """
    terms = [_criticality(each.custody.criticality), _reach(1 + len(each.reaches))]
    sureness = max((_CERTAINTY[one.certainty] for one in each.exposures), default=1.0)
    if sureness != 1.0:
        terms.append(_INFERRED)
    if uses is not None and uses.signs:
        terms.append(_signs(uses.signs))
    return Risk(tuple(terms))


_INFERRED = Term(_CERTAINTY[Certainty.INFERRED], "inferred")


def factor_of(criticality: str) -> float:
    """Return what a criticality weighs; one that nobody said, as `medium` does."""
    return CRITICALITIES.get(criticality, CRITICALITIES[UNSAID])


@cache
def _criticality(named: str) -> Term:
    return Term(factor_of(named), named or UNSAID)


@cache
def _reach(count: int) -> Term:
    return Term(float(count), "reach" if count == 1 else "reaches")


def _signs(seen: tuple[Seen, ...]) -> Term:
    """Return one more for each sort of sign, up to a few."""
    sorts = list(dict.fromkeys(each.sign for each in seen))
    return Term(1.0 + min(len(sorts), _MOST_SIGNS), " and ".join(sorts))
