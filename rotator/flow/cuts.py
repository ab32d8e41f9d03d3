"""Which edges of an attack graph are worth cutting: by how much all places' reach shrinks once one alone is gone.

Most edges change nothing, since what they lead to is reached another way. Of the others a bound is cheap: who might
lose the edge's end, times all that may hang at it. They are measured in the order of their bounds, until no bound that
is left could still be among the best.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from rotator.flow.attack_graph import AttackGraph, Edge
from rotator.flow.reachability import Cut, Reachability


@dataclass(frozen=True, slots=True)
class Gain:
    """An edge, and by how much the summed reach shrinks without it. `left` is the sum then."""

    edge: Edge
    gain: float
    left: float


def alone(graph: AttackGraph, most: int) -> list[Gain]:
    """Return the edges whose removal, each alone, shrinks the reach most, the best first; none that shrinks nothing."""
    reach = Reachability(graph)
    return [Gain(graph.edge(*cut), gain, reach.total - gain) for gain, cut in _best(reach, most)]


def in_turn(graph: AttackGraph, most: int) -> list[Gain]:
    """Return the best edge, then the best of what is left without it, and so on.

    It is greedy: two edges that only together cut something off are not found.
    """
    found: list[Gain] = []
    gone: set[Cut] = set()
    while len(found) < most:
        reach = Reachability(graph, gone)
        best = _best(reach, 1)
        if not best:
            break
        [(gain, cut)] = best
        found.append(Gain(graph.edge(*cut), gain, reach.total - gain))
        gone.add(cut)
    return found


def _best(reach: Reachability, most: int) -> list[tuple[float, Cut]]:
    measuring = _Measuring(reach)
    best: list[tuple[float, Cut]] = []
    waiting = [(-bound, False, cut) for bound, cut in measuring.bounds()]
    heapq.heapify(waiting)
    while waiting and (len(best) < most or -waiting[0][0] > best[-1][0]):
        bound, is_close, cut = heapq.heappop(waiting)
        if not is_close:
            heapq.heappush(waiting, (-min(-bound, measuring.closer(cut)), True, cut))
        elif gain := measuring.gain(cut):
            best = sorted([*best, (gain, cut)], key=lambda each: (-each[0], str(reach.graph.edge(*each[1]))))[:most]
    return best


class _Measuring:
    """What a reachability loses without one edge."""

    def __init__(self, reach: Reachability) -> None:
        self._reach = reach
        self._entering: list[list[int]] = [[] for _ in reach.members]
        self._leading: list[list[int]] = [[] for _ in reach.members]
        for source, after in enumerate(reach.after):
            here = reach.of[source]
            if not reach.by[here]:
                continue
            for each in after:
                if reach.of[each] != here:
                    self._entering[reach.of[each]].append(source)
                    self._leading[here].append(reach.of[each])
        self._leading = [list(dict.fromkeys(each)) for each in self._leading]
        self._sole = [self._reached_once(each) for each in self._entering]
        self._inside = {
            source: [each for each in reach.after[source] if reach.of[each] == reach.of[source]]
            for members in reach.members
            if len(members) > 1
            for source in members
        }
        self._directly, self._beside = self._within()
        self._behind = self._hanging()

    def bounds(self) -> Iterator[tuple[float, Cut]]:
        """Yield each edge that may matter, with a bound of its gain that costs little."""
        reach, graph = self._reach, self._reach.graph
        for source, after in enumerate(reach.after):
            here = reach.of[source]
            if reach.by[here] and graph.is_cuttable(source):
                for target in after:
                    there = reach.of[target]
                    losers = reach.by[here] & (self._sole[there] if there != here else self._may_lose(source, target))
                    if losers and (bound := losers.bit_count() * self._behind[there]):
                        yield bound, (source, target)

    def closer(self, cut: Cut) -> float:
        """Return a bound that is nearer: of an edge within a component, by who loses anything of that."""
        component = self._reach.of[cut[1]]
        if self._reach.of[cut[0]] != component:
            return math.inf
        lost = 0
        for by in self._within_without(cut).values():
            lost |= self._reach.by[component] & ~by
        return lost.bit_count() * self._behind[component]

    def gain(self, cut: Cut) -> float:
        """Return by how much the reach shrinks."""
        reach = self._reach
        source, target = cut
        first = reach.of[target]
        now: dict[int, int] = {}
        inner: dict[int, int] = {}
        if reach.of[source] != first:
            now[first] = reach.by[first] & ~(reach.by[reach.of[source]] & self._sole[first])
            lost = reach.weights[first] * (reach.by[first] & ~now[first]).bit_count()
        else:
            inner = self._within_without(cut)
            lost = sum(reach.graph.weights[each] * (reach.by[first] & ~by).bit_count() for each, by in inner.items())
        losing: dict[int, list[int]] = {}
        waiting = [first]
        while waiting:
            component = heapq.heappop(waiting)  # each stands before all that it leads to
            if component != first:
                gone = self._gone(component, losing.pop(component), now, inner)
                if not gone:
                    continue
                now[component] = reach.by[component] & ~gone
                lost += reach.weights[component] * gone.bit_count()
            for source in reach.members[component]:
                if gone := reach.by[component] & ~(inner[source] if source in inner else now.get(component, -1)):
                    for each in reach.after[source]:
                        if (there := reach.of[each]) != component:
                            if there not in losing:
                                losing[there] = []
                                heapq.heappush(waiting, there)
                            losing[there].append(gone)
        return lost

    def _gone(self, component: int, losing: list[int], now: Mapping[int, int], inner: Mapping[int, int]) -> int:
        """Return the places that reach a component no more, where these are gone from some of the edges to it."""
        if len(losing) == 1:
            return losing[0] & self._sole[component]
        reach, by = self._reach, 0
        for source in self._entering[component]:
            here = reach.of[source]
            by |= inner[source] if source in inner else now.get(here, reach.by[here])
        return reach.by[component] & ~by

    def _reached_once(self, entering: list[int]) -> int:
        """Return the places that reach a component over one of its edges alone."""
        once = twice = 0
        for source in entering:
            by = self._reach.by[self._reach.of[source]]
            twice |= once & by
            once |= by
        return once & ~twice

    def _may_lose(self, source: int, target: int) -> int:
        """Return the places that may reach one node of a component over another of it alone: a bound."""
        once, twice = self._beside.get(target, (0, 0))
        return ~(self._directly.get(target, 0) | twice | once & ~self._directly.get(source, 0))

    def _within(self) -> tuple[dict[int, int], dict[int, tuple[int, int]]]:
        """Return which places enter a component at each node, and at how many of the nodes that lead to it there."""
        reach = self._reach
        directly: dict[int, int] = {}
        for source, after in enumerate(reach.after):
            for each in after if (by := reach.by[reach.of[source]]) else ():
                if reach.of[each] != reach.of[source]:
                    directly[each] = directly.get(each, 0) | by
        beside: dict[int, tuple[int, int]] = {}
        for source, after in self._inside.items():
            for each in after if (by := directly.get(source, 0)) else ():
                once, twice = beside.get(each, (0, 0))
                beside[each] = once | by, twice | once & by
        return directly, beside

    def _hanging(self) -> list[float]:
        """Return a bound of what a place may lose with each component: no more than the widest reaches at all."""
        widest = max(self._reach.blasts, default=0.0)
        found = list(self._reach.weights)
        for component in reversed(range(len(found))):
            behind = sum(found[each] for each in self._leading[component])
            found[component] = min(widest, found[component] + behind)
        return found

    def _leads_around(self, cut: Cut) -> bool:
        """Tell whether the two ends of an edge within a component are joined without it: then nothing is lost."""
        source, target = cut
        seen, waiting = {source}, [source]
        while waiting:
            number = waiting.pop()
            for each in self._inside[number]:
                if each in seen or (number, each) == cut:
                    continue
                if each == target:
                    return True
                seen.add(each)
                waiting.append(each)
        return False

    def _within_without(self, cut: Cut) -> dict[int, int]:
        """Return which places reach each member of a component without an edge within it; nothing where all do."""
        if self._leads_around(cut):
            return {}
        reach, component = self._reach, self._reach.of[cut[1]]
        by = {each: self._directly.get(each, 0) for each in reach.members[component]}
        waiting = dict.fromkeys(each for each, there in by.items() if there)
        while waiting:
            waiting.pop(number := next(iter(waiting)))
            for each in self._inside[number]:
                if (number, each) != cut and by[number] & ~by[each]:
                    by[each] |= by[number]
                    waiting[each] = None
        return by
