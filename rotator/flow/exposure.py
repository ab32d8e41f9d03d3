"""Exposures: one credential seen where it must not be, where and when; and how many of them are one credential."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from difflib import get_close_matches
from enum import StrEnum

from rotator.credential import Leaked, Secret

LIST = "list"
"""The source of what a person wrote down: its rule is the kind itself, not a pattern that happened to match."""
INVENTORY = "inventory"
"""The source of an exposure of which nobody can say the kind: no playbook takes it up, a person must look."""


class Certainty(StrEnum):
    """How sure it is that the credential was within reach."""

    SEEN = "seen"
    REACHABLE = "reachable"
    INFERRED = "inferred"


class Disposition(StrEnum):
    """What a person, or the issuer, has decided about an exposure."""

    OPEN = "open"
    FALSE_POSITIVE = "false_positive"
    CANARY = "canary"
    NOT_OURS = "not_ours"
    ALREADY_DEAD = "already_dead"


@dataclass(frozen=True, slots=True)
class Exposure:
    """One finding of one report, or what follows from others.

    `source` is the report's format, `rule` the name it gives to the kind. `scanner_says` is the scanner's own
    validation ("active", "inactive"), which is a hint and never proof. `via` explains, link by link, why a credential
    that nobody saw is included.
    """

    source: str
    rule: str
    leaked: Leaked
    path: str = ""
    line: int | None = None
    commit: str | None = None
    seen_at: datetime | None = None
    scanner_says: str | None = None
    certainty: Certainty = Certainty.SEEN
    via: tuple[str, ...] = ()

    @property
    def where(self) -> str:
        """Return `path:line`, as editors and people write it."""
        return f"{self.path}:{self.line}" if self.line is not None else self.path


@dataclass(frozen=True, slots=True)
class Suspect:
    """One leaked credential, not yet named by its issuer, with every place it was seen.

    `kind` is the playbook that answers it, None when no playbook recognises it. `key` tells suspects apart without
    holding material: the id, or a keyed fingerprint of the secret.
    """

    kind: str | None
    key: str
    leaked: Leaked
    exposures: tuple[Exposure, ...]


def misspelt(suspect: Suspect, kinds: Iterable[str]) -> str | None:
    """Return the kind that somebody meant who misspelt it in a list, None where none is near."""
    listed = sorted({each.rule for each in suspect.exposures if each.source == LIST})
    known = list(kinds) if suspect.kind is None and listed else []
    return next((close for rule in listed for close in get_close_matches(rule, known, n=1)), None)


def group(
    exposures: Iterable[Exposure],
    recognises: Mapping[tuple[str, str], str],
    fingerprint: Callable[[Secret], str],
) -> list[Suspect]:
    """Make one suspect of all exposures of one credential, in the order in which they were first seen.

    `recognises` maps (source, rule) to a playbook's name. An id makes a credential of its own: the same id is another
    one only where the reports name another account, connection or address. Material without an id belongs to the
    credential that has it with one; so does what a rule that no playbook recognises found of the same id or material.
    Where several secrets are told for one id, the pair that the scanner validated wins, then one that was found where
    no other secret was, then the first.
    """
    suspects = _Suspects()
    prints: dict[Secret, str] = {}
    seen: list[_Sighting] = []
    for order, exposure in enumerate(exposures):
        secret = exposure.leaked.secret
        if secret is not None and secret not in prints:
            prints[secret] = fingerprint(secret)
        kind = recognises.get((exposure.source, exposure.rule))
        seen.append(_Sighting(order, exposure, kind, _untold(exposure) if secret is None else prints[secret]))
    # The surest first, so that the vaguer find their credential wherever in the reports it stands.
    for sighting in sorted(seen, key=lambda each: each.vagueness):
        suspects.add(sighting)
    return suspects.in_order()


@dataclass(frozen=True, slots=True)
class _Sighting:
    order: int
    exposure: Exposure
    kind: str | None
    material: str

    @property
    def vagueness(self) -> int:
        """Rank: a kind and an id, an id that some rule stumbled on, a kind and material, material alone."""
        if self.exposure.leaked.id:
            return 0 if self.kind or self.exposure.source == LIST else 1
        return 2 if self.kind else 3


@dataclass(slots=True, eq=False)
class _Gathered:
    """A suspect under construction."""

    kind: str | None
    key: str
    sightings: list[_Sighting] = field(default_factory=list)
    says: dict[str, str] = field(default_factory=dict)

    def agrees_with(self, leaked: Leaked) -> bool:
        return all(self.says.get(name, value) == value for name, value in _issuer(leaked).items())


class _Suspects:
    """Suspects under construction, found by id and by material."""

    def __init__(self) -> None:
        self._all: list[_Gathered] = []
        self._by_id: dict[tuple[str | None, str], list[_Gathered]] = {}
        self._by_stray_id: dict[str, _Gathered] = {}
        self._by_material: dict[str, dict[_Gathered, None]] = {}

    def add(self, sighting: _Sighting) -> None:
        place = (self._named, self._strayed, self._nameless, self._nameless)[sighting.vagueness]
        suspect = place(sighting)
        suspect.sightings.append(sighting)
        suspect.says.update(_issuer(sighting.exposure.leaked))
        if sighting.material:
            self._by_material.setdefault(sighting.material, {})[suspect] = None

    def in_order(self) -> list[Suspect]:
        for each in self._all:
            each.sightings.sort(key=lambda sighting: sighting.order)
        self._all.sort(key=lambda each: each.sightings[0].order)
        return [
            Suspect(
                each.kind,
                each.key,
                replace(_fullest(each), key=each.key),
                tuple(sighting.exposure for sighting in each.sightings),
            )
            for each in self._all
        ]

    def _named(self, sighting: _Sighting) -> _Gathered:
        exposure, leaked = sighting.exposure, sighting.exposure.leaked
        name = leaked.id or ""
        # An unknown kind that a list names is a kind all the same: its "17" is not another's.
        same = self._by_id.setdefault((sighting.kind or f"?{exposure.rule}", name), [])
        suspect = next((each for each in same if each.agrees_with(leaked)), None)
        if suspect is None:
            suspect = self._new(sighting.kind, "@".join([name, *_issuer(leaked).values()]) if same else name)
            same.append(suspect)
            if sighting.kind:
                self._by_stray_id.setdefault(name, suspect)
        return suspect

    def _strayed(self, sighting: _Sighting) -> _Gathered:
        name = sighting.exposure.leaked.id or ""
        if name not in self._by_stray_id:
            self._by_stray_id[name] = self._new(None, name)
        return self._by_stray_id[name]

    def _nameless(self, sighting: _Sighting) -> _Gathered:
        for holder in self._by_material.get(sighting.material, {}):
            if sighting.kind is None or holder.kind == sighting.kind:
                return holder
        return self._new(sighting.kind, sighting.material)

    def _new(self, kind: str | None, key: str) -> _Gathered:
        suspect = _Gathered(kind, key)
        self._all.append(suspect)
        return suspect


def _untold(exposure: Exposure) -> str:
    """Stand in for the fingerprint where there is no material: the place, or nothing if the id tells it apart."""
    return "" if exposure.leaked.id else f"{exposure.source}:{exposure.rule}:{exposure.where}"


def _issuer(leaked: Leaked) -> dict[str, str]:
    said = {"connection": leaked.connection, "account": leaked.account, "address": leaked.address}
    return {name: value for name, value in said.items() if value}


def _fullest(suspect: _Gathered) -> Leaked:
    """Put together what is told of one credential; what the reports contradict each other about is left out."""
    found = [each.exposure for each in suspect.sightings if each.kind or suspect.kind is None]
    pairs = [each for each in found if each.leaked.secret is not None] or [
        each.exposure for each in suspect.sightings if each.exposure.leaked.secret is not None
    ]
    rivals: dict[tuple[str, str | None], set[Secret | None]] = {}
    for each in pairs:
        rivals.setdefault((each.path, each.commit), set()).add(each.leaked.secret)
    best = min(
        pairs or found,
        key=lambda each: (each.scanner_says != "active", len(rivals.get((each.path, each.commit), ())) > 1),
    )

    def told(name: str) -> str | None:
        values = {value for each in found if (value := getattr(each.leaked, name))}
        if len(values) > 1:
            return getattr(best.leaked, name) if best.scanner_says == "active" else None
        return next(iter(values), None)

    return Leaked(
        id=told("id"),
        secret=best.leaked.secret,
        owner=told("owner"),
        account=told("account"),
        address=told("address"),
        connection=told("connection"),
    )
