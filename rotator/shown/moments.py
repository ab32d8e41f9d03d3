"""An incident in time: its milestones, and how many of its credentials were not proven dead from moment to moment."""

from __future__ import annotations

from collections.abc import Iterable
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

    Something is all dead, replaced or converged when the last one is. Dead is what is proven so.
    """
    times = picture.times
    return (
        *(Milestone(name, times.get(name)) for name in ("exposed", "detected", "declared", "approved")),
        *picture.once(_reached),
        Milestone("closed", times.get("closed")),
    )


def _lines(picture: Picture) -> list[Line]:
    of: dict[str, list[tuple[float, float | None]]] = {}
    for each in picture.told:
        if each.state is not CredentialState.DISMISSED:
            of.setdefault(each.provider or "not recognised", []).append(_life(each))
    return [line(WHOLE, chain.from_iterable(of.values())), *gathered([line(name, found) for name, found in of.items()])]


def _reached(picture: Picture) -> tuple[Milestone, ...]:
    """Return the moments that credentials have, or are still to have."""
    counted = [each for each in picture.told if not each.is_dismissed]
    replacing = [each for each in counted if each.strategy in REPLACING]
    dead = [_life(each)[1] for each in counted]
    return (
        _when("first contained", [each.contained_at for each in counted if not each.is_task], 1),
        _when("first dead", dead, 1),
        _when("half dead", dead, (len(dead) + 1) // 2),
        _when("last dead", dead, len(dead)),
        *((_when("replaced", [each.replaced_at for each in replacing], len(replacing)),) if replacing else ()),
        *((_when("converged", [each.converged_at for each in replacing], len(replacing)),) if replacing else ()),
    )


def _when(name: str, times: Iterable[float | None], count: int) -> Milestone:
    """Return when so many of these had happened."""
    known = sorted(each for each in times if each is not None)
    if 0 < count <= len(known):
        return Milestone(name, known[count - 1])
    return Milestone(name, None, max(count, 1) - len(known))


def _life(row: Row) -> tuple[float, float | None]:
    """Return when a credential was detected, and when it was proven dead: not while that is only stated."""
    return row.detected_at, row.dead_at if row.evidence == "proven" else None


def _until(each: Line, now: float) -> Line:
    """Return a line up to now, of no more points than anybody sees: each that stays is as it was."""
    points = [*each.points]
    if points and points[-1][0] < now:
        points.append((now, points[-1][1]))
    if len(points) > MOST:
        last = len(points) - 1
        points = [points[place * last // (MOST - 1)] for place in range(MOST)]
    return Line(each.name, tuple(points))
