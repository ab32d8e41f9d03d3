"""What all places lose without one edge of an attack graph: a bound that costs little, a nearer one, and the exact sum.

What one place loses depends on no other. So it is told in two ways, exactly by both: place by place, by what each
reaches without the edge, or for all at once, by what falls behind it. The one costs what is left, the other what falls.
"""

from __future__ import annotations

import functools
import math
import operator
from collections.abc import Iterator, Mapping

from rotator.flow.reachability import Cut, Reachability

_SEVERAL = -1
"""More edges than one."""


class Losing:
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
        self._blasts = reach.blasts
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
        reach, (source, target) = self._reach, cut
        component = reach.of[target]
        if reach.of[source] != component:
            losers = reach.by[reach.of[source]] & self._sole[component]
            gone = dict.fromkeys(reach.members[component], losers)
        else:
            gone = {each: reach.by[component] & ~by for each, by in self._within_without(cut).items()}
            losers = functools.reduce(operator.or_, gone.values(), 0)
        left = self._left(cut, losers)
        if left is not None:
            return sum(self._blasts[bit] for bit in _bits(losers)) - left
        lost = sum(reach.graph.weights[each] * there.bit_count() for each, there in gone.items())
        return lost + sum(reach.weights[each] * there.bit_count() for each, there in self._falling(component, gone))

    def _left(self, cut: Cut, losers: int) -> float | None:
        """Return what these places reach without an edge, searched place by place; None where that is much.

        Who loses most has least left: an edge that is worth cutting is measured soonest by what it leaves.
        """
        reach, left, may_visit = self._reach, 0.0, len(self._reach.after)
        for bit in _bits(losers):
            waiting = [reach.places[bit]]
            seen = set(waiting)
            while waiting:
                source = waiting.pop()
                left += reach.graph.weights[source]
                new = [each for each in reach.after[source] if each not in seen and (source, each) != cut]
                seen.update(new)
                waiting += new
                may_visit -= 1 + len(new)
                if may_visit < 0:
                    return None
        return left

    def _falling(self, first: int, gone: Mapping[int, int]) -> Iterator[tuple[int, int]]:
        """Yield each later component with the places that reach it no more, where these are `gone` from nodes of one.

        Each stands before all that it leads to, so one pass tells.
        """
        reach, entering, sole = self._reach, self._entering, self._sole
        of, by, after = reach.of, reach.by, reach.after
        lost = dict(gone)
        losing: dict[int, int] = {}  # what falls from the one edge that loses anything; _SEVERAL where more do
        touched = bytearray(len(by))
        at = first
        while at >= 0:
            if at != first:
                fallen = losing.pop(at)
                if fallen == _SEVERAL:
                    still = 0
                    for source in entering[at]:
                        still |= by[of[source]] & ~lost.get(source, 0)
                    fallen = by[at] & ~still
                else:
                    fallen &= sole[at]
                if fallen:
                    yield at, fallen
                    for source in reach.members[at]:
                        lost[source] = fallen
            for source in reach.members[at]:
                fallen = lost.get(source, 0)
                for each in after[source] if fallen else ():
                    there = of[each]
                    if there != at:
                        losing[there] = _SEVERAL if touched[there] else fallen
                        touched[there] = 1
            at = touched.find(1, at + 1)

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
        widest = max(self._blasts, default=0.0)
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


def _bits(places: int) -> Iterator[int]:
    """Yield the number of each place of a set."""
    while places:
        lowest = places & -places
        yield lowest.bit_length() - 1
        places ^= lowest
