"""Read and replace an account's key file on a host, so that at every moment either the old or the new one is there.

The new text goes to a file beside it (mode 0600) which then takes the old one's name in one step. Two hands must not
do so at once: a lock directory keeps other workers of rotator out, and the file is read again just before the step,
for those who do not know the lock.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeAlias

import asyncssh

from rotator.errors import Rejected, Unavailable
from rotator.families.ssh import DEADLINE_S, Session
from rotator.families.ssh_errors import Phase

_LARGEST = 4 * 1024 * 1024
_READABLE = 0o644
_ABSENT = (asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath)
_STALE_S = DEADLINE_S + 10
"""A lock that is older than any call may last was left by a worker that died."""
_CLEANING_S = 2.0


async def read_keys(session: Session, path: str) -> bytes:
    """Return the file's bytes; a file that is not there holds nothing."""
    try:
        async with session.sftp.open(path, "rb", encoding=None) as file:
            if ((await file.stat()).size or 0) > _LARGEST:
                raise Rejected("file_too_large", f"{path} is larger than any list of keys")
            text = await file.read()
            return text if isinstance(text, bytes) else text.encode()
    except _ABSENT:
        return b""


Check: TypeAlias = Callable[[Session, str, str], Awaitable[None]]


async def edit_keys(
    session: Session, path: str, change: Callable[[bytes], bytes], phase: Phase, check: Check | None = None
) -> None:
    """Replace the file by what `change` makes of it; nothing is written when that is the same.

    `check` is shown the session, the new file and the one that it will replace; what it raises leaves that untouched.
    Raises Unavailable("being_edited") when another hand is at it. A link is followed, and stays a link.
    """
    async with session.editing:
        real = str(await session.sftp.realpath(path))
        async with _alone(session.sftp, real):
            before = await read_keys(session, real)
            after = change(before)
            if after == before:
                return
            temporary = f"{real}.rotator-{secrets.token_hex(8)}"
            try:
                await _write(session.sftp, temporary, after)
                if check is not None:
                    await check(session, temporary, real)
                await _unchanged(session, real, before)
                phase.acting = True
                await session.sftp.posix_rename(temporary, real)
                phase.acting = False
            except BaseException:
                await _clean(session.sftp.remove(temporary))
                raise


async def keep_mode(session: Session, new: str, old: str) -> None:
    """Let the new file be read by whom the old one was, by everybody where there was none: no secret stands in it."""
    standing = await session.sftp.exists(old)
    mode = (await session.sftp.stat(old)).permissions if standing else _READABLE
    await session.sftp.chmod(new, (mode or _READABLE) & 0o777)


async def _unchanged(session: Session, path: str, before: bytes) -> None:
    if await read_keys(session, path) != before:
        raise Unavailable("being_edited", "the file changed meanwhile", retry_after=1.0)


async def _write(sftp: asyncssh.SFTPClient, path: str, text: bytes) -> None:
    flags = asyncssh.FXF_WRITE | asyncssh.FXF_CREAT | asyncssh.FXF_EXCL
    async with sftp.open(path, flags, asyncssh.SFTPAttrs(permissions=0o600), encoding=None) as file:
        await file.write(text)
        with contextlib.suppress(asyncssh.SFTPOpUnsupported):
            await file.fsync()


@contextlib.asynccontextmanager
async def _alone(sftp: asyncssh.SFTPClient, path: str) -> AsyncIterator[None]:
    lock = f"{path}.rotator-lock"
    try:
        await sftp.mkdir(lock, asyncssh.SFTPAttrs(permissions=0o700))
    except _ABSENT:
        raise Rejected("no_such_directory", f"the directory of {path} is not there") from None
    except (asyncssh.SFTPFailure, asyncssh.SFTPFileAlreadyExists):
        await _remove_if_stale(sftp, lock)
        raise Unavailable("being_edited", "another worker is at the file", retry_after=1.0) from None
    try:
        yield
    finally:
        await _clean(sftp.rmdir(lock))


async def _remove_if_stale(sftp: asyncssh.SFTPClient, lock: str) -> None:
    """Compare the lock's age by the host's own clock, which a file made now tells."""
    now = f"{lock}-{secrets.token_hex(8)}"
    await sftp.mkdir(now)
    try:
        made, today = (await sftp.lstat(lock)).mtime, (await sftp.lstat(now)).mtime
        if made is not None and today is not None and today - made > _STALE_S:
            await sftp.rmdir(lock)
    except _ABSENT:
        return
    finally:
        await _clean(sftp.rmdir(now))


async def _clean(leaving: Awaitable[None]) -> None:
    """Take away what the edit left; when that fails too, the error that matters is already on its way."""
    with contextlib.suppress(asyncssh.Error, OSError):
        async with asyncio.timeout(_CLEANING_S):
            await leaving
