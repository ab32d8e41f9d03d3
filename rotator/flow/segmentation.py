"""Segmentation, measured: what one compromise of each place reaches, the edges whose cut shrinks that, and the ways.

    blast(place) = Σ weight of each credential reached + Σ weight of each dataset reached
    reach        = Σ blast(place) over all places

docs/segmentation.md says what counts and what does not.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from rotator.errors import BadInput
from rotator.flow.attack_graph import AttackGraph, Node
from rotator.flow.blast import last_link
from rotator.flow.reachability import Reachability
from rotator.flow.risk import CRITICALITIES


@dataclass(frozen=True, slots=True)
class PlaceReach:
    """What one compromise of a place reaches. `directly` are the credentials that lie there; all are in `credentials`.

    `worst` is the highest criticality among them, "" where there are none.
    """

    place: str
    directly: int
    credentials: int
    worst: str
    datasets: tuple[str, ...]
    blast: float


@dataclass(frozen=True, slots=True)
class Whole:
    """What all places come to.

    `unplaced` credentials lie at no place that anybody named. Of those of `unknown` reach nobody said what they read:
    what they lead to is in no figure.
    """

    places: int
    credentials: int
    datasets: int
    unplaced: int
    unknown: int
    reach: float
    widest: float


@dataclass(frozen=True, slots=True)
class Reached:
    """A credential that is reached from a place, by a shortest way, link by link."""

    provider: str
    connection: str
    owner: str
    id: str
    criticality: str
    datasets: tuple[str, ...]
    way: tuple[str, ...]


def by_place(graph: AttackGraph) -> list[PlaceReach]:
    """Return what each place reaches, the widest first."""
    reach = Reachability(graph)
    counts = {
        named: reach.count(number for number, each in enumerate(graph.criticality) if each == named)
        for named in dict.fromkeys(graph.criticality)
    }
    opened: list[list[str]] = [[] for _ in reach.places]
    blasts = reach.blasts
    for dataset in graph.datasets:
        for bit in bits(reach.by[reach.of[dataset]]):
            opened[bit].append(graph.labels[dataset])
    found = []
    for bit, place in enumerate(reach.places):
        there = [named for named, count in counts.items() if count[bit]]
        found.append(
            PlaceReach(
                graph.labels[place],
                len({each for site in graph.after[place] for each in graph.after[site]}),
                sum(count[bit] for count in counts.values()),
                max(there, key=CRITICALITIES.__getitem__, default=""),
                tuple(opened[bit]),
                blasts[bit],
            )
        )
    return sorted(found, key=lambda each: (-each.blast, each.place))


def whole(graph: AttackGraph, found: Sequence[PlaceReach]) -> Whole:
    """Return what all places come to; `found` is what each reaches."""
    placed = {each for place in graph.places for site in graph.after[place] for each in graph.after[site]}
    unknown = sum(all(said.reads is None for said in each.custodies) for each in graph.stock)
    return Whole(
        len(found),
        len(graph.stock),
        len(graph.datasets),
        len(graph.stock) - len(placed),
        unknown,
        sum(each.blast for each in found),
        max((each.blast for each in found), default=0.0),
    )


def ways(graph: AttackGraph, place: str) -> list[Reached]:
    """Return what a place reaches, the nearest first, each with its way. Raises BadInput for no such place."""
    start = graph.place(place)
    if start is None:
        raise BadInput("no place is called so", place, "`rotator segmentation show` lists them")
    found: list[Reached] = []
    seen = {start}
    waiting: deque[tuple[int, tuple[str, ...]]] = deque([(start, ())])
    while waiting:
        number, way = waiting.popleft()
        if graph.sorts[number] is Node.CREDENTIAL:
            found.append(_reached(graph, number, way))
        for following, link in _links(graph, place, number):
            if following not in seen:
                seen.add(following)
                waiting.append((following, (*way, *link)))
    return found


def _links(graph: AttackGraph, place: str, number: int) -> list[tuple[int, tuple[str, ...]]]:
    """Return where a node leads to, and the links that say so."""
    match graph.sorts[number]:
        case Node.PLACE:
            there = ((each, graph.labels[each]) for each in graph.after[number])
            return [(each, () if site == place else (f"what is at {site} counts for {place}",)) for each, site in there]
        case Node.SITE:
            site = graph.labels[number]
            return [(each, (f"{graph.stock[each].short} is within reach at {site}",)) for each in graph.after[number]]
        case Node.ENTRY:
            return [
                (each.number, (last_link(graph.stock[each.number], each.at, each.name, each.what),))
                for each in graph.through(number)
            ]
        case _:
            leading = (each for each in graph.after[number] if graph.sorts[each] is Node.ENTRY)
            return [(each, (f"it {graph.labels[each]}",)) for each in leading]


def _reached(graph: AttackGraph, number: int, way: tuple[str, ...]) -> Reached:
    ref = graph.stock[number].ref
    datasets = (graph.labels[each] for each in graph.after[number] if graph.sorts[each] is Node.DATASET)
    names = (ref.provider, ref.connection, ref.owner, ref.id)
    return Reached(*names, graph.criticality[number], tuple(datasets), way)


def bits(some: int) -> list[int]:
    """Return the numbers of the bits that are set."""
    found = []
    while some:
        lowest = some & -some
        found.append(lowest.bit_length() - 1)
        some ^= lowest
    return found
