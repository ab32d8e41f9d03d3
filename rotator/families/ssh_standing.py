"""Tell how an account stands to a file on a host: whether it could put another in its place. Nothing is tried.

SFTP tells how the folder stands, and whether its server writes at all. A shell asks the kernel (`test -w`), which knows
of read-only file systems, access lists, and root without its powers. What `chattr` locked and what is mounted over the
file is in no mode, so both are looked at too.
"""

from __future__ import annotations

import posixpath
import re
import shlex
from collections.abc import Mapping
from typing import TypeAlias

import asyncssh

from rotator.families.ssh import Session

Told: TypeAlias = tuple[bool | None, str]
"""Whether it may, None where nobody can tell, and why."""

NO_SHELL = "the account has no shell there that carries out the question, and SFTP alone does not tell"
_ABSENT = (asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath)
_STICKY = 0o1000
_OWNER_WRITES = 0o300
_ROOT = 0

# As in ssh_sessions.py: one line without a quote or a backslash of its own. `folder` tells that the shell sees what
# SFTP sees; a file that is a mount of its own (a container's) cannot be replaced by a rename.
_SCRIPT = """
file=$1; folder=$2; shift 2; LC_ALL=C; export LC_ALL;
tell() { name=$1; shift; if "$@" >/dev/null 2>&1; then echo "rotator $name=yes"; else echo "rotator $name=no"; fi; };
tell folder test -d "$folder"; tell enter test -x "$folder"; tell write test -w "$folder";
echo "rotator uid=$(id -u)"; echo "rotator shell=$(readlink "/proc/$$/exe" 2>/dev/null)";
echo "rotator folder_flags=$(lsattr -d "$folder" 2>&1)";
test -e "$file" && echo "rotator file_flags=$(lsattr -d "$file" 2>&1)";
{ while read -r id parent device root at more; do
  if [ "$at" = "$file" ]; then echo "rotator mounted=yes"; fi; done </proc/self/mountinfo; } 2>/dev/null;
for program in "$@"; do tell "$program" command -v "$program"; done;
echo "rotator end=yes"
"""
_COMMAND = "exec /bin/sh -c '" + " ".join(line.strip() for line in _SCRIPT.strip().splitlines()) + "' rotator"
_FACT = re.compile(r"^rotator ([a-z_-]+)=(.*)$", re.MULTILINE)
_NEEDED = {"folder", "enter", "write", "uid", "shell"}
_FLAGS = re.compile(r"[-A-Za-z]{8,}")
_HAS_NO_FLAGS = ("not supported", "inappropriate ioctl", "not a tty")
"""How a file system that knows no such locks answers, in the words of glibc and of musl."""


async def may_replace(session: Session, path: str) -> Told:
    """Tell whether the file could be replaced by another of its folder, as `ssh_files.edit_keys` does."""
    if not session.sftp._handler._supports_posix_rename:  # noqa: SLF001 - it tells nobody else
        return False, "its SFTP server only reads, or cannot replace a file in one step"
    try:
        real = str(await session.sftp.realpath(path))
        folder = posixpath.dirname(real)
        at = await session.sftp.stat(folder)
        standing = await session.sftp.stat(real) if await session.sftp.exists(real) else None
    except _ABSENT:
        return False, "the folder is not there"
    except asyncssh.SFTPPermissionDenied:
        return False, "the account may not enter the folder"
    if await _only_read(session, folder):
        return False, f"the file system of {folder} is read-only"
    facts = await _asked(session, real, folder)
    return judged(folder, at, standing, facts)


async def may_run(session: Session, program: str) -> Told:
    """Tell whether the account finds a program."""
    facts = await _asked(session, "/", "/", program)
    if not facts:
        return None, NO_SHELL
    return (True, "") if facts.get(program) == "yes" else (False, "it is not there")


def judged(folder: str, at: asyncssh.SFTPAttrs, standing: asyncssh.SFTPAttrs | None, facts: Mapping[str, str]) -> Told:
    """Judge by how the folder and the file stand, and by what the shell said, which may be nothing."""
    if not facts.keys() >= _NEEDED or not facts["uid"].isdecimal():
        return None, NO_SHELL
    if facts["folder"] != "yes":
        return None, f"the account's shell sees no {folder}, which SFTP shows"
    locks = [_locked(facts[each]) for each in ("folder_flags", "file_flags") if each in facts]
    if any(locks):
        return False, "chattr +i or +a holds it as it is"
    if facts["enter"] != "yes" or facts["write"] != "yes":
        return False, f"the account may not write to {folder}"
    if "mounted" in facts:
        return False, "the file is a mount of its own, and cannot be replaced"
    uid = int(facts["uid"])
    owners = {at.uid, uid if standing is None else standing.uid}
    if (at.permissions or 0) & _STICKY and uid not in owners:
        told = "is sticky, and neither it nor the file is the account's"
        return (None if uid == _ROOT else False), f"{folder} {told}"
    if "busybox" in facts["shell"] and not (uid == at.uid and (at.permissions or 0) & _OWNER_WRITES == _OWNER_WRITES):
        return None, "its shell is BusyBox, which goes by the modes alone, and the folder is another's"
    if None in locks:
        return None, "no lsattr there tells whether chattr holds it as it is"
    return True, ""


def _locked(flags: str) -> bool | None:
    """Tell whether the flags that lsattr printed forbid a replacement; None where it could not say."""
    shown = flags.split(" ", maxsplit=1)[0]
    if _FLAGS.fullmatch(shown):
        return bool({"i", "a"} & set(shown))
    return False if any(words in flags.lower() for words in _HAS_NO_FLAGS) else None


async def _only_read(session: Session, folder: str) -> bool:
    try:
        return bool((await session.sftp.statvfs(folder)).flags & asyncssh.constants.FXE_STATVFS_ST_RDONLY)
    except asyncssh.SFTPOpUnsupported:
        return False


async def _asked(session: Session, *words: str) -> Mapping[str, str]:
    """Return what the shell said, nothing where it did not carry out the question to its end."""
    command = " ".join([_COMMAND, *map(shlex.quote, words)])
    done = await session.connection.run(command, stdin=asyncssh.DEVNULL)
    if done.exit_status is None:
        raise asyncssh.ConnectionLost("no answer")
    facts = dict(_FACT.findall(str(done.stdout)))
    return facts if "end" in facts else {}
