"""Narrower than before: whether what credentials reach is a part of what others reached, and less than all of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rotator.flow.paths import Names, split
from rotator.flow.scope import Custody


@dataclass(frozen=True, slots=True)
class Reach:
    """What a credential reads and administers, as `CONNECTION:PATH`, and the datasets behind it."""

    reads: tuple[str, ...] = ()
    administers: tuple[str, ...] = ()
    datasets: tuple[str, ...] = ()


def reach_before(connection: str, of: Custody) -> Reach:
    """Return what a credential reaches; what nobody has said is the whole of its own connection, as everywhere."""
    return Reach((f"{connection}:*",) if of.reads is None else of.reads, of.administers, of.datasets)


def together(some: Iterable[Reach]) -> Reach:
    """Return what all of them reach, in one."""
    every = list(some)
    return Reach(
        tuple(sorted({name for each in every for name in each.reads})),
        tuple(sorted({name for each in every for name in each.administers})),
        tuple(sorted({name for each in every for name in each.datasets})),
    )


def wider(now: Sequence[Reach], before: Sequence[Reach]) -> tuple[list[str], bool]:
    """Return what is reached now and was not before, and whether all that was before is again.

    Who administers what it only read before reaches more. Where nothing was reached before, nothing can be less.
    """
    more, less = _beyond(now, before), _beyond(before, now)
    return more, bool(now) and any(each != Reach() for each in before) and not less


def _beyond(some: Sequence[Reach], others: Sequence[Reach]) -> list[str]:
    """Return what some reach that the others do not, in words, each once."""
    there = [entry for each in others for entry in each.administers]
    over = _outside([entry for each in some for entry in each.administers], there)
    there += [entry for each in others for entry in each.reads]
    read = _outside([entry for each in some for entry in each.reads], there)
    known = {name for each in others for name in each.datasets}
    data = dict.fromkeys(name for each in some for name in each.datasets if name not in known)
    return [*(f"administration of {each}" for each in over), *read, *(f"the dataset {each}" for each in data)]


def _outside(entries: Iterable[str], others: Iterable[str]) -> list[str]:
    """Return the entries that are not wholly a part of one other, each once.

    A `*` of an entry stands for any letters: only a `*` of the other can mean all of them.
    """
    every = list(dict.fromkeys(entries))
    named: dict[str, list[tuple[str, int]]] = {}
    left = [0] * len(every)
    for number, entry in enumerate(every):
        connection, path = split(entry)
        # A path without `*` means what is beneath it too, but for an address of AWS.
        whole = "*" in path or path.startswith("arn:")
        names = (path,) if whole else (path.rstrip("/"), f"{path.rstrip('/')}/*")
        named.setdefault(connection, []).extend((name, number) for name in names)
        left[number] = len(names)
    by = {connection: Names(some) for connection, some in named.items()}
    for other in dict.fromkeys(others):
        connection, path = split(other)
        for _, number in by[connection].take(path) if connection in by else ():
            left[number] -= 1
    return [entry for entry, some in zip(every, left, strict=True) if some]
