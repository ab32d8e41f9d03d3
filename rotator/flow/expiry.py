"""What ends by itself while nothing replaces it: from when on its owner is to be told."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rotator.flow.hygiene import Known, Policy, covered

_DAY_S = 86400.0
AHEAD_S, PART = 30 * _DAY_S, 1 / 3
"""So long before its end, and for no more than so much of its life, a credential is watched."""
SHORT_S = 7 * _DAY_S
"""What lives for less is renewed by who uses it, again and again: that is nobody's task."""


def watched_from(known: Known) -> float | None:
    """Return from when on a credential's end is near, in epoch seconds; None where it has none that concerns people."""
    if known.ends_at is None:
        return None
    if known.made_at is None:
        return known.ends_at - AHEAD_S
    life_s = known.ends_at - known.made_at
    return known.ends_at - min(AHEAD_S, PART * life_s) if life_s >= SHORT_S else None


def expiring(policies: Sequence[Policy], credentials: Iterable[Known], now: float) -> list[Known]:
    """Return those whose end is near and that no policy in force replaces before, the first to end before the others.

    The closest policy counts, as in hygiene: once its day is over no other takes its place. What has ended is told no
    more: whoever used it knows.
    """
    found = [
        each
        for each in credentials
        if each.ends_at is not None
        and (since := watched_from(each)) is not None
        and since <= now < each.ends_at
        and ((policy := covered(policies, each)) is None or policy.expires < now)
    ]
    return sorted(found, key=lambda each: (each.ends_at or 0.0, each.ref))
