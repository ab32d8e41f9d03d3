"""An incident in time: its milestones, and how many of its credentials were not proven dead from moment to moment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

from rotator.flow.playbook_words import REPLACING
from rotator.flow.standing import CredentialState
from rotator.report.curve import Line, gathered, line
from rotator.shown.picture import Picture, Row

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
    return tuple(_until(each, now) for each in picture.once(_lines))


def milestones(picture: Picture) -> tuple[Milestone, ...]:
    """Return the moments of an incident, in the order in which they usually come. What is dismissed counts for none.

    Acknowledged is what its issuer took a stop for; contained what every door refused for its settle time, counted from
    the first refusal: that is known only once it has held. Something is all dead, replaced or converged when the last
    one is. Dead is what is proven so.
    """
    times = picture.times
    return (
        *(Milestone(name, times.get(name)) for name in ("exposed", "detected", "declared", "approved")),
        *picture.once(_reached),
        Milestone("closed", times.get("closed")),
    )


def _lines(picture: Picture) -> list[Line]:
    of: dict[str, list[tuple[float, float | None]]] = {}
    for each in _counted(picture):
        life = each.detected_at, each.dead_at if each.evidence == "proven" else None
        of.setdefault(each.provider or "not recognised", []).append(life)
    return [line(WHOLE, chain.from_iterable(of.values())), *gathered([line(name, found) for name, found in of.items()])]


def destructions(picture: Picture) -> tuple[int, float]:
    """Return how many credentials are to be destroyed by themselves, and before when none is; 0 of both for none."""
    return picture.once(_destructions)


def _destructions(picture: Picture) -> tuple[int, float]:
    waiting = [each for each in picture.rows if each.destroys_at is not None]
    credentials = {(each.provider, each.connection, each.owner, each.id) for each in waiting}
    return len(credentials), min((each.destroys_at or 0.0 for each in waiting), default=0.0)


def _reached(picture: Picture) -> tuple[Milestone, ...]:
    """Return the moments that credentials have, or are still to have."""
    counted = _counted(picture)
    replacing = [each for each in counted if each.strategy in REPLACING]
    acknowledged = [each.acknowledged_at for each in counted if each.acknowledged_at is not None]
    contained = [each.contained_at for each in counted if each.contained_at is not None]
    dead = sorted(each.dead_at for each in counted if each.evidence == "proven" and each.dead_at is not None)
    replaced = sorted(each.replaced_at for each in replacing if each.replaced_at is not None)
    converged = sorted(each.converged_at for each in replacing if each.converged_at is not None)
    return (
        _when("first acknowledged", sorted(acknowledged), 1),
        _when("first contained", sorted(contained), 1),
        _when("first dead", dead, 1),
        _when("half dead", dead, (len(counted) + 1) // 2),
        _when("last dead", dead, len(counted)),
        *((_when("replaced", replaced, len(replacing)),) if replacing else ()),
        *((_when("converged", converged, len(replacing)),) if replacing else ()),
    )


def _when(name: str, times: Sequence[float], count: int) -> Milestone:
    """Return when so many had happened, of the moments at which each did, the first one first."""
    if 0 < count <= len(times):
        return Milestone(name, times[count - 1])
    return Milestone(name, None, max(count, 1) - len(times))


def _counted(picture: Picture) -> list[Row]:
    """Return what counts. Dead is what is proven so: not what is only stated."""
    return [each for each in picture.told if each.state is not CredentialState.DISMISSED]


def _until(each: Line, now: float) -> Line:
    """Return a line up to now, of no more points than anybody sees: each that stays is as it was."""
    points = [*each.points]
    if points and points[-1][0] < now:
        points.append((now, points[-1][1]))
    if len(points) > MOST:
        last = len(points) - 1
        points = [points[place * last // (MOST - 1)] for place in range(MOST)]
    return Line(each.name, tuple(points))
