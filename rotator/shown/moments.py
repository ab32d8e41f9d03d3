"""An incident in time: its milestones, and how many of its credentials were not proven dead from moment to moment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rotator.report.lives import Line, lines
from rotator.shown.picture import Picture
from rotator.shown.tally import Tally

MOST = 200
"""How many points a line of the curve has at most."""
WHOLE = "all credentials"


@dataclass(frozen=True, slots=True)
class Milestone:
    """A moment of an incident, by its name: epoch seconds, None while it has not come; and what is `missing` till then.

    `missing` counts credentials.
    """

    name: str
    at: float | None
    missing: int = 0


def curve(picture: Picture, now: float) -> tuple[Line, ...]:
    """Return the survival curve, the whole first, then by provider. What is not proven dead lives `now`."""
    of = {name or "not recognised": lives for name, lives in picture.tally.lives.items() if lives.began}
    return tuple(_until(each, now) for each in lines(WHOLE, of, MOST - 1))


def milestones(picture: Picture) -> tuple[Milestone, ...]:
    """Return the moments of an incident, in the order in which they usually come. What is dismissed counts for none.

    Acknowledged is what its issuer took a stop for; contained what every door refused for its settle time, counted from
    the first refusal: that is known only once it has held. Something is all dead, replaced or converged when the last
    one is. Dead is what is proven so.
    """
    times = picture.times
    return (
        *(Milestone(name, times.get(name)) for name in ("exposed", "detected", "declared", "approved")),
        *_reached(picture.tally),
        Milestone("closed", times.get("closed")),
    )


def destructions(picture: Picture) -> tuple[int, float]:
    """Return how many credentials are to be destroyed by themselves, and before when none is; 0 of both for none."""
    return picture.once(_destructions)


def _destructions(picture: Picture) -> tuple[int, float]:
    waiting = [each for each in picture.rows if each.destroys_at is not None]
    credentials = {(each.provider, each.connection, each.owner, each.id) for each in waiting}
    return len(credentials), min((each.destroys_at or 0.0 for each in waiting), default=0.0)


def _reached(tally: Tally) -> tuple[Milestone, ...]:
    """Return the moments that credentials have, or are still to have."""
    come, replacing = tally.moments, tally.replacing
    return (
        _when("first acknowledged", come["acknowledged"], 1),
        _when("first contained", come["contained"], 1),
        _when("first dead", come["dead"], 1),
        _when("half dead", come["dead"], (tally.counted + 1) // 2),
        _when("last dead", come["dead"], tally.counted),
        *((_when("replaced", come["replaced"], replacing),) if replacing else ()),
        *((_when("converged", come["converged"], replacing),) if replacing else ()),
    )


def _when(name: str, times: Sequence[float], count: int) -> Milestone:
    """Return when so many had happened, of the moments at which each did, the first one first."""
    if 0 < count <= len(times):
        return Milestone(name, times[count - 1])
    return Milestone(name, None, max(count, 1) - len(times))


def _until(each: Line, now: float) -> Line:
    """Return a line up to now."""
    if each.points and each.points[-1][0] < now:
        return Line(each.name, (*each.points, (now, each.points[-1][1])))
    return each
