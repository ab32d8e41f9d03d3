"""A file on this machine, which whoever reads it sees whole: the old document or the new one, never a part.

`name` is a path beneath the connection's `folder`. A new document waits beside its file (mode 0600) and takes the
file's name in one step, with the owner and group that the old one had, who may do with it what they could before; the
group may read it at most, and others nothing. What stood there waits beside it for an undo, until the next promotion.
Links are refused, and so are folders that everybody may write to: both could lead elsewhere.

Workers of rotator lock the folder. A file system has no compare-and-set against other hands: what one writes in the
moment between our look and our rename is lost.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import os
import secrets
import stat
from collections.abc import Iterator, Sequence

from rotator.credential import Secret
from rotator.errors import Rejected, Unavailable, Uncertain
from rotator.families.file import folder_of
from rotator.families.file_permissions import permitted, refused
from rotator.permissions import Permission
from rotator.ports.connection import Connection
from rotator.ports.store import Store

FAMILY = "file"

_BESIDE = ".rotator-"
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_LARGEST = 1024 * 1024
"""Bytes: more than any document."""
_NO = {
    errno.EACCES: "access_denied",
    errno.EPERM: "access_denied",
    errno.EROFS: "read_only",
    errno.ELOOP: "is_a_link",
    errno.ENOTDIR: "not_a_folder",
    errno.EISDIR: "not_a_file",
    errno.ENAMETOOLONG: "bad_name",
}


def connect(connection: Connection) -> Store:
    """Return the store of one folder."""
    return FileStore(connection)


class FileStore:
    """Files beneath one folder. A version is the file as it stands: its number on the disk, its time and its size."""

    def __init__(self, connection: Connection) -> None:
        self._folder = folder_of(connection)

    def current(self, name: str) -> str | None:
        with self._opened(name) as (folder, leaf):
            return _version_at(folder, leaf)

    def staged(self, name: str, token: str) -> str | None:
        with self._opened(name) as (folder, leaf):
            return _version_at(folder, _waiting(leaf, token))

    def stage(self, name: str, document: Secret, token: str) -> str:
        """Write the document beside the file, whole or not at all."""
        with self._opened(name) as (folder, leaf):
            waiting = _waiting(leaf, token)
            if (found := _version_at(folder, waiting)) is not None:
                return found
            _write(folder, waiting, document.reveal().encode())
            return _version_at(folder, waiting) or ""

    def read(self, name: str, version: str) -> Secret:
        """Return the text of a version: current, waiting, or kept. Raises Rejected("not_found"), ("not_text")."""
        with self._opened(name) as (folder, leaf):
            found = _with_version(folder, leaf, version)
            if found is None:
                raise Rejected("not_found", f"{name} has no version {version}")
            try:
                return Secret(_content(folder, found).decode())
            except UnicodeDecodeError:
                raise Rejected("not_text", f"{name} is binary") from None

    def promote(self, name: str, version: str, expected: str | None) -> str:
        """Give the waiting file the name, if what stands there is still what was seen."""
        with self._opened(name) as (folder, leaf), _alone(folder, name):
            now = _version_at(folder, leaf)
            if now == version:
                return version
            waiting = _with_version(folder, leaf, version)
            if now != expected or waiting is None:
                raise Rejected("store_changed", f"{name} is at {now}, not at {expected}")
            if now is None:
                _link(folder, waiting, leaf, name)
            else:
                standing = os.stat(leaf, dir_fd=folder, follow_symlinks=False)
                _forget(folder, leaf)
                _write(folder, _kept(leaf, now), _content(folder, leaf), like=standing)
                _make_like(folder, waiting, standing)
                os.rename(waiting, leaf, src_dir_fd=folder, dst_dir_fd=folder)
            _settle(folder, name)
            return version

    def demote(self, name: str, version: str, previous: str | None) -> None:
        """Give the name back to what was kept, or take the file away where there was none before."""
        with self._opened(name) as (folder, leaf), _alone(folder, name):
            if _version_at(folder, leaf) != version:
                return
            if previous is None:
                os.unlink(leaf, dir_fd=folder)
            elif (kept := _with_version(folder, leaf, previous)) is not None:
                # A copy: what follows this place reads the version that was given back, by its name.
                again = f"{leaf}{_BESIDE}again-{previous}"
                standing = os.stat(kept, dir_fd=folder, follow_symlinks=False)
                _write(folder, again, _content(folder, kept), like=standing)
                os.rename(again, leaf, src_dir_fd=folder, dst_dir_fd=folder)
            else:
                raise Rejected("not_found", f"{name} no longer keeps version {previous}")
            _settle(folder, name)

    def permissions(self, whose: str | None) -> Sequence[Permission]:
        """Return what the user that the rotator runs as may do to a file, or to all that stand in the folder."""
        where = f"{self._folder}/{'*' if whose is None else whose}"
        try:
            with self._opened("any" if whose is None else whose) as (folder, leaf):
                there = None if whose is None else [leaf] if _version_at(folder, leaf) else []
                return permitted(where, folder, there)
        except Rejected as refusal:
            if refusal.reason == "bad_name":
                raise
            return refused(where, str(refusal))

    @contextlib.contextmanager
    def _opened(self, name: str) -> Iterator[tuple[int, str]]:
        """Lend the folder that the file stands in, opened step by step without following a link, and its last name."""
        *folders, leaf = name.split("/")
        if {"", ".", ".."} & {*folders, leaf} or _BESIDE in name or "\0" in name:
            raise Rejected("bad_name", f"{name} is not a path beneath {self._folder}")
        with contextlib.ExitStack() as stack:
            try:
                folder = os.open(self._folder, _FOLDER)
                stack.callback(os.close, folder)
                for each in folders:
                    folder = os.open(each, _FOLDER | os.O_NOFOLLOW, dir_fd=folder)
                    stack.callback(os.close, folder)
                if os.fstat(folder).st_mode & stat.S_IWOTH:
                    raise Rejected("folder_open_to_all", f"everybody may write to the folder of {name}")
                yield folder, leaf
            except OSError as error:
                reason = _NO.get(error.errno or 0)
                if reason is not None:
                    raise Rejected(reason, f"{name}: {error.strerror}") from None
                raise Unavailable("file_unreachable", f"{name}: {error.strerror}") from None


def _version_at(folder: int, leaf: str) -> str | None:
    """Return the version of the file of that name, None where there is none. Raises Rejected for a link."""
    try:
        found = os.stat(leaf, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(found.st_mode):
        raise Rejected("is_a_link" if stat.S_ISLNK(found.st_mode) else "not_a_file", f"{leaf} is no plain file")
    return f"{found.st_ino}-{found.st_mtime_ns}-{found.st_size}"


def _with_version(folder: int, leaf: str, version: str) -> str | None:
    """Return the name under which that version stands: the file's own, one that waits, or one that was kept."""
    if _version_at(folder, leaf) == version:
        return leaf
    if _version_at(folder, _kept(leaf, version)) is not None:
        return _kept(leaf, version)
    waiting = [each for each in os.listdir(folder) if each.startswith(_waiting(leaf))]
    return next((each for each in waiting if _version_at(folder, each) == version), None)


