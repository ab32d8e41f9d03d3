"""Restart a systemd unit, on this machine or on a host of an SSH connection, and see that it is up again.

On a host it is done as the connection's `administrator`; on this machine as whoever the rotator runs as. systemd tells
since when a unit is active: that moment is the evidence. Which credential the unit holds, it does not tell.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from collections.abc import Sequence

from rotator.errors import BadInput, Rejected, RotatorError, Unavailable, Uncertain
from rotator.families.ssh_commands import Ended, Shell
from rotator.ports.connection import READ_TIMEOUT_S, Connection
from rotator.ports.consumer import Consumer, Notice, Told

FAMILY = "ssh"

_UNIT = re.compile(r"[A-Za-z0-9][A-Za-z0-9:_.@\\-]*")
_SHOWN = ("LoadState", "ActiveState", "SubState", "ActiveEnterTimestamp")
_LOOK_AGAIN_S = 2.0
_ENVIRONMENT = ("PATH", "HOME", "LANG", "XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS")


def connect(connection: Connection | None, address: Sequence[str]) -> Consumer:
    """Return the unit on a host (its name, then the unit), or on this machine without a connection."""
    host, unit = address
    if _UNIT.fullmatch(unit) is None:
        raise BadInput(f"`{unit}` is no unit", "consumers: systemd_unit", 'systemd_unit = "shop.service"')
    return SystemdUnit(None if connection is None else Shell(connection, host, as_administrator=True), unit)


class SystemdUnit:
    """One unit."""

    def __init__(self, shell: Shell | None, unit: str) -> None:
        self._shell, self._unit = shell, unit
        self.name = f"{'this machine' if shell is None else shell.name}: {unit}"

    def reload(self, notice: Notice) -> Told:
        """Restart it; say since when it is active. Telling it again restarts it again."""
        ended = self._systemctl("restart", self._unit)
        if ended.status:
            raise Rejected("consumer_refused", f"{self.name}: systemctl restart ended with {ended.status}")
        try:
            return self.holding(notice)
        except RotatorError as error:
            return Told(f"restarted; {error.reason}")

    def holding(self, notice: Notice) -> Told:  # noqa: ARG002 - systemd does not know what a unit read
        """Say since when it is active. Raises Unavailable while it starts, Rejected where it does not run."""
        try:
            ended = self._systemctl("show", self._unit, f"--property={','.join(_SHOWN)}")
        except Uncertain as lost:
            raise Unavailable(lost.reason, lost.detail) from None
        shown = dict(line.partition("=")[::2] for line in ended.output.splitlines())
        state = shown.get("ActiveState", "")
        if ended.status or shown.get("LoadState") != "loaded":
            raise Rejected("no_such_consumer", f"{self.name} is not loaded")
        if state in ("activating", "reloading", "deactivating"):
            raise Unavailable("starting", f"{self.name} is {state}", _LOOK_AGAIN_S)
        if state != "active":
            raise Rejected("not_running", f"{self.name} is {state} ({shown.get('SubState', '')})")
        return Told(f"active since {shown.get('ActiveEnterTimestamp', '')}")

    def _systemctl(self, *words: str) -> Ended:
        argv = ("systemctl", *words)
        return _here(argv, self.name) if self._shell is None else self._shell.carry_out(shlex.join(argv))


def _here(argv: Sequence[str], name: str) -> Ended:
    kept = {each: os.environ[each] for each in _ENVIRONMENT if each in os.environ}
    try:
        done = subprocess.run(
            argv, check=False, stdin=subprocess.DEVNULL, capture_output=True, timeout=READ_TIMEOUT_S, env=kept
        )
    except subprocess.TimeoutExpired:
        raise Uncertain("consumer_timed_out", f"{name} did not answer within {READ_TIMEOUT_S:g} s") from None
    except OSError as error:
        raise Rejected("consumer_not_runnable", f"{name}: {type(error).__name__}") from None
    return Ended(done.returncode, done.stdout.decode("utf-8", "replace"))
