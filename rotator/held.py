"""What a vendor holds of ours, and what that reaches: both follow from the inventory, and from the registry.

Nothing is asked of issuers; what they listed and was kept is known.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from rotator.bootstrap import Rotator
from rotator.credential import CredentialRef, Leaked
from rotator.estate import estate
from rotator.flow.attack_graph import AttackGraph, Node
from rotator.flow.blast import follow
from rotator.flow.exposure import INVENTORY, Certainty, Exposure
from rotator.flow.inventory import REGISTRY
from rotator.flow.listed_as import BY_NAME, speaks_of
from rotator.flow.proof import Evidence
from rotator.flow.scope import Custody, Scoped, Unresolved
from rotator.flow.stock import spoken_of_as
from rotator.flow.vendor import Dataset, Level, Vendor
from rotator.ledger.ended import deaths
from rotator.ledger.other_runs import Death
from rotator.ledger.vendor_uses import used_since

_REGISTERED = (REGISTRY, REGISTRY + BY_NAME)


@dataclass(frozen=True, slots=True)
class Held:
    """A credential or grant that a vendor holds, what is known of it, and who says so: `how`.

    Its `ref` is blank in what nobody has said: without an id nobody knows which it is, and a person has to say. What is
    proven dead reaches nothing; of a `death` that is only stated nobody saw a refusal. A log may show it in use since:
    then it is none.
    """

    ref: CredentialRef
    custody: Custody
    how: str
    kind: str
    death: Death | None = None

    @property
    def is_dead(self) -> bool:
        """Tell whether it is proven dead."""
        return self.death is not None and self.death.evidence is Evidence.PROVEN


@dataclass(frozen=True, slots=True)
class ReachedDataset:
    """A dataset that can be reached, and by which way. `sensitivity` is None where nobody described it."""

    name: str
    sensitivity: Level | None
    manifest: str
    via: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Further:
    """A credential that another one leads to, and by which way, link by link."""

    ref: CredentialRef
    custody: Custody
    via: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reached:
    """What can be reached with what is held: datasets, the worst first, and further credentials, the nearest first.

    `warnings` are of what may be reached and is not here, since nobody knows what something reads.
    """

    datasets: tuple[ReachedDataset, ...] = ()
    credentials: tuple[Further, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def worst(self) -> Level | None:
        """Return the highest sensitivity that anybody described; None where none is."""
        return next((each.sensitivity for each in self.datasets), None)


def held_by(parts: Rotator, vendor: Vendor) -> list[Held]:
    """Return every credential and grant that the inventory, or the registry, says a vendor holds, by name."""
    return held_by_each(parts, [vendor])[vendor.name]


def held_by_each(parts: Rotator, vendors: Iterable[Vendor]) -> dict[str, list[Held]]:
    """Return the same for each of these vendors: what there is is gone through once."""
    every, there = list(vendors), estate(parts)
    entries, fitting = there.entries, there.fitting
    found: dict[str, dict[CredentialRef, Held]] = {each.name: {} for each in every}
    for entry in entries:
        of = found.get(entry.custody.vendor)
        for ref in fitting.of(entry.custody.match) if of is not None else ():
            custody = parts.custodies.of(ref)
            # The closer entry may name another vendor; what the registry says is held all the same.
            is_said = speaks_of(entry) and entry.origin in _REGISTERED
            if of is not None and (is_said or custody.vendor == entry.custody.vendor):
                of.setdefault(ref, Held(ref, custody, f"inventory: {entry.origin}", ref.provider))
    for vendor in every:
        of = found[vendor.name]
        for ref in (ref for match in vendor.holds for ref in fitting.of(match)):
            of.setdefault(ref, Held(ref, parts.custodies.of(ref), f"registry: {vendor.name}", ref.provider))
    dead = _deaths(parts, {ref for of in found.values() for ref in of})
    return {name: [_as_it_is(each, dead) for each in _told_once(of)] for name, of in found.items()}


def _deaths(parts: Rotator, refs: Iterable[CredentialRef]) -> dict[CredentialRef, Death]:
    """Return the death of each that is dead; what a log shows in use since is not, whatever was proven."""
    found = deaths(parts.database, refs, accounts(parts))
    alive = used_since(parts.database, {ref: each.at for ref, each in found.items()}) if found else ()
    return {ref: each for ref, each in found.items() if ref not in alive}


def accounts(parts: Rotator) -> Callable[[str], str]:
    """Return what names the account of a connection; one that is not configured any more stands for itself."""
    known = {each.name for each in parts.settings.connections}
    return functools.cache(lambda name: parts.account_of(name) if name in known else name)


def _as_it_is(held: Held, dead: Mapping[CredentialRef, Death]) -> Held:
    return replace(held, death=dead[held.ref]) if held.ref in dead else held


def _told_once(of: Mapping[CredentialRef, Held]) -> list[Held]:
    """Return them by name, without what is one of them and only says less of its name."""
    names = sorted(of)
    if all(map(_is_whole, names)):  # as issuers list them: to look what else each may be called costs more than all
        return [of[ref] for ref in names]
    said = {each for ref in of for each in spoken_of_as(ref) if each != ref}
    return [of[ref] for ref in names if ref not in said]


def _is_whole(ref: CredentialRef) -> bool:
    return bool(ref.provider and ref.connection and ref.owner and ref.id)


def reached(parts: Rotator, held: Iterable[Held], datasets: Iterable[str] = ()) -> Reached:
    """Return what can be reached with what is held and lives; `datasets` are reached whatever is held."""
    every, there = [each for each in held if not each.is_dead], estate(parts)
    named = [_scoped(each) for each in every if each.ref.id]
    unnamed = [_unresolved(each) for each in every if not each.ref.id]
    blast = follow(named, there.ground, unnamed)
    further = []
    for each in blast.exposures:
        leaked = each.leaked
        ref = CredentialRef(each.rule, leaked.connection or "", leaked.owner or "", leaked.id or "")
        further.append(Further(ref, parts.custodies.of(ref), each.via))
    dead = _proven_dead(parts, (each.ref for each in further))
    further = [each for each in further if each.ref not in dead]
    ways: dict[str, tuple[str, ...]] = dict.fromkeys(datasets, ("the registry names it",))
    for one in every:
        ways |= {name: _way(one) for name in one.custody.datasets if name not in ways}
    for far in further:
        ways |= {name: far.via for name in far.custody.datasets if name not in ways}
    return Reached(tuple(_described(parts.vendors.datasets(), ways)), tuple(further), blast.warnings)


def _proven_dead(parts: Rotator, refs: Iterable[CredentialRef]) -> set[CredentialRef]:
    found = _deaths(parts, refs)
    return {ref for ref, death in found.items() if death.evidence is Evidence.PROVEN}


def reached_by_each(
    parts: Rotator, held: Mapping[str, Sequence[Held]], vendors: Iterable[Vendor]
) -> dict[str, Reached]:
    """Return what each vendor reaches, without the ways: all of them are followed on one graph."""
    there, described = estate(parts), parts.vendors.datasets()
    graph, numbers = there.graph, there.numbers
    dead = {numbers[ref] for ref in _proven_dead(parts, numbers)}
    known: dict[int, Further] = {}  # most vendors reach the same: each is looked up once
    found = {}
    for vendor in vendors:
        living = [each for each in held[vendor.name] if not each.is_dead]
        begins = {numbers[each.ref] for each in living if each.ref in numbers}
        seen = _followed(graph, begins, dead)
        opened = (graph.labels[each] for each in seen if graph.sorts[each] is Node.DATASET)
        further = sorted(each for each in seen - begins - dead if graph.sorts[each] is Node.CREDENTIAL)
        for number in further:
            if number not in known:
                ref = graph.stock[number].ref
                known[number] = Further(ref, parts.custodies.of(ref), ())
        names = (*vendor.datasets, *(name for each in living for name in each.custody.datasets), *opened)
        datasets = tuple(_described(described, dict.fromkeys(names, ())))
        found[vendor.name] = Reached(datasets, tuple(known[each] for each in further))
    return found


def _followed(graph: AttackGraph, begins: Iterable[int], dead: Collection[int]) -> set[int]:
    """Return the numbers of all that follows, and of where it begins; the `dead` lead nowhere."""
    waiting = list(begins)
    seen = set(waiting)
    while waiting:
        new = [each for each in graph.after[waiting.pop()] if each not in seen and each not in dead]
        seen.update(new)
        waiting += new
    return seen


def _described(known: Mapping[str, Dataset], ways: Mapping[str, tuple[str, ...]]) -> list[ReachedDataset]:
    levels = list(Level)
    found = [
        ReachedDataset(name, known[name].sensitivity, known[name].manifest, via)
        if name in known
        else ReachedDataset(name, None, "", via)
        for name, via in ways.items()
    ]
    return sorted(found, key=lambda each: (-levels.index(each.sensitivity) if each.sensitivity else 1, each.name))


def _way(held: Held) -> tuple[str, ...]:
    return (f"it holds {held.kind or 'a credential'} {held.ref.owner or held.ref.id}".rstrip(),)


def _exposures(held: Held) -> tuple[Exposure, ...]:
    ref = held.ref
    leaked = Leaked(id=ref.id or None, owner=ref.owner or None, connection=ref.connection or None)
    return (Exposure(INVENTORY, held.kind, leaked, held.how, certainty=Certainty.REACHABLE, via=_way(held)),)


def _scoped(held: Held) -> Scoped:
    exposures = _exposures(held)
    return Scoped(held.ref, held.kind, exposures[0].leaked, exposures, held.custody, held.how)


def _unresolved(held: Held) -> Unresolved:
    return Unresolved(held.kind or None, str(held.ref), _exposures(held), held.how, "")


def is_grant(parts: Rotator, kind: str) -> bool:
    """Tell whether a kind is trust that we gave: it has no secret."""
    return parts.outside.is_grant(kind)
