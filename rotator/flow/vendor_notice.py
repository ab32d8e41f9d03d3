"""Trouble at vendors: what a notice tells of, and how likely it is that each vendor is touched by it.

The likelihoods are judgements, the same for everybody until a person who knows more sets another with a reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from rotator.flow.vendor import Software, Vendor, served_by

NAMED = 1.0
"""The notice names the vendor itself."""
AFFECTED = 0.95
"""One of its lists has a version that the advisory calls bad: it ran there, or was about to."""
ALLOWED = 0.5
"""One of its lists has the package, in a version that nobody told or that cannot be ordered."""
UNKNOWN = 0.3
"""Nobody knows what it runs, or only from before the advisory: unknown is not clean."""
NOT_LISTED = 0.05
"""All its lists are newer than the advisory and have no bad version: they say what they were told."""
EACH_STEP = 0.6
"""What is known of a sub-processor counts for who it serves by this much, once for each step between."""
_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Notice:
    """An advisory, or the news of a breach. Terms are set for its `id`; `names` are all that it goes by.

    `packages` are the bad ones in words, `breached` the vendors or sub-processors that it names. `at` is when it was
    published, in epoch seconds. `notes` are what to know of how it was had, `summary` what its record says in a line.
    """

    id: str
    title: str
    names: frozenset[str] = frozenset()
    at: float | None = None
    packages: tuple[str, ...] = ()
    breached: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    summary: str = ""


@dataclass(frozen=True, slots=True)
class Listed:
    """Software of a vendor that an advisory speaks of; `is_bad` is None where it may be."""

    software: Software
    is_bad: bool | None
    why: str


@dataclass(frozen=True, slots=True)
class Ground:
    """One reason to think that a vendor is touched, and how likely that makes it; `ask` is how to find out more.

    `is_told`: somebody or a list tells of it; it does not only follow from what no list says.
    """

    likelihood: float
    why: str
    source: str
    ask: str = ""
    is_told: bool = True


def grounds(
    vendors: Sequence[Vendor],
    notice: Notice,
    listed: Mapping[str, Sequence[Listed]],
    made_at: Mapping[str, Mapping[str, float]],
) -> dict[str, list[Ground]]:
    """Return what speaks for each vendor's being touched, the likeliest first.

    `listed` is what of each vendor's software the notice speaks of, `made_at` when each of its lists was made, in
    epoch seconds. A vendor of which nothing speaks is left out.
    """
    found: dict[str, list[Ground]] = {}
    for each in vendors:
        found[each.name] = [*_named(each.name, notice), *_of_software(listed.get(each.name, ()))]
    apart = (each for each in notice.breached if each not in found)
    first = {name: own[0] for name, own in found.items() if own}
    first |= {name: ground for name in apart for ground in _named(name, notice)}
    for name, served in served_by(vendors, first).items():
        for vendor, between in served:
            found[vendor.name].append(_through(first[name], between))
    if notice.packages:
        for each in vendors:
            if not listed.get(each.name):
                found[each.name].append(_unlisted(notice, made_at.get(each.name, {})))
    return {name: sorted(some, key=lambda one: -one.likelihood) for name, some in found.items() if some}


def _named(name: str, notice: Notice) -> Iterable[Ground]:
    if name in notice.breached:
        yield Ground(NAMED, f"{notice.id} names {name}", notice.id)


def _of_software(listed: Sequence[Listed]) -> Iterable[Ground]:
    """Yield one ground for what is bad, and one for what may be."""
    for value, is_bad in ((AFFECTED, True), (ALLOWED, None)):
        some = [each for each in listed if each.is_bad is is_bad]
        if some:
            told = "; ".join(each.why for each in some[:_SHOWN])
            more = f"; and {len(some) - _SHOWN:,} more" if len(some) > _SHOWN else ""
            ask = "" if is_bad else "ask the vendor which version ran where, and take its SBOM: `rotator vendor sbom`"
            yield Ground(value, told + more, ", ".join(dict.fromkeys(each.software.source for each in some)), ask)


def _through(ground: Ground, between: tuple[str, ...]) -> Ground:
    """Return what is known of a sub-processor as a ground for who stands so far from it."""
    way = ", which serves ".join(between)
    likelihood = round(ground.likelihood * EACH_STEP ** len(between), 3)
    ask = f"ask the vendor whether what {between[0]} did for it reaches what it holds of yours"
    return replace(ground, likelihood=likelihood, why=f"it stands on {way}: {ground.why}", ask=ask)


def _unlisted(notice: Notice, made_at: Mapping[str, float]) -> Ground:
    """Return what it means that no list of a vendor has the package."""
    ask = "ask the vendor whether it ran it, and take its SBOM: `rotator vendor sbom`"
    if not made_at:
        return Ground(
            UNKNOWN, "nobody knows what software it runs: unknown is not clean", "no list", ask, is_told=False
        )
    oldest = min(made_at, key=lambda name: made_at[name])
    if notice.at is None:
        why = "its lists do not have it, and nothing says when the advisory was published: they may be older"
        return Ground(UNKNOWN, why, ", ".join(made_at), ask, is_told=False)
    if made_at[oldest] < notice.at:
        why = f"{oldest} does not have it, but is of {_day(made_at[oldest])}: older than the advisory of "
        return Ground(UNKNOWN, why + _day(notice.at), oldest, ask, is_told=False)
    why = f"no bad version is in its lists, all made since the advisory: {', '.join(made_at)}"
    return Ground(NOT_LISTED, why, ", ".join(made_at), is_told=False)


def _day(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).date().isoformat()