def _content(folder: int, leaf: str) -> bytes:
    with os.fdopen(os.open(leaf, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder), "rb") as file:
        content = file.read(_LARGEST + 1)
    if len(content) > _LARGEST:
        raise Rejected("too_large", f"{leaf} is larger than any document")
    return content


def _write(folder: int, leaf: str, content: bytes, like: os.stat_result | None = None) -> None:
    """Make a file, whole or not at all, unless another worker has just made it."""
    begun = f"{leaf}-{secrets.token_hex(8)}~"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        with os.fdopen(os.open(begun, flags, 0o600, dir_fd=folder), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if like is not None:
            _make_like(folder, begun, like)
        with contextlib.suppress(FileExistsError):
            os.link(begun, leaf, src_dir_fd=folder, dst_dir_fd=folder, follow_symlinks=False)
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(begun, dir_fd=folder)


def _make_like(folder: int, leaf: str, other: os.stat_result) -> None:
    """Give it the other's owner and group, who may do what they could; the group reads at most. Nobody else can."""
    mine = os.stat(leaf, dir_fd=folder, follow_symlinks=False)
    if (mine.st_uid, mine.st_gid) != (other.st_uid, other.st_gid):
        os.chown(leaf, other.st_uid, other.st_gid, dir_fd=folder, follow_symlinks=False)
    os.chmod(leaf, other.st_mode & (stat.S_IRUSR | stat.S_IWUSR | stat.S_IRGRP), dir_fd=folder)


def _link(folder: int, waiting: str, leaf: str, name: str) -> None:
    """Give the name to the first file that stands there, unless another hand has just made one."""
    try:
        os.link(waiting, leaf, src_dir_fd=folder, dst_dir_fd=folder, follow_symlinks=False)
    except FileExistsError:
        raise Rejected("store_changed", f"another hand has just made {name}") from None
    os.unlink(waiting, dir_fd=folder)


def _forget(folder: int, leaf: str) -> None:
    """Take away what earlier promotions kept."""
    for each in os.listdir(folder):
        if each.startswith(_kept(leaf)):
            os.unlink(each, dir_fd=folder)


def _settle(folder: int, name: str) -> None:
    try:
        os.fsync(folder)
    except OSError as error:
        raise Uncertain("not_on_disk", f"{name}: {error.strerror}") from None


@contextlib.contextmanager
def _alone(folder: int, name: str) -> Iterator[None]:
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)  # it goes when the folder is closed
    except BlockingIOError:
        raise Unavailable("being_promoted", f"another worker is at {name}", 1.0) from None
    yield


def _waiting(leaf: str, token: str | None = None) -> str:
    return f"{leaf}{_BESIDE}staged-{'' if token is None else hashlib.sha256(token.encode()).hexdigest()[:32]}"


def _kept(leaf: str, version: str = "") -> str:
    return f"{leaf}{_BESIDE}kept-{version}"
