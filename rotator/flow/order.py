"""The order of a plan: who goes first, who cannot stay alive until replaced, who shares a replacement, who goes later.

Each rule is a function of what is known before anything is done. What turns out otherwise holds a run back.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from rotator.credential import CredentialRef
from rotator.flow.access import Uses
from rotator.flow.risk import risk_of
from rotator.flow.scope import ConsumerAddress, Scoped
from rotator.ports.store import Place

FIRST_OF_ALL = 1e9
"""What the priority of the rotator's own credential is raised by, above every other."""
PRODUCTION = "production"


def priority(each: Scoped, calls: int, uses: Uses | None = None) -> float:
    """Return the risk over the calls until the credential is proven dead: by Smith's rule, the next one.

    Whoever goes by it lets the risk-weighted time to death fall fastest, for one account at a time. `uses` is what
    access logs tell of it.
    """
    found = round(risk_of(each, uses).score / max(calls, 1), 6)
    return found + FIRST_OF_ALL if each.lifeline else found


def passes(each: Scoped, deliver: Iterable[Place]) -> frozenset[str]:
    """Return the connections that its new secret passes: its issuer's, the one that is used, and its places'."""
    return frozenset({each.ref.connection, each.issuer, *(place.connection for place in deliver)})


@dataclass(frozen=True, slots=True)
class Shared:
    """One replacement of an owner: the run that makes it, and all the places and consumers that it is for."""

    first: CredentialRef
    deliver: tuple[Place, ...]
    consumers: tuple[ConsumerAddress, ...]


_Slot = tuple[str, str, str, Place]


def shared(minting: Iterable[Scoped]) -> dict[CredentialRef, Shared]:
    """Return the one replacement of each owner for all of its places that hang together.

    Two exposed keys of one owner that are kept in one place have one set of consumers there: a second replacement would
    be an orphan as soon as the other is delivered. The first of those given makes it.
    """
    found = list(minting)
    above: dict[_Slot, _Slot] = {}

    def top(slot: _Slot) -> _Slot:
        while above.setdefault(slot, slot) != slot:
            above[slot] = slot = above[above[slot]]
        return slot

    def slots(each: Scoped) -> list[_Slot]:
        return [(each.kind, each.issuer, each.ref.owner, place) for place in each.custody.deliver]

    for each in found:
        first, *others = slots(each)
        for other in others:
            above[top(other)] = top(first)
    groups: dict[_Slot, list[Scoped]] = {}
    for each in found:
        groups.setdefault(top(slots(each)[0]), []).append(each)
    answer: dict[CredentialRef, Shared] = {}
    for group in groups.values():
        places = dict.fromkeys(place for each in group for place in each.custody.deliver)
        told = dict.fromkeys(one for each in group for one in each.custody.consumers)
        one = Shared(group[0].ref, tuple(places), tuple(told))
        answer.update((each.ref, one) for each in group)
    return answer


@dataclass(frozen=True, slots=True)
class Left:
    """A credential that the plan of an approved incident left alive: `excluded` from it, else for a person to stop.

    `connection` is "" where the plan does not say whose it is. `known` is the part of `reaches` that somebody named.
    """

    incident: str
    kind: str
    connection: str
    key: str
    reaches: frozenset[str]
    excluded: bool
    known: frozenset[str] = frozenset()

    def is_of(self, kind: str, connection: str) -> bool:
        """Tell whether it may be one of this kind and connection; a connection that nobody told is any."""
        return self.kind == kind and (self.connection == connection or not (self.connection and connection))


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """What other approved incidents still have before them.

    Of their `replace_first` runs, by the names of connections: `passed`, where a new secret will pass; `read`, where a
    credential reads until it is replaced. `left` is what their plans left alive.
    """

    passed: frozenset[str] = frozenset()
    read: frozenset[str] = frozenset()
    left: tuple[Left, ...] = ()


def stopped_rather(
    replaced_first: Collection[Scoped], through: Mapping[CredentialRef, frozenset[str]], elsewhere: Elsewhere
) -> dict[CredentialRef, str]:
    """Return whom it would help a thief to replace first, and where: they are contained first.

    They are known to read or administer what a new secret passes, their own or another's that does not wait either.
    With them gone, what stays alive until it is replaced never waits for another in a ring. `through` tells what each
    new secret passes. One of whom nobody knows what it reads is not among them: see `warnings_of`.
    """
    passed = elsewhere.passed.union(*(through[each.ref] for each in replaced_first))
    found = {}
    for each in replaced_first:
        reads = each.reaches & passed if each.custody.reads is not None else frozenset()
        at = sorted(reads | (through[each.ref] & elsewhere.read))
        if at:
            found[each.ref] = ", ".join(at)
    return found


def warnings_of(replaced_first: Iterable[Scoped], through: Mapping[CredentialRef, frozenset[str]]) -> list[str]:
    """Say where new secrets will pass while credentials still live of which nobody knows what they read."""
    found = list(replaced_first)
    passed = frozenset[str]().union(*(through[each.ref] for each in found))
    readers: dict[str, list[str]] = {}
    for each in found:
        for at in each.reaches & passed:
            readers.setdefault(at, []).append(each.ref.id)
    return [
        f"under replace_first new secrets pass {at} while {names(ids)} live and may read there: "
        "say in `reads` what they reach, or contain first"
        for at, ids in sorted(readers.items())
    ]


def waves(groups: Sequence[Sequence[CredentialRef]]) -> dict[CredentialRef, int]:
    """Return the wave of each credential: the first 1 %, then 10 %, then all, at least one each.

    The groups come the most urgent first; a group, whose members share a replacement, goes together.
    """
    count = sum(map(len, groups))
    first = -(-count // 100)
    ends = (first, max(-(-count // 10), first + 1), count)
    found: dict[CredentialRef, int] = {}
    wave = 1
    for group in groups:
        if len(found) >= ends[wave - 1] and wave < len(ends):
            wave += 1
        found.update((ref, wave) for ref in group)
    return found


def names(ids: Sequence[str], most: int = 3) -> str:
    """Return the first few ids, and how many more there are."""
    more = f" and {len(ids) - most:,} more" if len(ids) > most else ""
    return ", ".join(sorted(ids)[:most]) + more
