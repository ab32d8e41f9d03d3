"""Vendors: who holds what of ours, what is known of them, and how each of it is to be trusted.

A vendor is registered by a person, in a file. What it holds follows from the inventory, which names the vendor of a
credential, and from the matches that the registry adds; what that reaches follows from the inventory too.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class Level(StrEnum):
    """How much of something there is, as people say it."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


@dataclass(frozen=True, slots=True)
class Said:
    """What a person judged of a vendor, and why: no machine can know it."""

    level: Level
    why: str


@dataclass(frozen=True, slots=True)
class Attestation:
    """A paper of somebody who looked: `digest` is the SHA-256 of the document, "" where nobody gave one.

    It is weak evidence: it tells how things were said to be, for its scope, until its last day.
    """

    kind: str
    issuer: str
    scope: str
    valid_from: date
    valid_to: date
    digest: str = ""

    def is_valid(self, day: date) -> bool:
        """Tell whether a day lies within its term, the first and the last included."""
        return self.valid_from <= day <= self.valid_to


@dataclass(frozen=True, slots=True)
class Software:
    """A package that a vendor is known to run, and where that was read: the name of an SBOM, or who says so."""

    ecosystem: str
    name: str
    version: str
    source: str


@dataclass(frozen=True, slots=True)
class Breach:
    """Something that happened at a vendor before."""

    on: date
    what: str
    source: str = ""


@dataclass(frozen=True, slots=True)
class Dataset:
    """What of ours can be reached: how sensitive it is, and the manifest that says what it held, if there is one."""

    name: str
    sensitivity: Level
    manifest: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class Vendor:
    """One vendor. `name` is what `vendor` in the inventory says.

    `holds` are matches, as an inventory entry has them, of what it holds beside the credentials whose entry names it;
    `accounts` are its own, which we trust: a grant's foreign account is compared with them. `sub_processors` are names
    of vendors, registered or not. `owner` is who here answers for it, `contacts` are theirs.
    """

    name: str
    title: str
    criticality: Level
    owner: str = ""
    contacts: tuple[str, ...] = ()
    holds: tuple[Mapping[str, str], ...] = ()
    accounts: tuple[str, ...] = ()
    systems: tuple[str, ...] = ()
    datasets: tuple[str, ...] = ()
    sub_processors: tuple[str, ...] = ()
    attestations: tuple[Attestation, ...] = ()
    software: tuple[Software, ...] = ()
    breaches: tuple[Breach, ...] = ()
    user_impact: Said | None = None
    cost_of_change: Said | None = None


def valid(vendor: Vendor, day: date, kinds: Collection[str]) -> bool:
    """Tell whether it has a valid attestation of each of these kinds; of any kind, where none is named."""
    held = {each.kind for each in vendor.attestations if each.is_valid(day)}
    return held.issuperset(kinds) if kinds else bool(held)


def compared(name: str) -> str:
    """Return a name as names of vendors are compared: in one case and form of letters, and any gap is a space."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def words_of(vendor: Vendor) -> frozenset[str]:
    """Return what a registered vendor is called, as it is compared: by its name and its title."""
    return frozenset({compared(vendor.name), compared(vendor.title)})


def served_by(vendors: Iterable[Vendor], names: Iterable[str]) -> dict[str, list[tuple[Vendor, tuple[str, ...]]]]:
    """Return for each name every vendor that it stands behind as a sub-processor, the nearest first.

    With each vendor are the names between: they begin with the sub-processor and end before the vendor.
    """
    called: dict[str, frozenset[str]] = {}
    serves: dict[str, dict[str, Vendor]] = {}
    for each in vendors:
        called[each.name] = words_of(each)
        for word in map(compared, each.sub_processors):
            serves.setdefault(word, {})[each.name] = each
    return {name: _served(called, serves, name) for name in names}


def _served(
    called: Mapping[str, frozenset[str]], serves: Mapping[str, Mapping[str, Vendor]], name: str
) -> list[tuple[Vendor, tuple[str, ...]]]:
    found: dict[str, tuple[Vendor, tuple[str, ...]]] = {}
    ways: list[tuple[str, ...]] = [(name,)]
    while ways:
        further: list[tuple[str, ...]] = []
        for way in ways:
            words = called.get(way[-1], frozenset()) | {compared(way[-1])}
            for each in [one for word in sorted(words) for one in serves.get(word, {}).values()]:
                if each.name not in found and each.name not in way:
                    found[each.name] = each, way
                    further.append((*way, each.name))
        ways = further
    return list(found.values())
