"""Blast radius: what else a thief has who holds an exposed credential, since it reads or administers where others are.

Breadth first, to a fixed point: each credential is included once, by the shortest way there is, and its exposure says
that way link by link. What nobody knows the reach of leads nowhere, and is warned of: see decision 0031.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from rotator.credential import CredentialRef
from rotator.flow.exposure import INVENTORY, LIST, Certainty, Exposure
from rotator.flow.keeping import Keeping
from rotator.flow.order import names as first_of
from rotator.flow.paths import Roots, split
from rotator.flow.scope import Custody, Scoped, Unresolved
from rotator.flow.stock import Stock, spoken_of_as, stock

_LINKS = 24
"""How many links an explanation has at most; of a longer one the middle is counted and left out."""
_FIRST = 8


@dataclass(frozen=True, slots=True)
class Blast:
    """What follows, the nearest first, and what may follow and is not included."""

    exposures: tuple[Exposure, ...] = ()
    warnings: tuple[str, ...] = ()


def expand(
    scoped: Iterable[Scoped],
    entries: Sequence[Custody],
    *,
    known: Iterable[CredentialRef],
    roots: Roots,
    issuers: Callable[[str], Collection[str]],
    unresolved: Iterable[Unresolved] = (),
) -> Blast:
    """Return what the exposed ones lead to, without themselves.

    `known` are the credentials that discovery has seen: an entry without an id stands for all of them that it fits;
    where there are none the exposure names the owner alone. `roots`: see `flow/paths.py`. `issuers` names the
    connections that serve a kind, for entries that name none. `unresolved` are exposed too: what is said of their ids
    or owners is followed.
    """
    return follow(scoped, Ground(stock(entries, known), roots, issuers), unresolved)


class Ground:
    """What is searched: credentials, by their names and by where they are kept. It is the same for every search."""

    def __init__(self, found: Sequence[Stock], roots: Roots, issuers: Callable[[str], Collection[str]]) -> None:
        self.stock, self.keeping = found, Keeping(found, roots, issuers)
        self.numbers: dict[object, list[int]] = {}
        for number, each in enumerate(found):
            for key in (each.ref, (each.ref.provider, each.ref.id)):
                self.numbers.setdefault(key, []).append(number)


def follow(scoped: Iterable[Scoped], ground: Ground, unresolved: Iterable[Unresolved] = ()) -> Blast:
    """Return what the exposed ones lead to, as `expand` does."""
    search = _Search(ground)
    for each in scoped:
        ref = replace(each.ref, connection=each.issuer)
        search.begin(ref, each.kind, each.exposures, [each.custody])
    for left in unresolved:
        told = left.exposures[0].leaked if left.exposures else left.leaked
        ref = CredentialRef(left.kind or "", told.connection or "", told.owner or "", told.id or left.key)
        search.begin(ref, left.kind or "a credential", left.exposures, ())
    found = list(search.run())
    return Blast(tuple(each.exposure() for each in found), tuple(search.warnings()))


def began(name: str, exposures: Iterable[Exposure]) -> tuple[str, ...]:
    """Return the links that lead to an exposed credential: those of the exposure that needs the fewest."""
    first = min(exposures, key=lambda each: len(each.via), default=None)
    if first is None:
        return (f"{name} is exposed",)
    return first.via or (f"{name} was seen in {first.where}" if first.where else f"{name} was reported",)


@dataclass(frozen=True, slots=True)
class _Way:
    """The links that lead somewhere, the middle left out where they are too many."""

    told: tuple[str, ...]
    left_out: int = 0

    def then(self, *links: str) -> _Way:
        told = self.told + links
        over = max(len(told) - _LINKS, 0)
        return _Way(told[:_FIRST] + told[_FIRST + over :] if over else told, self.left_out + over)

    @property
    def links(self) -> tuple[str, ...]:
        if not self.left_out:
            return self.told
        return (*self.told[:_FIRST], f"… {self.left_out:,} links are left out …", *self.told[_FIRST:])


@dataclass(frozen=True, slots=True)
class _Reached:
    one: Stock
    at: str
    way: _Way

    def exposure(self) -> Exposure:
        """Return what triage asks the issuer about."""
        ref, links = self.one.ref, self.way.links
        if not ref.id:
            links += ("no id of it is known: a person must say which it is, or discovery list it",)
        return Exposure(
            source=LIST if ref.provider else INVENTORY,
            rule=ref.provider or self.one.full,
            leaked=self.one.leaked,
            # Without an id the path tells credentials apart.
            path=self.at if ref.id else f"inventory: {self.one.full}",
            certainty=Certainty.INFERRED,
            via=links,
        )


class _Search:
    """A search from where it was begun, over places that are looked at once."""

    def __init__(self, ground: Ground) -> None:
        self._stock, self._numbers = ground.stock, ground.numbers
        self._places = {at: names.untaken() for at, names in ground.keeping.places.items()}
        self._issued = {at: names.untaken() for at, names in ground.keeping.issued.items()}
        self._keeping = ground.keeping
        self._reached: set[int] = set()
        self._followed: set[tuple[str, str]] = set()
        self._waiting: deque[tuple[str, tuple[str, ...], Sequence[Custody], _Way]] = deque()
        self._unknown: dict[str, list[str]] = {}

    def begin(self, ref: CredentialRef, kind: str, exposures: Sequence[Exposure], custodies: Sequence[Custody]) -> None:
        """Begin at an exposed credential, which is none of what is found; nor is what entries alone call by its name.

        Where nobody said on which connection it is, it may be the one of that id on each.
        """
        keys: list[object] = list(spoken_of_as(ref))
        if not ref.connection and ref.id:
            keys.append((ref.provider, ref.id))
        here = [number for key in keys for number in self._numbers.get(key, ())]
        self._reached.update(here)
        said = {id(each): each for number in here for each in self._stock[number].custodies}
        said |= {id(each): each for each in custodies}
        name = f"{kind} {ref.owner or ref.id}"
        at = (ref.connection,) if ref.connection else ()
        self._waiting.append((name, at, list(said.values()), _Way(()).then(*began(name, exposures))))

    def run(self) -> Iterator[_Reached]:
        """Yield whatever can be reached, the nearest first."""
        while self._waiting:
            name, at, custodies, way = self._waiting.popleft()
            for connection in at if all(custody.reads is None for custody in custodies) else ():
                self._unknown.setdefault(connection, []).append(name)
            for custody in custodies:
                for entry in custody.reads or ():
                    yield from self._through(entry, way.then(f"it reads {entry}"))
                for entry in custody.administers:
                    yield from self._through(entry, way.then(f"it administers {entry}"), administers=True)

    def warnings(self) -> Iterator[str]:
        """Say of whom nobody knows what they read, and how much may be there that is not included."""
        for connection, names in sorted(self._unknown.items()):
            left = set(self._places[connection].left()) - self._reached if connection in self._places else set()
            if left:
                yield (
                    f"nobody knows what {first_of(names)} can read on {connection}, where {len(left):,} credentials "
                    "are kept that are not included: say in `reads` what they reach"
                )

    def _through(self, entry: str, way: _Way, *, administers: bool = False) -> Iterator[_Reached]:
        """Yield what is newly reached through an entry of `reads` or `administers`."""
        connection, path = split(entry)
        for what, names in (("kept", self._places), ("issued", self._issued if administers else {})):
            if (what, entry) in self._followed or connection not in names:
                continue
            self._followed.add((what, entry))
            for name, number in names[connection].take(path):
                if number in self._reached:
                    continue
                self._reached.add(number)
                one = self._stock[number]
                at = f"{connection}:{name}" if what == "kept" else connection
                found = _Reached(one, at, way.then(last_link(one, at, name, what)))
                self._waiting.append((one.short, self._keeping.issued_by(one), one.custodies, found.way))
                yield found


def last_link(one: Stock, at: str, name: str, what: str) -> str:
    """Return the link that ends at this credential."""
    if what == "kept":
        return f"{one.short} is kept in {at}" if one.own_place == name else f"{one.short} is delivered to {at}"
    if one.ref.connection:
        return f"{at} issued {one.short}"
    return f"{at} may have issued {one.short}, whose entry names no connection"
