"""Tell a consumer by a command on a host of an SSH connection, and hear which credential it holds.

The command runs as the connection's first `user`, with its host keys checked as everywhere. It reads the same notice
from its standard input as a command on this machine does, and answers in the same way: exit code 0 means that it was
told, and `{"using": "<id>"}` as its last line of output says which credential it holds now.
"""

from __future__ import annotations

import json
import shlex
import time
from collections.abc import Sequence

from rotator.consumers.notice import fields_of, said_last, using_of
from rotator.errors import BadInput, Rejected, Unavailable, Uncertain
from rotator.families.ssh_commands import Shell
from rotator.ports.connection import Connection
from rotator.ports.consumer import Consumer, Notice, Told

FAMILY = "ssh"

_NOT_RUNNABLE = (126, 127)
"""What a POSIX shell answers for a command that it cannot run, or does not find."""


def connect(connection: Connection, address: Sequence[str]) -> Consumer:
    """Return the consumer on a host: its name, then the command's words. Raises BadInput for a host nobody knows."""
    host, *words = address
    if not words:
        raise BadInput("a command is a list of words", "consumers: ssh_command", 'ssh_command = ["reload-it"]')
    return SshCommand(Shell(connection, host), words)


class SshCommand:
    """One command on one host."""

    def __init__(self, shell: Shell, words: Sequence[str]) -> None:
        self._shell, self._command = shell, shlex.join(words)
        self.name = f"{shell.name}: {self._command}"

    def reload(self, notice: Notice) -> Told:
        """Tell it to read the new secret. Raises Uncertain when it may have heard."""
        return self._run("reload", notice)

    def holding(self, notice: Notice) -> Told:
        """Ask which credential it holds now."""
        try:
            return self._run("holding", notice)
        except Uncertain as lost:
            raise Unavailable(lost.reason, lost.detail) from None

    def _run(self, event: str, notice: Notice) -> Told:
        began = time.monotonic()
        ended = self._shell.carry_out(self._command, json.dumps(fields_of(event, notice)))
        if ended.status in _NOT_RUNNABLE:
            raise Rejected("consumer_not_runnable", f"{self.name} ended with {ended.status}")
        if ended.status:
            raise Rejected("consumer_refused", f"{self.name} ended with {ended.status}")
        return Told(f"exit 0 in {time.monotonic() - began:.2f} s", using_of(said_last(ended.output), notice))
