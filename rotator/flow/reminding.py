"""When people are reminded of a task: ever more seldom, and again as the end of its credential comes near."""

from __future__ import annotations

DAY_S = 86400.0
FIRST_S, SELDOM_S = DAY_S, 14 * DAY_S
"""Seconds to the first reminder; each pause is twice as long as the one before, up to a fortnight."""
BEFORE_END_S = (14 * DAY_S, 7 * DAY_S, 3 * DAY_S, DAY_S, 0.0)
"""Seconds before it ends by itself at which it is told of whatever was said before."""

ATTESTED_S = (60 * DAY_S, 30 * DAY_S, 14 * DAY_S, 7 * DAY_S, DAY_S, 0.0)
"""Seconds before an attestation ends at which who answers for its vendor is told: the next one takes months to get."""


def latest(begun_at: float, ends_at: float | None, now: float) -> float | None:
    """Return the last moment, in epoch seconds, at which people were to be reminded; None where there was none yet.

    What was missed is caught up once: it is one reminder, of the last of these moments.
    """
    at, pause, found = begun_at + FIRST_S, FIRST_S, [] if ends_at is None else _before(begun_at, ends_at, now)
    while at <= now:
        if pause >= SELDOM_S:
            at += (now - at) // SELDOM_S * SELDOM_S
        found.append(at)
        pause = min(2 * pause, SELDOM_S)
        at += pause
    return max(found, default=None)


def _before(begun_at: float, ends_at: float, now: float) -> list[float]:
    return [at for each in BEFORE_END_S if begun_at < (at := ends_at - each) <= now]


def of_an_attestation(ends_at: float, now: float) -> float | None:
    """Return the last moment, in epoch seconds, at which people were to be told that an attestation ends, or has ended.

    Once it has, that is each fortnight. None where its end is far.
    """
    if now >= ends_at:
        return ends_at + (now - ends_at) // SELDOM_S * SELDOM_S
    return max((at for each in ATTESTED_S if (at := ends_at - each) <= now), default=None)
