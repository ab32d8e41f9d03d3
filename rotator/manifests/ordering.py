"""Put entries in the order of their paths, however many there are: on disk, where they are too many to hold."""

from __future__ import annotations

import contextlib
import heapq
import tempfile
from collections.abc import Iterable, Iterator
from operator import attrgetter
from pathlib import Path

from rotator.errors import BadInput
from rotator.manifests.entry import Entry, decoded, entry_of

AT_ONCE = 100_000
"""How many are held."""
_path = attrgetter("path")


@contextlib.contextmanager
def in_order(found: Iterable[Entry], at_once: int = AT_ONCE) -> Iterator[Iterator[Entry]]:
    """Give the entries by their paths, once all of them are there.

    Raises BadInput for a path that comes twice, or where the disk has no room for them.
    """
    with tempfile.TemporaryDirectory(prefix="rotator-manifest-") as folder, contextlib.ExitStack() as opened:
        kept: list[Path] = []
        held: list[Entry] = []
        for each in found:
            held.append(each)
            if len(held) >= at_once:
                kept.append(_keep(Path(folder, str(len(kept))), held))
                held = []
        held.sort(key=_path)
        runs = [_lines(opened, each) for each in kept]
        yield _once(heapq.merge(*runs, held, key=_path))


def _keep(file: Path, held: list[Entry]) -> Path:
    held.sort(key=_path)
    try:
        with file.open("w", encoding="utf-8", newline="\n") as to:
            to.writelines(each.line for each in held)
    except OSError as error:
        mend = "make room there, or name another folder in TMPDIR"
        raise BadInput(
            f"there is no room to put the paths in order ({error.strerror})", str(file.parent), mend
        ) from None
    return file


def _lines(opened: contextlib.ExitStack, file: Path) -> Iterator[Entry]:
    lines = opened.enter_context(file.open(encoding="utf-8", newline="\n"))
    return (entry_of(line.removesuffix("\n")) for line in lines)


def _once(found: Iterable[Entry]) -> Iterator[Entry]:
    before = None
    for each in found:
        if each.path == before:
            name = decoded(each.path).decode("utf-8", "replace")
            raise BadInput("this path stands there twice", name, "a manifest tells of each once")
        before = each.path
        yield each
