"""Which edges of an attack graph are worth cutting: by how much all places' reach shrinks once one alone is gone.

Most edges change nothing, since what they lead to is reached another way. Of the others a bound is cheap: who might
lose the edge's end, times all that may hang at it. They are measured in the order of their bounds, until no bound that
is left could still be among the best.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass

from rotator.flow.attack_graph import AttackGraph, Edge
from rotator.flow.losing import Losing
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
    measuring = Losing(reach)
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
