"""The attack graph of an inventory: from each place to the credentials there, what they read, and what is kept there.

    place → site → credential → entry of `reads` or `administers` → credential … → dataset

A *place* is where software runs that somebody may compromise: each site that the inventory names, and each vendor that
holds credentials. A *site* is what an entry named; a place leads to those that are it, its parts, or what it is part
of, as an alarm there would. What is bait opens nothing, and is not in the graph.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from enum import Enum

from rotator.flow.keeping import Keeping
from rotator.flow.paths import Roots, split
from rotator.flow.places import Nearby, whereabouts
from rotator.flow.risk import UNSAID, factor_of
from rotator.flow.scope import Custodies
from rotator.flow.site import Site, SiteKind
from rotator.flow.stock import Stock

VENDOR = "vendor"


class Node(Enum):
    """What a number of the graph stands for."""

    PLACE = "place"
    SITE = "site"
    CREDENTIAL = "credential"
    ENTRY = "entry"
    DATASET = "dataset"


@dataclass(frozen=True, slots=True)
class Edge:
    """What a person can cut: a site's access to a credential, what a credential reads or administers, or its dataset.

    `how` is `reaches`, `reads`, `administers` or `opens`.
    """

    source: str
    how: str
    target: str

    def __str__(self) -> str:
        return f"{self.source} {self.how} {self.target}"


@dataclass(frozen=True, slots=True)
class Through:
    """A credential that an entry leads to: kept, or issued, at a connection under a name."""

    what: str
    at: str
    name: str
    number: int


class AttackGraph:
    """Nodes by number: `sorts`, `labels`, `weights` and `after` are of each. `stock` are the credentials, in order.

    It is made of what is `there` (`flow/stock.py`), and of what the same entries `said`.

    The weight of a credential is the factor of its criticality (`flow/risk.py`), that of a dataset the highest of those
    that open it, that of all else 0.
    """

    def __init__(
        self, there: Iterable[Stock], said: Custodies, roots: Roots, issuers: Callable[[str], Collection[str]]
    ) -> None:
        custodies = ((each, said.of(each.ref)) for each in there)
        found = [(each, custody) for each, custody in custodies if not custody.canary]
        self.stock: list[Stock] = [each for each, _ in found]
        self.criticality = [custody.criticality or UNSAID for _, custody in found]
        self._keeping = Keeping(self.stock, roots, issuers)
        self.sorts: list[Node] = []
        self.labels: list[str] = []
        self.weights: list[float] = []
        self.after: list[list[int]] = []
        self._numbers: dict[tuple[Node, str], int] = {}
        for each, criticality in zip(self.stock, self.criticality, strict=True):
            self._new(Node.CREDENTIAL, each.full, factor_of(criticality))
        for number, (each, custody) in enumerate(found):
            self._credential(number, each, custody.vendor)
        self._places()

    @property
    def places(self) -> list[int]:
        """Return the numbers of the places, by name."""
        return sorted(self._of(Node.PLACE), key=self.labels.__getitem__)

    @property
    def datasets(self) -> list[int]:
        """Return the numbers of the datasets, by name."""
        return sorted(self._of(Node.DATASET), key=self.labels.__getitem__)

    def sites(self) -> dict[int, list[str]]:
        """Return for each credential that lies at a site which ones, by name."""
        found: dict[int, list[str]] = {}
        for site in sorted(self._of(Node.SITE), key=self.labels.__getitem__):
            for number in self.after[site]:
                found.setdefault(number, []).append(self.labels[site])
        return found

    def place(self, name: str) -> int | None:
        """Return the number of a place, None for no such place."""
        return self._numbers.get((Node.PLACE, name))

    def is_cuttable(self, number: int) -> bool:
        """Tell whether a person can cut what leads from here."""
        return self.sorts[number] in {Node.SITE, Node.CREDENTIAL}

    def edge(self, source: int, target: int) -> Edge:
        """Return an edge that can be cut, in words."""
        if self.sorts[source] is Node.SITE:
            return Edge(self.labels[source], "reaches", self.labels[target])
        if self.sorts[target] is Node.DATASET:
            return Edge(self.labels[source], "opens", self.labels[target])
        how, _, entry = self.labels[target].partition(" ")
        return Edge(self.labels[source], how, entry)

    def through(self, entry: int) -> Iterator[Through]:
        """Yield what an entry of `reads` or `administers` leads to."""
        how, _, path = self.labels[entry].partition(" ")
        connection, names = split(path)
        issued = self._keeping.issued if how == "administers" else {}
        for what, kept in (("kept", self._keeping.places), ("issued", issued)):
            if connection in kept:
                for name, number in kept[connection].meant(names):
                    at = f"{connection}:{name}" if what == "kept" else connection
                    yield Through(what, at, name, number)

    def _of(self, sort: Node) -> Iterator[int]:
        return (number for (which, _), number in self._numbers.items() if which is sort)

    def _new(self, sort: Node, label: str, weight: float = 0.0) -> int:
        self.sorts.append(sort)
        self.labels.append(label)
        self.weights.append(weight)
        self.after.append([])
        return len(self.sorts) - 1

    def _number(self, sort: Node, label: str) -> int:
        number = self._numbers.get((sort, label))
        if number is None:
            number = self._numbers[sort, label] = self._new(sort, label)
            if sort is Node.ENTRY:
                self.after[number] = list(dict.fromkeys(each.number for each in self.through(number)))
        return number

    def _credential(self, number: int, one: Stock, vendor: str) -> None:
        sites = dict.fromkeys(str(each.site) for custody in one.custodies for each in whereabouts(custody))
        for site in (*sites, *((f"{VENDOR}:{vendor}",) if vendor else ())):
            self.after[self._number(Node.SITE, site)].append(number)
        reads = dict.fromkeys(f"reads {each}" for custody in one.custodies for each in custody.reads or ())
        rules = dict.fromkeys(f"administers {each}" for custody in one.custodies for each in custody.administers)
        self.after[number] += (self._number(Node.ENTRY, each) for each in (*reads, *rules))
        for name in dict.fromkeys(name for custody in one.custodies for name in custody.datasets):
            dataset = self._number(Node.DATASET, name)
            self.after[number].append(dataset)
            self.weights[dataset] = max(self.weights[dataset], self.weights[number])

    def _places(self) -> None:
        named = {self.labels[number]: number for number in self._of(Node.SITE)}
        sites = {label: _site(label) for label in named if not label.startswith(f"{VENDOR}:")}
        nearby = Nearby(sites.values())
        places = {label: self._number(Node.PLACE, label) for label in named}
        for label, number in named.items():
            if label not in sites:
                self.after[places[label]].append(number)
                continue
            for site, _ in nearby.of(sites[label]):
                self.after[places[str(site)]].append(number)


def _site(label: str) -> Site:
    kind, _, name = label.partition(":")
    return Site(SiteKind(kind), name)
