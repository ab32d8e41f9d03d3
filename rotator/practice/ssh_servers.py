"""SSH hosts of the practice range, in Python, so that nobody needs root: real SSH, real key files, no real accounts.

Each host has a host key and a folder for each account; that folder is all that SFTP shows, and its
`.ssh/authorized_keys` is read at each login, as sshd does. `.ssh/authorized_keys2`, which sshd reads too, holds the
rotator's own key. A host carries out `true`, `hostname` and the one command that cuts sessions, and nothing else;
a login without a command stays until it is cut or leaves.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import asyncssh

from rotator.credential import Secret
from rotator.families.ssh_sessions import CUT_SESSIONS, answer

ADDRESS = "127.0.0.1"
_START_S = 20.0


@dataclass(frozen=True, slots=True)
class SshServers:
    """What runs: each host's port, and the rotator's own key, which every account lets in."""

    folder: Path
    ports: dict[str, int]
    accounts: tuple[str, ...]
    known_hosts: str
    own_key: Secret

    @property
    def user(self) -> str:
        """Return the first account."""
        return self.accounts[0]

    @property
    def settings(self) -> dict[str, object]:
        """Return the settings of a connection to these hosts."""
        return {
            "hosts": [f"{name}={ADDRESS}:{port}" for name, port in self.ports.items()],
            "user": list(self.accounts) if len(self.accounts) > 1 else self.user,
            "known_hosts": self.known_hosts,
        }

    @property
    def hosts(self) -> tuple[str, ...]:
        """Return the hosts' names."""
        return tuple(self.ports)

    def doors(self) -> list[tuple[str, str, int]]:
        """Return each host's name, address and port."""
        return [(name, ADDRESS, port) for name, port in self.ports.items()]

    def keys_file(self, host: str, account: str | None = None) -> Path:
        """Return the file that lists an account's keys on a host."""
        return _keys(self.folder / host / (account or self.user))

    def authorize(self, public_key: str, account: str | None = None) -> None:
        """Let a key in on every host: one line, with or without options before it."""
        for host in self.ports:
            with self.keys_file(host, account).open("a", encoding="utf-8") as keys:
                keys.write(f"{public_key}\n")


@contextlib.contextmanager
def ssh_servers(folder: Path, hosts: Sequence[str], accounts: Sequence[str] = ("deploy",)) -> Iterator[SshServers]:
    """Run one server for each host, on ports of their own, until the block ends."""
    own = asyncssh.generate_private_key("ssh-ed25519", comment="the rotator's own")
    own_line = own.export_public_key().decode()
    keys = {host: asyncssh.generate_private_key("ssh-ed25519") for host in hosts}
    for home in (folder / host / account for host in hosts for account in accounts):
        _keys(home).parent.mkdir(parents=True, mode=0o700)
        _keys(home).touch(mode=0o600)
        _keys(home).with_name("authorized_keys2").write_text(own_line, encoding="utf-8")
    running = {host: _Host(host, folder / host) for host in hosts}
    with _loop() as loop:

        def wait(work: Any) -> Any:
            return asyncio.run_coroutine_threadsafe(work, loop).result(_START_S)

        try:
            ports = {host: wait(running[host].start(keys[host])) for host in hosts}
            known = "".join(
                f"[{ADDRESS}]:{ports[host]} {keys[host].export_public_key().decode().strip()}\n" for host in hosts
            )
            yield SshServers(folder, ports, tuple(accounts), known, Secret(own.export_private_key().decode()))
        finally:
            for host in running.values():
                wait(host.stop())


def _keys(home: Path) -> Path:
    return home / ".ssh" / "authorized_keys"


class _Host:
    """One server, and who is in."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self.folder = folder
        self.inside: set[asyncssh.SSHServerConnection] = set()
        self._server: asyncssh.SSHAcceptor | None = None

    async def start(self, key: asyncssh.SSHKey) -> int:
        self._server = await asyncssh.listen(
            ADDRESS,
            0,
            server_factory=partial(_Login, self),
            server_host_keys=[key],
            process_factory=self._carry_out,
            sftp_factory=self._files,
            gss_host=None,
        )
        return self._server.get_port()

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            await self._cut(self.inside)
            await self._server.wait_closed()

    def _files(self, channel: asyncssh.SSHServerChannel[bytes]) -> asyncssh.SFTPServer:
        home = self.folder / str(channel.get_extra_info("username"))
        return asyncssh.SFTPServer(channel, chroot=str(home).encode())

    async def _carry_out(self, process: asyncssh.SSHServerProcess[str]) -> None:
        if process.command == CUT_SESSIONS:
            mine = process.get_extra_info("connection")
            user = process.get_extra_info("username")
            others = {each for each in self.inside if each.get_extra_info("username") == user and each is not mine}
            await self._cut(others)
            process.stdout.write(answer(len(others)))
            process.exit(0)
        elif process.command in ("true", "hostname"):
            process.stdout.write("" if process.command == "true" else f"{self.name}\n")
            process.exit(0)
        elif process.command is None:
            await process.stdin.read()
            process.exit(0)
        else:
            process.stderr.write("this host of the practice range does not carry that out\n")
            process.exit(127)

    async def _cut(self, inside: set[asyncssh.SSHServerConnection]) -> None:
        for connection in set(inside):
            connection.abort()
            await connection.wait_closed()


class _Login(asyncssh.SSHServer):
    """Let in whoever holds a key that the account's files list now."""

    def __init__(self, host: _Host) -> None:
        self._host = host
        self._connection: asyncssh.SSHServerConnection | None = None

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._connection = conn

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncssh's signature
        if self._connection is not None:
            self._host.inside.discard(self._connection)

    def begin_auth(self, username: str) -> bool:
        home = self._host.folder / username
        known = home.parent == self._host.folder and home.is_dir()
        files = [_keys(home), _keys(home).with_name("authorized_keys2")] if known else []
        listed = "\n".join(file.read_text(encoding="utf-8") for file in files if file.is_file())
        with contextlib.suppress(ValueError):  # no line lets anyone in
            assert self._connection is not None
            self._connection.set_authorized_keys(asyncssh.import_authorized_keys(listed))
        return True

    def public_key_auth_supported(self) -> bool:
        return True

    def auth_completed(self) -> None:
        if self._connection is not None:
            self._host.inside.add(self._connection)


@contextlib.contextmanager
def _loop() -> Iterator[asyncio.AbstractEventLoop]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="practice-ssh", daemon=True)
    thread.start()
    try:
        yield loop
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
