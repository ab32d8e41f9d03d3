"""A folder in which checkpoints are kept: one that a rotator's machine can write and not change, as on a WORM volume.

A file gets its last name at once, since such volumes know no renaming; one that a crash left half is gone on with.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from rotator.errors import Rejected, Unavailable
from rotator.evidence.keeper import CHUNK, Entry, chunks

_UNDER_WAY, _KEPT = 0o600, 0o444


class Folder:
    """A folder that is there: none is made, since under a volume that is not mounted it would be on this disk."""

    def __init__(self, path: Path) -> None:
        self.address, self._path = str(path), path

    def keep(self, name: str, content: BinaryIO) -> None:
        """Write a file that replaces none, durable and read-only. Raises as `Keeper` says."""
        path = self._path / name
        try:
            if not self._path.is_dir():
                raise Unavailable("not_there", f"{self.address}: is it mounted?")
            try:
                self._write(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, _UNDER_WAY), content)
            except FileExistsError:
                self._go_on(path, content)
            if not _is_same(path, content):
                raise Rejected("differs", f"{path} is there already and says something else")
        except OSError as error:
            raise Unavailable("not_written", f"{path}: {error.strerror}") from None

    def entries(self) -> Iterator[Entry]:
        """Yield every file, by name. Raises Unavailable where the folder cannot be read."""
        try:
            with os.scandir(self._path) as found:
                told = [(each.name, each.stat(follow_symlinks=False)) for each in found]
        except OSError as error:
            raise Unavailable("not_readable", f"{self.address}: {error.strerror}") from None
        for name, about in sorted(told):
            yield Entry(name, at=about.st_mtime, size=about.st_size)

    def read(self, entry: Entry) -> bytes:
        """Return a file's bytes. Raises Unavailable where it cannot be read."""
        try:
            with _opened(self._path / entry.name) as file:
                return file.read()
        except OSError as error:
            raise Unavailable("not_readable", f"{self.address}/{entry.name}: {error.strerror}") from None

    def _write(self, descriptor: int, content: BinaryIO) -> None:
        content.seek(0)
        with os.fdopen(descriptor, "wb") as file:
            for each in chunks(content):
                file.write(each)
            file.flush()
            os.fsync(file.fileno())
            os.fchmod(file.fileno(), _KEPT)
        folder = os.open(self._path, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _go_on(self, path: Path, content: BinaryIO) -> None:
        """Write a file to its end that was begun: it is not read-only yet, and says nothing else so far."""
        about = path.lstat()
        is_begun = stat.S_ISREG(about.st_mode) and about.st_mode & stat.S_IWUSR
        if is_begun and _is_same(path, content, about.st_size):
            self._write(os.open(path, os.O_WRONLY | os.O_NOFOLLOW), content)


def _is_same(path: Path, content: BinaryIO, size: int | None = None) -> bool:
    """Tell whether a file is the same, as far as `size` or to its end."""
    content.seek(0)
    with _opened(path) as file:
        left = os.fstat(file.fileno()).st_size if size is None else size
        while left:
            piece = file.read(min(CHUNK, left))
            if not piece or piece != content.read(len(piece)):
                return False
            left -= len(piece)
    return size is not None or not content.read(1)


def _opened(path: Path) -> BinaryIO:
    """Open a file, no link and nothing that would have us wait. Raises OSError for what is none."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "no file")
    return os.fdopen(descriptor, "rb")
