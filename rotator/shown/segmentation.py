"""What one compromise of each place reaches, which cuts shrink it, how that went: plain rows, as lists show them."""

from __future__ import annotations

import threading
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from rotator import clock
from rotator.bootstrap import Rotator
from rotator.estate import estate
from rotator.flow import cuts, segmentation
from rotator.flow.attack_graph import AttackGraph
from rotator.flow.segmentation import PlaceReach
from rotator.ledger import outlook
from rotator.ledger import segmentation as kept
from rotator.report.clocks import moment

MOST = 10
"""How many cuts are told, of each order."""
_WIDEST = 10
"""Of how many places a day's record tells by name."""


def measured(parts: Rotator) -> Measured:
    """Return what these parts have measured, for everybody who looks at it."""
    found: Measured = parts.__dict__.setdefault("segmentation_shown", Measured(parts))
    return found


class Measured:
    """What follows from the inventory, measured once for as long as that says the same: it may take half a minute."""

    def __init__(self, parts: Rotator) -> None:
        self._parts, self._measuring = parts, threading.Lock()
        self._of: tuple[object, ...] = ()
        self._found: dict[str, Any] = {}

    def graph(self) -> AttackGraph:
        """Return the attack graph of the inventory as it is now."""
        with self._measuring:
            return self._graph()

    def places(self) -> list[PlaceReach]:
        """Return what each place reaches, the widest first."""
        with self._measuring:
            return self._places()

    def whole(self) -> segmentation.Whole:
        """Return what all places come to."""
        with self._measuring:
            return segmentation.whole(self._graph(), self._places())

    def edges(self) -> list[dict[str, Any]]:
        """Return the best cuts as data: `alone` each as if it were the only one, `in turn` each after those before."""
        with self._measuring:
            graph = self._graph()
            if "edges" not in self._found:
                orders = {"alone": cuts.alone(graph, MOST), "in turn": cuts.in_turn(graph, MOST)}
                self._found["edges"] = [
                    {"order": order, "rank": rank, **asdict(each.edge), "gain": each.gain, "left": each.left}
                    for order, found in orders.items()
                    for rank, each in enumerate(found, 1)
                ]
            found: list[dict[str, Any]] = self._found["edges"]
            return found

    def _graph(self) -> AttackGraph:
        of = outlook.mark(self._parts.database)
        if of != self._of or "graph" not in self._found:
            self._of, self._found = of, {"graph": estate(self._parts.on(self._parts.database)).graph}
        found: AttackGraph = self._found["graph"]
        return found

    def _places(self) -> list[PlaceReach]:
        graph = self._graph()
        if "places" not in self._found:
            self._found["places"] = segmentation.by_place(graph)
        found: list[PlaceReach] = self._found["places"]
        return found


def places(measured: Measured) -> list[dict[str, Any]]:
    """Return each place with what one compromise of it reaches, the widest first."""
    return [{**asdict(each), "datasets": list(each.datasets)} for each in measured.places()]


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
