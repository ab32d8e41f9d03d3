"""What entries say of numbered grants, under the ids by which these are listed: each is then one, whoever names it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from rotator.credential import CredentialRef
from rotator.flow.inventory import Entry
from rotator.flow.numbered import KINDS, compared, name_of, number_of

BY_NAME = ", by its name alone"
"""What is added to where an entry stands that tells no number."""

_Key = tuple[str, str]


def speaks_of(entry: Entry) -> bool:
    """Tell whether an entry names one numbered grant."""
    return entry.custody.match.get("provider") in KINDS and "id" in entry.custody.match


def as_listed(
    entries: Iterable[Entry], listed: Iterable[CredentialRef], answered: Iterable[CredentialRef]
) -> list[Entry]:
    """Return the entries, those of numbered grants by the names of what they may mean; as they are where none is told.

    `listed` say what a number is called now; of what is listed no more those do that were `answered`. Those by a name
    alone come last: a number is believed before them.
    """
    every = list(entries)
    known = _Known(listed, answered, _said(every))
    found = [one for each in every for one in (known.read(each) if speaks_of(each) else (each,))]
    return sorted(found, key=lambda each: each.origin.endswith(BY_NAME))


class _Known:
    """What is told by each number, the numbers that each name has had, and how one without any is spelt."""

    def __init__(
        self, listed: Iterable[CredentialRef], answered: Iterable[CredentialRef], said: Iterable[CredentialRef]
    ) -> None:
        self._told: dict[_Key, list[tuple[CredentialRef, tuple[str, ...]]]] = {}
        self._numbers: dict[_Key, dict[_Key, None]] = {}
        self._spelt: dict[_Key, str] = {}
        # What is listed is found by its id; of what is listed no more, who looks has to be told the whole name.
        self._take(listed, ("id",))
        self._take(answered, ("connection", "owner", "id"))
        self._take(said, ("id",))

    def _take(self, refs: Iterable[CredentialRef], names: tuple[str, ...]) -> None:
        new: dict[_Key, list[tuple[CredentialRef, tuple[str, ...]]]] = {}
        for ref in refs:
            if (number := number_of(ref.provider, ref.id)) is not None:
                name = name_of(ref.provider, ref.id).lower()
                self._numbers.setdefault((ref.provider, name), {})[ref.provider, number] = None
                new.setdefault((ref.provider, number), []).append((ref, names))
        self._told = new | self._told

    def read(self, entry: Entry) -> Iterator[Entry]:
        match = entry.custody.match
        key = match["provider"], compared(match["provider"], match["id"])
        is_numbered = number_of(match["provider"], match["id"]) is not None
        meant = (key,) if is_numbered else self._numbers.get(key, ())
        told = (one for each in meant for one in self._told[each] if _may_be(one[0], match))
        said = {tuple((name, getattr(ref, name)) for name in names): None for ref, names in told}
        origin = entry.origin if is_numbered else entry.origin + BY_NAME
        for each in said or [(("id", self._spelt.setdefault(key, match["id"])),)]:
            yield Entry(replace(entry.custody, match={**match, **dict(each)}), origin)


def _said(entries: Iterable[Entry]) -> Iterator[CredentialRef]:
    for each in filter(speaks_of, entries):
        match = each.custody.match
        yield CredentialRef(match["provider"], match.get("connection", ""), match.get("owner", ""), match["id"])


def _may_be(ref: CredentialRef, match: Mapping[str, str]) -> bool:
    """Tell whether what a match compares beside the id is the same, as far as it is told."""
    return all(getattr(ref, name) in ("", match[name]) for name in ("connection", "owner") if name in match)
