"""The inventory: one entry for each match, who said what of it, and which credentials nobody has said anything of."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from rotator.credential import CredentialRef
from rotator.flow.scope import Custody
from rotator.ports.listing import Discovered

NAMES = ("provider", "connection", "owner", "id")
"""What a match may compare, in the order in which people write it."""
CONFIGURATION = "rotator.toml"
REGISTRY = "the registry of vendors"
_NEXT = re.compile(rf",(?=(?:{'|'.join(NAMES)})=)")

Key = tuple[str, ...]


def key(match: Mapping[str, str]) -> Key:
    """Return what tells entries apart: the value of each name, "" where the match does not compare it."""
    return tuple(match.get(name, "") for name in NAMES)


def named(match: Mapping[str, str]) -> str:
    """Return a match as people write it: `provider=aws_iam_access_key,owner=ci`."""
    return ",".join(f"{name}={match[name]}" for name in NAMES if name in match)


def is_meant(text: str, match: Mapping[str, str]) -> bool:
    """Tell whether a person meant this match: by all of it, or by one word that is its owner, its id or another."""
    if "=" in text:
        said = dict(part.partition("=")[::2] for part in _NEXT.split(text))
        if said.keys() <= set(NAMES):
            return said == dict(match)
    return text in match.values()


@dataclass(frozen=True, slots=True)
class Entry:
    """What people said of the credentials that a match fits. `origin` is where: a file, or the configuration."""

    custody: Custody
    origin: str


@dataclass(frozen=True, slots=True)
class Said:
    """One row of a file: its match, the keys that it has, and where it stands. A key that is None is taken back."""

    match: Mapping[str, str]
    keys: Mapping[str, Any]
    where: str


class Act(StrEnum):
    """What an import does to an entry."""

    ADDED = "added"
    CHANGED = "changed"
    SAME = "same"


@dataclass(frozen=True, slots=True)
class Change:
    """What an import does to one entry. `before` is None where there was none."""

    act: Act
    match: Mapping[str, str]
    before: Mapping[str, Any] | None
    after: Mapping[str, Any]
    where: str

    @property
    def keys(self) -> tuple[str, ...]:
        """Return which keys are other than before."""
        before = self.before or {}
        either = [*self.after, *(name for name in before if name not in self.after)]
        return tuple(name for name in either if self.after.get(name) != before.get(name))


def changes(there: Mapping[Key, Mapping[str, Any]], said: Iterable[Said]) -> list[Change]:
    """Return what becomes of each entry that the rows speak of, one change for each match, in their order.

    A row's keys replace those of the entry, and the others stay: files know different things of one credential.
    """
    found: dict[Key, Change] = {}
    for row in said:
        at = key(row.match)
        earlier = found.get(at)
        before = earlier.before if earlier else there.get(at)
        stands = earlier.after if earlier else before or {}
        after = {name: value for name, value in {**stands, **row.keys}.items() if value is not None}
        act = Act.ADDED if before is None else Act.SAME if after == before else Act.CHANGED
        where = earlier.where if earlier and after == stands else row.where
        found[at] = Change(act, dict(row.match), before, after, where)
    return list(found.values())


class Fitting:
    """Credentials found by what a match compares: thousands of entries among thousands of credentials."""

    def __init__(self, refs: Iterable[CredentialRef]) -> None:
        self._refs = list(refs)
        self._by: dict[tuple[str, ...], dict[tuple[str, ...], list[CredentialRef]]] = {}

    def of(self, match: Mapping[str, str]) -> list[CredentialRef]:
        """Return the credentials that a match fits; an empty one speaks of none in particular."""
        names = tuple(name for name in NAMES if name in match)
        if not names:
            return []
        if names not in self._by:
            by = self._by[names] = {}
            for ref in self._refs:
                by.setdefault(tuple(getattr(ref, name) for name in names), []).append(ref)
        return self._by[names].get(tuple(match[name] for name in names), [])


@dataclass(frozen=True, slots=True)
class Coverage:
    """How far the inventory speaks of what issuers list.

    `broadly` counts those of which only an entry for a whole kind or connection speaks. `gone` are the entries that
    fit nothing of what was listed, though all of the kinds and connections that they could mean were.
    """

    listed: int
    uncovered: tuple[Discovered, ...]
    broadly: int
    gone: tuple[Entry, ...]


def coverage(
    listed: Sequence[Discovered], entries: Iterable[Entry], asked: Mapping[tuple[str, str], bool], everywhere: bool
) -> Coverage:
    """Compare what issuers list with what people said.

    `asked` tells of each (kind, connection) whether it could be listed; `everywhere`, whether these are all there are.
    """
    fitting = Fitting(each.ref for each in listed)
    closely: set[CredentialRef] = set()
    at_all: set[CredentialRef] = set()
    gone: list[Entry] = []
    for entry in entries:
        match = entry.custody.match
        found = fitting.of(match)
        at_all.update(found)
        if "owner" in match or "id" in match:
            closely.update(found)
        if match and not found and _could_be_told(match, asked, everywhere):
            gone.append(entry)
    uncovered = tuple(each for each in listed if each.ref not in at_all)
    return Coverage(len(listed), uncovered, len(at_all - closely), tuple(gone))


def _could_be_told(match: Mapping[str, str], asked: Mapping[tuple[str, str], bool], everywhere: bool) -> bool:
    """Tell whether all that a match can mean was listed; else what is not seen may exist all the same."""
    if "connection" not in match and not everywhere:
        return False
    meant = [
        was_listed
        for (kind, connection), was_listed in asked.items()
        if match.get("provider", kind) == kind and match.get("connection", connection) == connection
    ]
    return bool(meant) and all(meant)


def disused(facts: Mapping[str, str]) -> str:
    """Return since when it is unused, as its issuer tells it: "" where it does not."""
    used = facts.get("last_used_at", "")
    if used == "never":
        made = facts.get("created_at", "")
        return f"no use told since it was made, {made}" if made else "no use told"
    return f"unused since {used}" if used else ""
