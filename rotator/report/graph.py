"""The scope as a graph: from what was seen, link by link, to each credential that it leads to; and it as Mermaid text.

It is a forest of explanations: what several begin with alike is one line of nodes. Names come from attackers too, so
nothing is taken for markup.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from rotator.flow.blast import began
from rotator.flow.exposure import Certainty, Exposure
from rotator.report.plain import plain

MOST = 200
"""How many nodes are drawn. Of more, credentials of a kind that hang at one node become one, then the farthest go."""
_ALIKE = 3
_IDS = 3
_RANK = {each: rank for rank, each in enumerate(Certainty)}
_LONGEST = 160
_SAFE = re.compile(r"[^A-Za-z0-9 _.,:/@()+=*'-]")


@dataclass(frozen=True, slots=True)
class Exposed:
    """One credential as it is shown: its kind, whose it is, its id, and where it was exposed."""

    kind: str
    owner: str
    id: str
    exposures: Sequence[Exposure]


@dataclass(slots=True)
class Node:
    """One link of explanations, and the credentials that end at it. `certainty` is of the surest of them."""

    text: str
    ids: list[str] = field(default_factory=list)
    kind: str = ""
    certainty: Certainty | None = None
    children: list[Node] = field(default_factory=list)

    @property
    def lines(self) -> list[str]:
        """Return what stands in its box."""
        return [_cut(self.text), *([_cut(f"{_some(self.ids)}: {self.certainty}")] if self.certainty else [])]


@dataclass(frozen=True, slots=True)
class Graph:
    """What began each explanation. `credentials` counts all, also those that are drawn as one."""

    roots: tuple[Node, ...]
    credentials: int

    def nodes(self) -> Iterator[tuple[int, Node]]:
        """Yield each node with its depth, every one right before what hangs at it."""
        waiting = [(0, root) for root in reversed(self.roots)]
        while waiting:
            depth, node = waiting.pop()
            yield depth, node
            waiting.extend((depth + 1, child) for child in reversed(node.children))


def graph(found: Iterable[Exposed]) -> Graph:
    """Return the graph of these credentials, each by its shortest explanation, and no more nodes than can be read."""
    top = Node("")
    known: dict[tuple[int, str], Node] = {}
    count = 0
    for each in found:
        count += 1
        node = top
        for link in began(f"{each.kind} {each.owner or each.id}", each.exposures):
            key = (id(node), link)
            if key not in known:
                known[key] = Node(link)
                node.children.append(known[key])
            node = known[key]
        node.ids.append(each.id or each.owner)
        node.kind = each.kind
        sure = [one.certainty for one in each.exposures] + [node.certainty or Certainty.INFERRED]
        node.certainty = min(sure, key=_RANK.__getitem__)
    if len(known) > MOST:
        _gather(top)
        _prune(top)
    return Graph(tuple(top.children), count)


def _gather(top: Node) -> None:
    """Make one node of the many credentials of a kind that end at one node and lead nowhere."""
    waiting = [top]
    while waiting:
        node = waiting.pop()
        alike: dict[tuple[str, Certainty | None], list[Node]] = {}
        for child in node.children:
            if child.ids and not child.children:
                alike.setdefault((child.kind, child.certainty), []).append(child)
        for (kind, certainty), ends in alike.items():
            if len(ends) > _ALIKE:
                ids = [each for end in ends for each in end.ids]
                gone = set(map(id, ends))
                node.children = [each for each in node.children if id(each) not in gone]
                node.children.append(Node(f"{len(ids):,} of {kind}", ids, kind, certainty))
        waiting.extend(node.children)


def _prune(top: Node) -> None:
    """Keep the nearest nodes, and count what is behind those that lead on."""
    level, kept = [top], 0
    while level:
        following = []
        for node in level:
            room = max(MOST // 2 - kept, 0)
            if len(node.children) > room:
                rest = node.children[room:]
                count = sum(len(each.ids) for one in rest for _, each in Graph((one,), 0).nodes())
                node.children = [*node.children[:room], Node(f"… {count:,} more credentials")]
            kept += len(node.children)
            following += node.children
        level = following


def mermaid(drawn: Graph) -> str:
    """Return the graph as Mermaid's text."""
    rows = ["flowchart LR"]
    numbers: dict[int, int] = {}
    for _, node in drawn.nodes():
        number = numbers.setdefault(id(node), len(numbers))
        text = "<br/>".join(_quoted(each) for each in node.lines)
        rows.append(f'  n{number}["{text}"]{f":::{node.certainty}" if node.certainty else ""}')
        rows += (f"  n{number} --> n{numbers.setdefault(id(child), len(numbers))}" for child in node.children)
    colours = {
        "seen": "#fbd5d5,stroke:#b42318",
        "reachable": "#fde7c8,stroke:#b54708",
        "inferred": "#fdf6c9,stroke:#8a7000",
    }
    rows += (f"  classDef {name} fill:{colour},color:#111" for name, colour in colours.items())
    return "\n".join(rows) + "\n"


def _quoted(text: str) -> str:
    """Return text as a Mermaid label may hold it: each letter that could mean something by its number."""
    return _SAFE.sub(lambda found: f"#{ord(found[0])};", text)


def _some(ids: Sequence[str]) -> str:
    more = f" and {len(ids) - _IDS:,} more" if len(ids) > _IDS else ""
    return ", ".join(ids[:_IDS]) + more


def _cut(text: str) -> str:
    shown = plain(text)
    return shown if len(shown) <= _LONGEST else f"{shown[: _LONGEST - 1]}…"
