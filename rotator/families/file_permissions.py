"""What the user that the rotator runs as may do in a folder of this machine: asked of the kernel, with nothing tried.

`access` with the effective ids knows of read-only file systems, access lists, and root without its powers. What chattr
locked, what is mounted over a file, and whether a new one could be given the old one's owner, no mode shows; so flags,
mounts and powers are looked at. A full disk, a quota and a security module answer only when the file is written.
"""

from __future__ import annotations

import errno
import fcntl
import os
import platform
import re
import stat
import struct
from collections.abc import Iterable
from pathlib import Path
from typing import TypeAlias

from rotator.permissions import LOOK, Permission

Told: TypeAlias = tuple[bool | None, str]
"""Whether it may, None where nobody can tell, and why."""

_GET_FLAGS = 0x80086601  # FS_IOC_GETFLAGS of Linux on the machines below; others number it differently
_MACHINES = frozenset(("Linux", machine) for machine in ("x86_64", "aarch64", "riscv64", "s390x"))
_IMMUTABLE, _APPEND_ONLY = 0x10, 0x20
_HAS_NO_FLAGS = frozenset({errno.ENOTTY, errno.EOPNOTSUPP, errno.ENOSYS})
_STATUS, _MOUNTS, _OPEN = Path("/proc/self/status"), Path("/proc/self/mountinfo"), Path("/proc/self/fd")
_MOUNT_POINT = 4
"""Which word of a line of mountinfo."""
_CHOWN, _FOWNER = 1 << 0, 1 << 3
"""Powers of root (capabilities(7)): to give a file away, and to act on one as if it were one's own."""


def permitted(where: str, folder: int, leaves: list[str] | None) -> list[Permission]:
    """Return what may be done to these files of an open folder; None means all that stand in it.

    Without any, it is whether a first one could be made. `where` is what people call them.
    """
    files, below = _listed(folder) if leaves is None else (leaves, False)
    replace = _may_replace(folder, files)
    if below and replace[0]:
        replace = None, "it has folders of its own, which are granted one by one: name a file"
    return _said(where, _may_read(folder, files), replace)


def refused(where: str, why: str) -> list[Permission]:
    """Return the answer of a folder or a file that is refused as such."""
    return _said(where, (False, why), (False, why))


def _said(where: str, read: Told, replace: Told) -> list[Permission]:
    user = f"as uid {os.geteuid()}"
    return [
        Permission((LOOK, "promote", "demote"), f"read {where} {user}", *read),
        Permission(("promote", "demote"), f"replace {where} {user}", *replace),
    ]


def _listed(folder: int) -> tuple[list[str], bool]:
    """Return the plain files, and whether there are folders; a link is neither."""
    with os.scandir(folder) as entries:
        found = list(entries)
    files = [each.name for each in found if each.is_file(follow_symlinks=False)]
    return files, any(each.is_dir(follow_symlinks=False) for each in found)


def _may_read(folder: int, leaves: Iterable[str]) -> Told:
    closed = [leaf for leaf in leaves if not _access(leaf, os.R_OK, folder)]
    return (False, f"the user it runs as may not read {', '.join(closed)}") if closed else (True, "")


def _may_replace(folder: int, leaves: Iterable[str]) -> Told:
    """Tell whether each could be replaced by one that has the same owner, group and readers."""
    if (locked := _locked(folder)) is True:
        return False, "chattr +i or +a holds the folder as it is"
    if os.fstatvfs(folder).f_flag & os.ST_RDONLY:
        return False, "the file system is read-only"
    if not _access(".", os.W_OK | os.X_OK, folder):
        return False, "the user it runs as may not write to the folder"
    answers: list[Told] = [(locked, "nobody tells whether chattr holds the folder as it is")] if locked is None else []
    answers += [_may_replace_one(folder, leaf) for leaf in leaves]
    return min(answers, key=_certainty, default=(True, ""))


def _certainty(told: Told) -> int:
    """Order a refusal before a doubt, and a doubt before a yes."""
    return {False: 0, None: 1, True: 2}[told[0]]


def _may_replace_one(folder: int, leaf: str) -> Told:
    if _is_a_mount(folder, leaf):
        return False, f"{leaf} is a mount of its own, and cannot be replaced"
    standing, at = os.stat(leaf, dir_fd=folder, follow_symlinks=False), os.fstat(folder)
    me, powers = os.geteuid(), _powers()
    if at.st_mode & stat.S_ISVTX and me not in {at.st_uid, standing.st_uid} and not powers & _FOWNER:
        return False, f"the folder is sticky, and neither it nor {leaf} belongs to the user it runs as"
    elsewhere = standing.st_uid != me or standing.st_gid not in {os.getegid(), *os.getgroups()}
    if elsewhere and not powers & _CHOWN:
        return False, f"giving a new file {leaf}'s owner and group takes CAP_CHOWN"
    if standing.st_uid != me and not powers & _FOWNER:
        return False, f"giving a new file {leaf}'s mode, once it has its owner, takes CAP_FOWNER"
    locked = _file_locked(folder, leaf)
    if locked:
        return False, f"chattr +i or +a holds {leaf} as it is"
    return (True, "") if locked is False else (None, f"nobody tells whether chattr holds {leaf} as it is")


def _access(leaf: str, mode: int, folder: int) -> bool:
    return os.access(leaf, mode, dir_fd=folder, effective_ids=True)


def _powers() -> int:
    """Return the effective capabilities; root has all where the system has none by parts."""
    try:
        return int(re.findall(r"^CapEff:\s*([0-9a-f]+)$", _STATUS.read_text(encoding="ascii"), re.MULTILINE)[0], 16)
    except (OSError, IndexError):
        return -1 if os.geteuid() == 0 else 0


def _is_a_mount(folder: int, leaf: str) -> bool:
    """Tell whether the file was mounted by itself, as a container's may be: a rename does not get past that."""
    try:
        path = (_OPEN / str(folder)).readlink() / leaf
        points = [line.split()[_MOUNT_POINT] for line in _MOUNTS.read_text(encoding="utf-8").splitlines()]
    except OSError:
        return False
    return str(path).replace(" ", "\\040") in points


def _file_locked(folder: int, leaf: str) -> bool | None:
    try:
        opened = os.open(leaf, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    except PermissionError:
        return None
    try:
        return _locked(opened)
    finally:
        os.close(opened)


def _locked(opened: int) -> bool | None:
    """Tell whether chattr forbids a change of what is open; None where nobody can tell."""
    if (platform.system(), platform.machine()) not in _MACHINES:
        return None
    try:
        (flags,) = struct.unpack_from("I", fcntl.ioctl(opened, _GET_FLAGS, bytes(8)))
    except OSError as error:
        return False if error.errno in _HAS_NO_FLAGS else None
    return bool(flags & (_IMMUTABLE | _APPEND_ONLY))
