"""A folder as a dataset: every file and link below it. No link is followed, and nothing is opened that is no file."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from rotator.errors import BadInput
from rotator.manifests.entry import Entry, Kind, encoded
from rotator.manifests.hashing import Found, Meter, changed, file_entry

_PIECE = 1 << 20
_SORTS = {
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a character device",
    stat.S_IFBLK: "a block device",
}


def walk(folder: Path) -> Iterator[Found]:
    """Yield what is below a folder. Raises BadInput where it is none, or cannot be listed itself.

    What is empty of files is not told: a manifest is of content.
    """
    root = f"{folder}/"
    try:
        with _listed(root):
            pass
    except OSError as error:
        raise BadInput(f"it cannot be read as a folder ({_why(error)})", str(folder), "name a folder") from None
    return _below(root)


def _below(root: str) -> Iterator[Found]:
    waiting = [""]
    while waiting:
        inside = waiting.pop()
        try:
            # With a stroke at its end a link would be followed: the dataset's own folder may be one.
            with _listed((root + inside).removesuffix("/") if inside else root) as found:
                for each in found:
                    name = inside + each.name
                    if each.is_dir(follow_symlinks=False):
                        waiting.append(f"{name}/")
                    else:
                        yield partial(_entry, Path(root + name), _path(name))
        except OSError as error:
            yield Entry(_path(inside), Kind.UNLISTED, None, _why(error))


def _path(name: str) -> str:
    return encoded(os.fsencode(name))


@contextlib.contextmanager
def _listed(folder: str) -> Iterator[Iterator[os.DirEntry[str]]]:
    """List a folder, and no other to which a link leads that was put in its place."""
    file = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        with os.scandir(file) as found:
            yield found
    finally:
        os.close(file)


def _entry(place: Path, path: str, meter: Meter) -> Entry:
    """Read one. A file that is written to meanwhile is read once more; then it is said."""
    try:
        found = place.lstat()
        if stat.S_ISLNK(found.st_mode):
            # As it stands there: a Path would write it otherwise.
            return Entry(path, Kind.LINK, None, _path(os.readlink(place)))  # noqa: PTH115
        if not stat.S_ISREG(found.st_mode):
            return Entry(path, Kind.OTHER, None, _SORTS.get(stat.S_IFMT(found.st_mode), "no file"))
        entry = _read(place, path, meter)
        return _read(place, path, meter) if entry == changed(path) else entry
    except OSError as error:
        return Entry(path, Kind.UNREAD, None, _why(error))


def _read(place: Path, path: str, meter: Meter) -> Entry:
    # What was put in the file's place since it was found is neither followed nor waited for.
    file = os.open(place, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        before = os.fstat(file)
        if not stat.S_ISREG(before.st_mode):
            return changed(path)
        entry = file_entry(path, before.st_size, _pieces(file), meter)
        return entry if _same(before, os.fstat(file)) else changed(path)
    finally:
        os.close(file)


def _pieces(file: int) -> Iterator[bytes]:
    while piece := os.read(file, _PIECE):
        yield piece


def _same(before: os.stat_result, after: os.stat_result) -> bool:
    return (before.st_size, before.st_mtime_ns, before.st_ctime_ns) == (
        after.st_size,
        after.st_mtime_ns,
        after.st_ctime_ns,
    )


def _why(error: OSError) -> str:
    """Say why in words that no language of the system changes."""
    return errno.errorcode.get(error.errno or 0, "it failed")
