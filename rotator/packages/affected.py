"""What an advisory says of one package: which versions are bad."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from rotator.packages.action_refs import same, turns
from rotator.packages.names import ACTIONS, PYPI, Package
from rotator.packages.versions import Key, order, pep440

_SHOWN = 3
_BEGINNING = "0"
"""OSV's word for "from the first version on"."""
UNREAD = "UNREAD"
"""The type of a range that was told in words which nobody here can read: any version may lie within."""


@dataclass(frozen=True, slots=True)
class Range:
    """One range of an OSV record: its type, and (event, version) pairs: introduced, fixed, last_affected, limit."""

    type: str
    events: tuple[tuple[str, str], ...]

    def covers(self, version: str, ecosystem: str) -> bool | None:
        """Tell whether the version lies within; None where nobody here can order it. OSV schema, "Evaluation"."""
        if self.type == UNREAD:
            return None
        if set(self.events) == {("introduced", _BEGINNING)}:
            return True
        to_key = order(ecosystem, self.type)
        at = to_key(version) if to_key else None
        if to_key is None or at is None:
            return None
        if limits := [key for text in self._told("limit") if (key := to_key(text)) is not None]:
            unlimited = any(to_key(text) is None for text in self._told("limit"))
            if not unlimited and not any(at < limit for limit in limits):
                return False
        bad = _BEGINNING in self._told("introduced")
        keyed = [
            (key, event) for event, text in self.events if text != _BEGINNING and (key := to_key(text)) is not None
        ]
        if ecosystem == ACTIONS and any(turns(version, event, key) for key, event in keyed):
            return None
        for point, event in sorted(keyed, key=_by_point):
            if event == "introduced" and at >= point:
                bad = True
            elif (event == "fixed" and at >= point) or (event == "last_affected" and at > point):
                bad = False
        return bad

    def _told(self, wanted: str) -> list[str]:
        return [text for event, text in self.events if event == wanted]


def _by_point(event: tuple[Key, str]) -> Any:
    return event[0]


@dataclass(frozen=True, slots=True)
class Affected:
    """The bad versions of one package: those that are listed, and those within a range; or every one."""

    package: Package
    versions: tuple[str, ...] = ()
    ranges: tuple[Range, ...] = ()
    every: bool = False
    _keys: frozenset[Key] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_keys", frozenset(map(self._key, self.versions)))

    def covers(self, version: str) -> bool | None:
        """Tell whether this version is bad; None where its order is not known here, so that it may be."""
        if self.every:
            return True
        if self.package.ecosystem == ACTIONS:
            listed = [same(version, each) for each in self.versions]
        else:
            listed = [self._key(version) in self._keys]
        said = listed + [each.covers(version, self.package.ecosystem) for each in self.ranges]
        return True if True in said else None if None in said else False

    def admitted(self, requirement: str) -> tuple[str, ...] | None:
        """Return the known bad versions that a requirement admits, () where it admits none, None if nobody can tell.

        Of a range only its ends are known, and what stands right behind an end that the requirement names.
        """
        if self.every:
            return None
        if not requirement or requirement == "*":
            return self._ends() or None
        if self.package.ecosystem != PYPI:
            return None
        try:
            wanted = SpecifierSet(requirement)
        except InvalidSpecifier:
            return None
        bounds = [each.version.removesuffix(".*") for each in wanted]
        near = [each for bound in bounds for each in (bound, f"{bound}.0.1") if pep440(each) and self.covers(each)]
        first = [_BEGINNING] if self.covers(_BEGINNING) else []
        possible = [each for each in (*self._ends(), *near, *first) if pep440(each) is not None]
        return tuple(each for each in dict.fromkeys(possible) if wanted.contains(each, prereleases=True))

    def _ends(self) -> tuple[str, ...]:
        ends = (text for each in self.ranges for event, text in each.events if event in {"introduced", "last_affected"})
        told = (each for each in ends if each != _BEGINNING and self.covers(each))
        return tuple(dict.fromkeys((*self.versions, *told)))

    def _key(self, version: str) -> Key:
        to_key = order(self.package.ecosystem)
        key = to_key(version) if to_key else None
        return version if key is None else key

    def __str__(self) -> str:
        some = ", ".join(self.versions[:_SHOWN]) or "some versions"
        return f"{self.package} ({'every version' if self.every else some})"


def in_order(affected: Affected, versions: Iterable[str]) -> list[str]:
    """Return versions from the lowest to the highest, those that cannot be ordered first."""
    to_key = order(affected.package.ecosystem)
    told = list(versions)
    keyed = [(key, each) for each in told if to_key and (key := to_key(each)) is not None]
    ordered = [each for _, each in sorted(keyed, key=_by_point)]
    return [each for each in told if each not in ordered] + ordered
