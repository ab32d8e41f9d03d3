"""Which places reach each node of an attack graph, for all places at once: a set of places is one whole number.

Nodes that reach each other are one component; components stand in an order in which each leads to later ones alone, so
one pass tells all. Its cost is that of the edges, not of places times credentials.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from rotator.flow.attack_graph import AttackGraph

Cut = tuple[int, int]
"""An edge that is taken away, by its two nodes."""


class Reachability:
    """A graph without some of its edges: the component `of` each node, and which places reach each component.

    Bit number n of a set of places is the place `places[n]`.
    """

    def __init__(self, graph: AttackGraph, without: Collection[Cut] = ()) -> None:
        self.graph, self.places = graph, graph.places
        gone: dict[int, set[int]] = {}
        for source, target in without:
            gone.setdefault(source, set()).add(target)
        self.after = [
            [each for each in after if each not in gone[number]] if number in gone else after
            for number, after in enumerate(graph.after)
        ]
        self.members = components(self.after)
        self.of = [0] * len(self.after)
        for component, members in enumerate(self.members):
            for each in members:
                self.of[each] = component
        self.by = [0] * len(self.members)
        for bit, place in enumerate(self.places):
            self.by[self.of[place]] |= 1 << bit
        self.weights = [sum(graph.weights[each] for each in members) for members in self.members]
        for component, members in enumerate(self.members):
            if there := self.by[component]:
                for number in members:
                    for each in self.after[number]:
                        self.by[self.of[each]] |= there

    @property
    def total(self) -> float:
        """Return the weight of all that each place reaches, over all places."""
        return sum(weight * by.bit_count() for weight, by in zip(self.weights, self.by, strict=True) if weight)

    @property
    def blasts(self) -> list[float]:
        """Return the weight of all that each place reaches, in the order of `places`."""
        alike: dict[float, list[int]] = {}
        for number, weight in enumerate(self.graph.weights):
            if weight:
                alike.setdefault(weight, []).append(number)
        found = [0.0] * len(self.places)
        for weight, nodes in alike.items():
            for bit, count in enumerate(self.count(nodes)):
                found[bit] += weight * count
        return found

    def count(self, nodes: Iterable[int]) -> list[int]:
        """Return how many of these nodes each place reaches, in the order of `places`."""
        times: dict[int, int] = {}
        for each in nodes:
            times[self.of[each]] = times.get(self.of[each], 0) + 1
        return _columns(((self.by[component], many) for component, many in times.items()), len(self.places))


def _columns(sets: Iterable[tuple[int, int]], width: int) -> list[int]:
    """Return for each bit the sum of the numbers of the sets that have it: added up in binary, all bits at once."""
    planes: list[int] = []
    for bits, times in sets:
        for shift in range(times.bit_length()):
            carry = bits if times >> shift & 1 else 0
            at = shift
            while carry:
                planes += [0] * (at + 1 - len(planes))
                planes[at], carry = planes[at] ^ carry, planes[at] & carry
                at += 1
    return [sum((plane >> bit & 1) << at for at, plane in enumerate(planes)) for bit in range(width)]


def components(after: Sequence[Sequence[int]]) -> list[list[int]]:
    """Return the strongly connected components, each before those that it leads to (Tarjan, without recursion)."""
    found: list[list[int]] = []
    index = [-1] * len(after)
    low = [0] * len(after)
    is_open = [False] * len(after)
    stack: list[int] = []
    count = 0
    for root in range(len(after)):
        if index[root] >= 0:
            continue
        work = [(root, iter(after[root]))]
        index[root] = low[root] = count
        count += 1
        stack.append(root)
        is_open[root] = True
        while work:
            node, following = work[-1]
            for each in following:
                if index[each] < 0:
                    index[each] = low[each] = count
                    count += 1
                    stack.append(each)
                    is_open[each] = True
                    work.append((each, iter(after[each])))
                    break
                if is_open[each]:
                    low[node] = min(low[node], index[each])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == index[node]:
                    members: list[int] = []
                    while not members or members[-1] != node:
                        members.append(stack.pop())
                        is_open[members[-1]] = False
                    found.append(members)
    found.reverse()
    return found
