"""What one compromise of each place reaches, which cuts shrink it, how that went: plain rows, as lists show them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from rotator import clock
from rotator.bootstrap import Rotator
from rotator.estate import as_now, estate
from rotator.flow import cuts, segmentation
from rotator.flow.attack_graph import AttackGraph
from rotator.flow.segmentation import PlaceReach
from rotator.ledger import segmentation as kept
from rotator.report.clocks import moment
from rotator.shown.beside import Beside

MOST = 10
"""How many cuts are told, of each order."""
_WIDEST = 10
"""Of how many places a day's record tells by name."""


def measured(parts: Rotator) -> Measured:
    """Return what these parts have measured, for everybody who looks at it."""
    found: Measured = parts.__dict__.setdefault("segmentation_shown", Measured(parts))
    return found


class Measured:
    """What follows from the inventory, measured once for as long as that says the same: the cuts may take a minute."""

    def __init__(self, parts: Rotator) -> None:
        now = as_now(parts)

        def graph() -> AttackGraph:
            return estate(now.parts()).graph

        self._graph = graph
        self.reach = Beside(now.version, lambda: _reach(graph()), is_large=now.is_large)
        self.cuts = Beside(now.version, lambda: _cuts(graph()), is_large=now.is_large)

    def graph(self) -> AttackGraph:
        """Return the attack graph of the inventory as it is now."""
        return self._graph()

    def places(self) -> list[PlaceReach]:
        """Return what each place reaches, the widest first."""
        return self.reach.now().places

    def whole(self) -> segmentation.Whole:
        """Return what all places come to."""
        return self.reach.now().whole

    def edges(self) -> list[dict[str, Any]]:
        """Return the best cuts as data: `alone` each as if it were the only one, `in turn` each after those before."""
        return self.cuts.now()


@dataclass(frozen=True, slots=True)
class Reach:
    """What each place reaches, the widest first, and what all come to."""

    places: list[PlaceReach]
    whole: segmentation.Whole


def _reach(graph: AttackGraph) -> Reach:
    found = segmentation.by_place(graph)
    return Reach(found, segmentation.whole(graph, found))


def _cuts(graph: AttackGraph) -> list[dict[str, Any]]:
    orders = {"alone": cuts.alone(graph, MOST), "in turn": cuts.in_turn(graph, MOST)}
    return [
        {"order": order, "rank": rank, **asdict(each.edge), "gain": each.gain, "left": each.left}
        for order, found in orders.items()
        for rank, each in enumerate(found, 1)
    ]


def places(measured: Measured) -> list[dict[str, Any]]:
    """Return each place with what one compromise of it reaches, the widest first."""
    return rows(measured.places())


def rows(found: Iterable[PlaceReach]) -> list[dict[str, Any]]:
    """Return places as data."""
    return [{**asdict(each), "datasets": list(each.datasets)} for each in found]


def whole(measured: Measured) -> dict[str, Any]:
    """Return what all places come to, and what is in no figure."""
    return asdict(measured.whole())


def reached(measured: Measured, place: str) -> list[dict[str, Any]]:
    """Return what one place reaches, the nearest first, each with its way. Raises BadInput for no such place."""
    found = segmentation.ways(measured.graph(), place)
    return [{**asdict(each), "datasets": list(each.datasets), "way": list(each.way)} for each in found]


def note(measured: Measured, parts: Rotator) -> None:
    """Keep this day's figures, where that was not done and a place is known."""
    now = clock.now()
    if kept.is_noted(parts.database, now) or not (found := measured.places()):
        return
    widest = [
        {"place": each.place, "credentials": each.credentials, "datasets": len(each.datasets), "blast": each.blast}
        for each in found[:_WIDEST]
    ]
    kept.note(parts.database, now, {**whole(measured), "widest_places": widest})


def trend(parts: Rotator) -> list[dict[str, Any]]:
    """Return each day that was measured, the oldest first, with by how much the reach is another than the time before.

    `change` is null for the first.
    """
    found: list[dict[str, Any]] = []
    for at, figures in kept.noted(parts.database):
        change = figures["reach"] - found[-1]["reach"] if found else None
        day = datetime.fromtimestamp(at, UTC).date().isoformat()
        found.append({"day": day, "at": moment(at), **figures, "change": change})
    return found
