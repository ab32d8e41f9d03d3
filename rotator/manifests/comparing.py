"""Compare what is there with what was recorded, both in the order of their paths: what differs, in one pass."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from rotator.credential import REDACTED
from rotator.manifests.entry import NOT_READ, Entry, Kind

NAMED = 20
"""How many of each sort are told by name."""


class Difference(StrEnum):
    """How something differs from what was recorded."""

    ALTERED = "altered"
    MISSING = "missing"
    NEW = "new"
    UNREAD = "unread"


@dataclass(slots=True)
class Compared:
    """What differs: how many of each sort, and the first by name. What could not be read, then or now, is not known."""

    same: int = 0
    counts: Counter[Difference] = field(default_factory=Counter)
    named: dict[Difference, list[str]] = field(default_factory=dict)

    @property
    def is_as_recorded(self) -> bool:
        """Tell whether all of it was seen to be the same."""
        return not self.counts.total()

    def add(self, path: str, difference: Difference | None) -> None:
        """Count one."""
        if difference is None:
            self.same += 1
            return
        self.counts[difference] += 1
        if self.counts[difference] <= NAMED:
            from rotator.intake.shapes import holds_material  # noqa: PLC0415 - who only reads a report waits for none

            # Whoever reads a report or a page sees it, and a reading that is given may be called anything.
            self.named.setdefault(difference, []).append(REDACTED if holds_material(path) else path)


def compare(recorded: Iterable[Entry], there: Iterable[Entry]) -> Compared:
    """Return how two lists differ, each path of which comes once, in their order."""
    found = Compared()
    unlisted = _Folders()
    for before, now in _side_by_side(recorded, there):
        for each in (before, now):
            if each is not None:
                unlisted.look(each)
        path = (before or now).path  # type: ignore[union-attr] # one of the two is there
        found.add(path, _difference(before, now, is_below_unlisted=unlisted.hold(path)))
    return found


def _side_by_side(recorded: Iterable[Entry], there: Iterable[Entry]) -> Iterator[tuple[Entry | None, Entry | None]]:
    left, right = iter(recorded), iter(there)
    before, now = next(left, None), next(right, None)
    while before is not None or now is not None:
        if now is None or (before is not None and before.path < now.path):
            yield before, None
            before = next(left, None)
        elif before is None or now.path < before.path:
            yield None, now
            now = next(right, None)
        else:
            yield before, now
            before, now = next(left, None), next(right, None)


class _Folders:
    """The folder, if any, that could not be listed on one of the sides, and in which the paths just now are."""

    def __init__(self) -> None:
        self._folder: str | None = None

    def look(self, entry: Entry) -> None:
        if entry.kind is Kind.UNLISTED and not self.hold(entry.path):
            self._folder = entry.path

    def hold(self, path: str) -> bool:
        return self._folder is not None and path.startswith(self._folder)


def _difference(before: Entry | None, now: Entry | None, *, is_below_unlisted: bool) -> Difference | None:
    if any(each is not None and each.kind in NOT_READ for each in (before, now)):
        return Difference.UNREAD
    if before is None or now is None:
        if is_below_unlisted:
            return Difference.UNREAD
        return Difference.NEW if before is None else Difference.MISSING
    sizes = {before.size, now.size} - {None}
    is_same = (before.kind, before.value) == (now.kind, now.value) and len(sizes) <= 1
    return None if is_same else Difference.ALTERED
