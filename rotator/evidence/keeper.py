"""Keepers of checkpoints outside of the ledger, so that no owner of ledger and key can rewrite both.

Each checkpoint is a file of its own, named by its number and its hash: to write it again changes nothing, and another
one of the same number lies beside it and shows. A keeper takes what is new, changes nothing, and gives back all it has.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Protocol

from rotator.evidence.checkpoint import Checkpoint
from rotator.evidence.pack import line_of, signed_in
from rotator.evidence.timestamp import Stamp

CHUNK = 1 << 20
_NAMED = re.compile(r"checkpoint-(\d{8,})-([0-9a-f]{64})\.json")


class Keeper(Protocol):
    """A folder or a bucket. Its methods raise the three errors; what is kept there is believed, who keeps it is not."""

    address: str

    def keep(self, name: str, content: BinaryIO) -> None:
        """Write a file and read it back; one that is there already must be the same.

        Raises Rejected("differs") where it is another, Rejected for what the keeper will not do, Unavailable or
        Uncertain for what may go another time.
        """
        ...

    def entries(self) -> Iterator[Entry]:
        """Yield every file, and each of its versions where a keeper keeps several."""
        ...

    def read(self, entry: Entry) -> bytes:
        """Return what stands in one."""
        ...


@dataclass(frozen=True, slots=True)
class Entry:
    """A file of a keeper; `version` where the keeper counts them. `at` is since when it is there, in epoch seconds."""

    name: str
    version: str = ""
    at: float = 0.0
    size: int = 0


@dataclass(frozen=True, slots=True)
class Named:
    """The checkpoint that a file's name tells of."""

    number: int
    hash: str


def name_of(each: Checkpoint) -> str:
    """Return the name under which a checkpoint is kept."""
    return f"checkpoint-{each.told['number']:08d}-{each.hash}.json"


def stamp_name(each: Stamp) -> str:
    """Return the name under which a checkpoint's time stamp is kept."""
    return f"timestamp-{each.number:08d}-{each.hash}.tsr"


def content_of(each: Checkpoint) -> bytes:
    """Return what is written: the line that stands in packs."""
    return line_of(each).encode()


def named(name: str) -> Named | None:
    """Return of which checkpoint a file is; None for any other file."""
    found = _NAMED.fullmatch(name)
    return None if found is None else Named(int(found[1]), found[2])


def checkpoint_in(content: bytes) -> Checkpoint | None:
    """Return the checkpoint that was written so; None for any other bytes."""
    return signed_in(content.removesuffix(b"\n")) if content.endswith(b"\n") else None


def chunks(content: BinaryIO) -> Iterator[bytes]:
    """Yield a file's bytes, a megabyte at a time."""
    while read := content.read(CHUNK):
        yield read
