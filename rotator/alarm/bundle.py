"""A zip or tar of what an alarm is made of, as a program sends it: read where it lies, within bounds, believed nowhere.

    reports/…    evidence/host/NAME/…    access/…    advisories/…

Nothing is ever written under a name of the archive: a zip is read from memory, and what a tar was compressed from goes
to a file without a name, which ends with the process. A size that a header states is not believed; what comes counts.
"""

from __future__ import annotations

import gzip
import io
import stat
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from functools import partial
from pathlib import PurePosixPath
from typing import IO, BinaryIO, Self, TypeVar, cast

from rotator.errors import BadInput
from rotator.intake.shapes import holds_material

MOST_FILES = 10_000
MOST_BYTES = 512 << 20
"""Unpacked, all files together, each as often as it is read."""
TIMES_AS_LONG = 200
"""As its archive: logs are packed to a thirtieth, and nothing that tells anything to less than this."""
FREE_BYTES = 16 << 20
"""Of which nobody asks how well they were packed."""
DEEPEST, LONGEST = 32, 1024
FOLDERS = ("reports", "evidence", "access", "advisories")
_LAYOUT = f"its folders are {', '.join(FOLDERS)}"
_ZIP, _GZIP = (b"PK\x03\x04", b"PK\x05\x06"), b"\x1f\x8b"
_ENTRY = b"PK\x01\x02"
_OTHERS = (b"BZh", b"\xfd7zXZ", b"7z\xbc\xaf", b"Rar!", b"\x28\xb5\x2f\xfd")
_USTAR = slice(257, 262)
_PACKED = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
_CHUNK = 1 << 16
_SAYS_MORE = {tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE, *tarfile.GNU_TYPES} - {tarfile.GNUTYPE_SPARSE}
_BROKEN = (zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError, NotImplementedError, OSError, ValueError)
Held = TypeVar("Held")


def is_one(body: bytes) -> bool:
    """Tell whether these bytes are an archive, and no report. Raises BadInput for one of a form that is not read."""
    if body.startswith(_OTHERS):
        raise BadInput("an archive of a form that is not read", "the body", "send a zip, a tar, or a tar.gz")
    return body.startswith((*_ZIP, _GZIP)) or body[_USTAR] == b"ustar"


class _Budget:
    """How much may still come out of an archive."""

    def __init__(self, left: int) -> None:
        self._left = left

    def spend(self, length: int) -> None:
        self._left -= length
        self.check()

    def check(self) -> None:
        if self._left < 0:
            raise BadInput("it is too much, unpacked", "the archive", f"send less: {MOST_BYTES >> 20} MiB at most")


class _Counted(io.RawIOBase):
    """A file of an archive, each byte of which is counted as it comes."""

    def __init__(self, name: str, stream: IO[bytes], budget: _Budget) -> None:
        self._name, self._stream, self._budget = name, stream, budget

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self._stream.seek(offset, whence)

    def tell(self) -> int:
        return self._stream.tell()

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        try:
            found = self._stream.read(len(buffer))
        except _BROKEN:
            raise _bad("it is damaged", self._name) from None
        self._budget.spend(len(found))
        buffer[: len(found)] = found
        return len(found)


class Bundle:
    """An archive that is open. To be closed."""

    def __init__(self, length: int) -> None:
        self._kept = ExitStack()
        self._opened: dict[str, Callable[[], IO[bytes]]] = {}
        self.budget = _Budget(min(MOST_BYTES, max(FREE_BYTES, TIMES_AS_LONG * length)))

    def keep(self, opened: AbstractContextManager[Held]) -> Held:
        """Close this with the archive."""
        return self._kept.enter_context(opened)

    def add(self, name: str, open_one: Callable[[], IO[bytes]]) -> None:
        """Note one file. Raises BadInput for a name that is none of the layout's, and for one too many."""
        _check(name)
        if name in self._opened:
            raise _bad("it is there twice", name)
        self._opened[name] = open_one
        if len(self._opened) > MOST_FILES:
            raise _too_many()

    def names(self, folder: str) -> list[str]:
        """Return the names of the files in one of its folders, in order."""
        return sorted(each for each in self._opened if each.partition("/")[0] == folder)

    def files(self, folder: str) -> Iterator[tuple[str, BinaryIO]]:
        """Yield each file of a folder with its name, to be read before the next is asked for.

        An access log comes unzipped. To read raises BadInput for what is damaged, or too much.
        """
        for name in self.names(folder):
            with self._open(name) as stream, self._unzipped(name, stream) as counted:
                yield name, cast("BinaryIO", counted)
        self.budget.check()  # who read it may have gone on to the next

    def close(self) -> None:
        """Let go of it."""
        self._kept.close()

    def _open(self, name: str) -> IO[bytes]:
        try:
            return self._opened[name]()
        except _BROKEN:
            raise _bad("it is damaged", name) from None

    def _unzipped(self, name: str, stream: IO[bytes]) -> io.BufferedReader[_Counted]:
        counted: io.BufferedReader[_Counted] = io.BufferedReader(_Counted(name, stream, self.budget))
        if name.partition("/")[0] != "access" or not counted.peek(2).startswith(_GZIP):
            return counted
        unzipped = cast("IO[bytes]", gzip.GzipFile(fileobj=counted))
        return io.BufferedReader(_Counted(name, unzipped, self.budget))


