"""One bad version in one file: how often, when, how sure, and how that is said."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from rotator.packages.advisory import Advisory
from rotator.packages.affected import Affected
from rotator.packages.component import Component, Sureness
from rotator.packages.names import UNTOLD

RANK = {each: rank for rank, each in enumerate(Sureness)}
"""The surest first."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """One version of one package in one file, however often; `component` is where it is told most surely."""

    advisory: Advisory
    affected: Affected
    version: str
    sureness: Sureness
    component: Component
    path: str
    came: datetime | None = None
    seen: datetime | None = None
    ended: datetime | None = None
    homeless: bool = False

    def and_(self, other: Sighting) -> Sighting:
        """Return both as one."""
        best = min(self, other, key=lambda each: RANK[each.sureness])
        return replace(
            best, came=_first(self.came, other.came), seen=_first(self.seen, other.seen), ended=_last(self, other)
        )


def why(best: Sighting) -> str:
    """Return the sentence that says what the evidence is and what it means."""
    part = best.component
    place = f"{clean(best.path)}, line {part.line}," if part.line else f"{clean(best.path)}, {part.where},"
    place = place.replace(", ,", "")
    named = f"{best.affected.package.name} {clean(best.version)}"
    if best.sureness is Sureness.INSTALLED:
        return f"{place} says that {named} was installed"
    if best.sureness is Sureness.FETCHED:
        return f"{place} says that {named} was downloaded, not that it was installed"
    if best.sureness is Sureness.LOCKED:
        return f"{place} names {named}: who installed by it got it"
    if part.package.ecosystem == UNTOLD:
        return f"{place} names {named} and not whose package it is: it may be another's"
    if part.version:
        return f"{place} names {named}, which may be bad: it was only considered, or its order is not known"
    return f"{place} admits {named} by `{clean(part.requirement) or 'any version'}`"


def clean(text: str) -> str:
    """Return text without what a terminal would obey."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)


def _first(one: datetime | None, other: datetime | None) -> datetime | None:
    return min((each for each in (one, other) if each is not None), default=None)


def _last(one: Sighting, other: Sighting) -> datetime | None:
    return max((each.ended for each in (one, other) if each.ended is not None), default=None)
