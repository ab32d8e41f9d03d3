"""Carry out one command on one host of a connection, by its rules for host keys and with our own key."""

from __future__ import annotations

from dataclasses import dataclass

import asyncssh

from rotator.errors import BadInput, Uncertain
from rotator.families.ssh import fleet_of
from rotator.families.ssh_errors import Phase
from rotator.families.ssh_keys import own_key
from rotator.families.ssh_settings import Host
from rotator.ports.connection import Connection

_OUTPUT_KEPT = 64 * 1024
"""Bytes of the output's end that are looked at."""


_BY_SIGNAL = range(129, 129 + 64)
"""What a POSIX shell answers for a command that a signal ended; asyncssh has -1 where no shell stood between."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended; `output` is the end of what it printed."""

    status: int
    output: str


class Shell:
    """One account on one host. Safe for many threads at once; each command has a login of its own."""

    def __init__(self, connection: Connection, host: str, *, as_administrator: bool = False) -> None:
        self._fleet = fleet_of(connection)
        settings = self._fleet.settings
        found = [each for each in settings.hosts.values() if each.name.lower() == host.lower()]
        if not found:
            known = ", ".join(settings.hosts)
            raise BadInput(
                f"{connection.name} has no host called {host or '(none)'}", "consumers: host", f"it has {known}"
            )
        self._connection, self._host = connection, found[0]
        self._user = settings.administrator if as_administrator else settings.users[0]

    @property
    def name(self) -> str:
        """Return what people call it."""
        return f"{self._user}@{self._host.name}"

    def carry_out(self, command: str, given: str = "") -> Ended:
        """Run a command with that on its standard input. Raises Uncertain when it may have run."""

        async def work(host: Host, phase: Phase) -> Ended:
            session = await self._fleet.log_in(host, self._user, asyncssh.SSHClient, own_key(self._connection))
            try:
                phase.acting = True
                done = await session.run(command, input=given, check=False, stderr=asyncssh.DEVNULL)
            finally:
                session.abort()
            if done.exit_status is None or done.exit_status < 0 or done.exit_status in _BY_SIGNAL:
                raise Uncertain("consumer_killed", f"{self.name}: the command was ended by a signal")
            return Ended(done.exit_status, str(done.stdout)[-_OUTPUT_KEPT:])

        return self._fleet.at(self._host, work)