def opened(body: bytes) -> Bundle:
    """Return the archive. Raises BadInput for one that is damaged, too large, or laid out otherwise."""
    found = Bundle(len(body))
    try:
        (_zipped if body.startswith(_ZIP) else _tarred)(body, found)
    except _BROKEN:
        found.close()
        raise BadInput("it is damaged", "the archive", "pack it again, as zip, tar or tar.gz") from None
    except BadInput:
        found.close()
        raise
    return found


def _zipped(body: bytes, found: Bundle) -> None:
    if body.count(_ENTRY) > 2 * MOST_FILES:  # before each costs memory
        raise _too_many()
    packed = found.keep(zipfile.ZipFile(io.BytesIO(body)))
    for each in packed.infolist():
        if each.is_dir() or stat.S_ISLNK(each.external_attr >> 16):
            continue
        if each.compress_type not in _PACKED or each.flag_bits & 1:
            raise _bad("it is packed or encrypted in a way that is not read", each.filename)
        found.add(each.filename, partial(packed.open, each))


class _Header(tarfile.TarInfo):
    """One header of a tar. What only says more of the next one is short: to look through a long one takes for ever."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        found = super().frombuf(buf, encoding, errors)
        if found.type in _SAYS_MORE and found.size > _CHUNK:
            raise tarfile.ReadError
        return found


def _tarred(body: bytes, found: Bundle) -> None:
    stream: IO[bytes] = io.BytesIO(body)
    if body.startswith(_GZIP):
        stream = found.keep(tempfile.TemporaryFile())  # noqa: SIM115 - the bundle closes it
        _unpack(body, stream, found.budget)
    packed = found.keep(tarfile.open(fileobj=stream, mode="r:", tarinfo=_Header))  # noqa: SIM115 - likewise
    while (each := packed.next()) is not None:
        if each.isreg() and not each.issparse():
            found.add(each.name, partial(_of, packed, each))
        elif not each.isdir() and not each.issym():
            raise _bad("it is no plain file", each.name, "pack the file itself: a hard link is none")
    stream.seek(packed.offset)
    if stream.read(tarfile.BLOCKSIZE) != bytes(tarfile.BLOCKSIZE):  # a header that is none ends the list in silence
        raise tarfile.ReadError


def _of(packed: tarfile.TarFile, each: tarfile.TarInfo) -> IO[bytes]:
    return packed.extractfile(each) or io.BytesIO()


def _unpack(body: bytes, into: IO[bytes], budget: _Budget) -> None:
    """Write what was compressed, within the budget."""
    with gzip.GzipFile(fileobj=io.BytesIO(body)) as unzipped:
        while piece := unzipped.read(_CHUNK):
            budget.spend(len(piece))
            into.write(piece)
    into.seek(0)


def _check(name: str) -> None:
    """Raise BadInput for a name that is no plain path below one of the folders."""
    parts = PurePosixPath(name).parts
    if (
        name.startswith("/")
        or "\\" in name
        or not name.isprintable()
        or ".." in parts
        or len(name) > LONGEST
        or len(parts) > DEEPEST
    ):
        raise _bad("a name that is no plain path", name)
    if name.partition("/")[0] not in FOLDERS or len(parts) == 1:
        raise _bad("nobody knows what it is", name, _LAYOUT)


def _bad(what: str, name: str, mend: str = "") -> BadInput:
    shown = name[:80] if name.isprintable() and not holds_material(name) else "a file of the archive"
    return BadInput(what, shown, mend)


def _too_many() -> BadInput:
    return BadInput("too many files", "the archive", f"send {MOST_FILES:,} at most")
