r"""What a manifest says of one place of a dataset, and the canonical lines it is written as.

A line is `PATH\tKIND\tSIZE\tVALUE\n`; the lines stand in the order of their paths, under one line that names the form.
Whatever could end a line or a column, and each byte that is no UTF-8, is percent-encoded, `%` itself too: every name
that a file system allows can be told, and read back. The SHA-256 of the whole is the manifest's digest.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import unquote_to_bytes

FORMAT = "rotator manifest 1"
_ESCAPED = re.compile("[\x00-\x1f%\x7f-\x9f\u2028\u2029\ud800-\udfff]")


class Kind(StrEnum):
    """What is at a path."""

    FILE = "file"
    LINK = "link"
    OTHER = "other"
    UNREAD = "unread"
    UNLISTED = "unlisted"


NOT_READ = frozenset({Kind.UNREAD, Kind.UNLISTED})
"""Of what nothing is known, and of what is in it."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One path, relative to its dataset and encoded. `size` is in bytes, None where a list does not tell it.

    `value` is a file's SHA-256 in hexadecimal, a link's target, which sort of thing is no file, or why nothing could be
    read. A folder that could not be listed whole speaks of all whose paths begin with its own, which ends with `/`; the
    dataset's own is "".
    """

    path: str
    kind: Kind
    size: int | None
    value: str

    @property
    def line(self) -> str:
        """Return it as it is written."""
        size = "" if self.size is None else self.size
        return f"{self.path}\t{self.kind}\t{size}\t{self.value}\n"


@dataclass(slots=True)
class Counts:
    """How much a manifest tells of. `size` is of its files, in bytes, as far as it is known."""

    files: int = 0
    links: int = 0
    others: int = 0
    unread: int = 0
    size: int = 0

    def add(self, entry: Entry) -> None:
        """Count one."""
        match entry.kind:
            case Kind.FILE:
                self.files, self.size = self.files + 1, self.size + (entry.size or 0)
            case Kind.LINK:
                self.links += 1
            case Kind.OTHER:
                self.others += 1
            case Kind.UNREAD | Kind.UNLISTED:
                self.unread += 1

    @property
    def entries(self) -> int:
        """Return how many there are."""
        return self.files + self.links + self.others + self.unread


class Written:
    """A manifest as it is written or read: what has gone through it is counted, and digested."""

    def __init__(self) -> None:
        self.counts = Counts()
        self._digest = hashlib.sha256(f"{FORMAT}\n".encode())

    @property
    def digest(self) -> str:
        """Return the SHA-256 of all that went through, in hexadecimal."""
        return self._digest.hexdigest()

    def through(self, found: Iterable[Entry]) -> Iterator[Entry]:
        """Let entries through, which come in the order of their paths."""
        for each in found:
            self.counts.add(each)
            self._digest.update(each.line.encode())
            yield each


def encoded(name: bytes) -> str:
    """Return a name of any bytes as text that no line or column ends in."""
    text = name.decode("utf-8", "surrogateescape")
    return _ESCAPED.sub(lambda found: _hexadecimal(found[0]), text)


def decoded(path: str) -> bytes:
    """Return the name that was encoded."""
    return unquote_to_bytes(path)


def entry_of(line: str) -> Entry:
    """Read a line back, without its end. Raises ValueError for what is none."""
    path, kind, size, value = line.split("\t")
    return Entry(path, Kind(kind), int(size) if size else None, value)


def _hexadecimal(letter: str) -> str:
    return "".join(f"%{byte:02X}" for byte in letter.encode("utf-8", "surrogateescape"))
