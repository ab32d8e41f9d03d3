"""Reach a fleet of SSH hosts: settings, host keys, one administration session for each account, and the three errors.

asyncssh works in one event loop; rotator's workers are threads. So a connection has one loop in a thread of its own,
and a call waits for its answer under a deadline that is shorter than `CALL_DEADLINE_S`.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Coroutine
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeAlias, TypeVar

import asyncssh

from rotator.errors import Rejected, RotatorError
from rotator.families.ssh_errors import Phase, translated, worst
from rotator.families.ssh_keys import fingerprint_of, own_key
from rotator.families.ssh_settings import Host, Settings, read_settings
from rotator.ports.connection import CONNECT_TIMEOUT_S, READ_TIMEOUT_S, Connection

SETTINGS = frozenset(
    {
        "administrator",
        "authorized_keys",
        "authorized_principals",
        "hosts",
        "known_hosts",
        "revoked_keys",
        "trusted_ca_keys",
        "user",
    }
)
"""Keys of `[[connections]]` that this family alone knows."""

DEADLINE_S = CONNECT_TIMEOUT_S + READ_TIMEOUT_S
_AT_ONCE = 4
"""Logins and channels that one host sees from us at once: sshd allows 10 of each by default (MaxStartups drops at
random from there on, MaxSessions refuses)."""
_KEEPALIVE_S = 10

T = TypeVar("T")
Work: TypeAlias = Callable[[Host, Phase], Awaitable[T]]


@dataclass(slots=True)
class _Door:
    """One host and account: its administration session, opened when first needed and again when it broke."""

    connection: asyncssh.SSHClientConnection | None = None
    sftp: asyncssh.SFTPClient | None = None
    opened_with: str = ""
    opening: asyncio.Lock = field(default_factory=asyncio.Lock)
    editing: asyncio.Lock = field(default_factory=asyncio.Lock)
    channels: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_AT_ONCE))


@dataclass(frozen=True, slots=True)
class Session:
    """An open administration session: run a command, or read and write files."""

    connection: asyncssh.SSHClientConnection
    sftp: asyncssh.SFTPClient
    editing: asyncio.Lock


class Fleet:
    """The hosts of one connection, reached by 32 threads at once and kept for the process's life."""

    def __init__(self, settings: Settings, own: Callable[[], asyncssh.SSHKey]) -> None:
        self.settings = settings
        self._own = own
        self._doors: dict[tuple[str, str], _Door] = {}
        self._logins: dict[str, asyncio.Semaphore] = {}
        self._starting = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None

    def at(self, host: Host, work: Work[T]) -> T:
        """Do the work at one host, from any thread. Raises the three errors alone."""
        return self._wait(_guarded(host, work))

    def at_target(self, target: str, work: Work[T]) -> T:
        """Do the work at the host of that name. Raises Rejected("unknown_target") besides."""
        return self.at(self.settings.host(target), work)

    def everywhere(self, work: Work[None]) -> None:
        """Do the work at all hosts; one that fails does not stop the others, and is raised."""
        _, failed = self.at_each(work)
        if failed:
            raise worst(failed)

    def at_each(self, work: Work[T]) -> tuple[dict[str, T], dict[str, RotatorError]]:
        """Do the work at all hosts at once; return what came of it and what went wrong, by the hosts' names."""
        return self._wait(_gathered(self.settings.hosts.values(), work))

    def _wait(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._running_loop()).result()

    @contextlib.asynccontextmanager
    async def administer(self, host: Host, user: str) -> AsyncIterator[Session]:
        """Lend the administration session of an account; a broken one is opened again, once."""
        door = self._doors.setdefault((host.name, user), _Door())
        async with door.channels:
            async with door.opening:
                key = await asyncio.to_thread(self._own)
                session = await self._session(door, host, user, key)
            yield session

    async def _session(self, door: _Door, host: Host, user: str, key: asyncssh.SSHKey) -> Session:
        name = fingerprint_of(key)
        if door.connection is not None and (door.connection.is_closed() or door.opened_with != name):
            door.connection.abort()
            door.connection = door.sftp = None
        if door.connection is None or door.sftp is None:
            door.connection = await self.log_in(host, user, asyncssh.SSHClient, key)
            door.opened_with = name
            door.sftp = await _files_of(door.connection, host)
        return Session(door.connection, door.sftp, door.editing)

    async def log_in(
        self, host: Host, user: str, client: Callable[[], asyncssh.SSHClient], key: asyncssh.SSHKey | None
    ) -> asyncssh.SSHClientConnection:
        """Open a connection with that key and nothing else: no agent, no configuration, no other way to sign in.

        Without a key, the client brings one itself.
        """
        async with self._logins.setdefault(host.name, asyncio.Semaphore(_AT_ONCE)):
            return await asyncssh.connect(
                host.address,
                host.port,
                username=user,
                client_factory=client,
                client_keys=[key] if key is not None else None,
                known_hosts=self.settings.known_hosts(),
                config=None,
                agent_path=None,
                preferred_auth=["publickey"],
                connect_timeout=CONNECT_TIMEOUT_S,
                login_timeout=READ_TIMEOUT_S,
                keepalive_interval=_KEEPALIVE_S,
            )

    def _running_loop(self) -> asyncio.AbstractEventLoop:
        with self._starting:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                threading.Thread(target=self._loop.run_forever, name="rotator-ssh", daemon=True).start()
            return self._loop


def fleet_of(connection: Connection) -> Fleet:
    """Return the hosts of a connection, entered with the rotator's own key. Raises BadInput for its settings."""
    return Fleet(read_settings(connection), partial(own_key, connection))


async def _files_of(connection: asyncssh.SSHClientConnection, host: Host) -> asyncssh.SFTPClient:
    try:
        return await connection.start_sftp_client()
    except BaseException as error:
        alone = isinstance(error, asyncssh.Error) and not connection.is_closed()
        connection.abort()
        if alone:
            raise Rejected("no_sftp", f"{host.name}: the account's key or shell does not allow SFTP") from None
        raise


async def _guarded(host: Host, work: Work[T]) -> T:
    phase = Phase()
    try:
        async with asyncio.timeout(DEADLINE_S):
            return await work(host, phase)
    except RotatorError:
        raise
    except (OSError, UnicodeError, asyncssh.Error) as error:  # UnicodeError: a name that cannot be a host's
        raise translated(error, phase, host.name) from None


async def _gathered(hosts: Collection[Host], work: Work[T]) -> tuple[dict[str, T], dict[str, RotatorError]]:
    async def at(host: Host) -> T | RotatorError:
        try:
            return await _guarded(host, work)
        except RotatorError as error:
            return error

    answers = zip(hosts, await asyncio.gather(*(at(host) for host in hosts)), strict=True)
    done: dict[str, T] = {}
    failed: dict[str, RotatorError] = {}
    for host, answer in answers:
        if isinstance(answer, RotatorError):
            failed[host.name] = answer
        else:
            done[host.name] = answer
    return done, failed
