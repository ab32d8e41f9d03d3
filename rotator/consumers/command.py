"""Tell a consumer by a command on this machine, and hear which credential it holds.

The command reads `{"event": "reload" | "holding", "incident", "exposed", "replacement", "places"}` from its standard
input. Exit code 0 means that it was told; when its last line of output is JSON, `{"using": "<id>"}` says which
credential it holds now. Nothing else it prints is kept, and it gets none of the rotator's environment but what any
program needs.
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import shlex
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from typing import IO

from rotator.consumers.notice import fields_of, said_last, using_of
from rotator.errors import BadInput, Rejected, Uncertain, asking
from rotator.ports.connection import READ_TIMEOUT_S
from rotator.ports.consumer import Consumer, Notice, Told

DEADLINE_S = READ_TIMEOUT_S
"""Seconds a command may take; then it is killed with everything it started."""

_ENVIRONMENT = ("PATH", "HOME", "USER", "LANG", "LC_ALL", "TZ", "TMPDIR", "SSH_AUTH_SOCK")
_OUTPUT_KEPT = 64 * 1024
"""Bytes of the output's end that are looked at."""
_TICK_S = 0.05


def connect(argv: Sequence[str], deadline_s: float = DEADLINE_S) -> Consumer:
    """Return the consumer that this command tells."""
    if isinstance(argv, str) or not argv or not all(isinstance(word, str) and word for word in argv):
        raise BadInput("a command is a list of words", str(argv), "consumers = [{command = ['systemctl', 'reload']}]")
    return Command(tuple(argv), deadline_s)


class Command:
    """One command."""

    def __init__(self, argv: tuple[str, ...], deadline_s: float) -> None:
        self.name = shlex.join(argv)
        self._argv, self._deadline_s = argv, deadline_s

    def reload(self, notice: Notice) -> Told:
        """Tell it to read the new secret. Raises Uncertain when it may have heard."""
        return self._run("reload", notice)

    def holding(self, notice: Notice) -> Told:
        """Ask which credential it holds now."""
        with asking():
            return self._run("holding", notice)

    def _run(self, event: str, notice: Notice) -> Told:
        began = time.monotonic()
        # A file, so that a command which reads nothing cannot block us.
        with tempfile.TemporaryFile() as asked:
            asked.write(json.dumps(fields_of(event, notice)).encode())
            asked.seek(0)
            process = self._start(asked)
            try:
                output = _output(process, began + self._deadline_s)
            finally:
                _end(process)
        if output is None:
            raise Uncertain("consumer_timed_out", f"{self.name} was killed after {self._deadline_s:g} s")
        if process.returncode < 0:
            raise Uncertain("consumer_killed", f"{self.name} ended by signal {-process.returncode}")
        if process.returncode > 0:
            raise Rejected("consumer_refused", f"{self.name} ended with {process.returncode}")
        return Told(
            f"exit 0 in {time.monotonic() - began:.2f} s",
            using_of(said_last(output.decode("utf-8", "replace")), notice),
        )

    def _start(self, asked: IO[bytes]) -> subprocess.Popen[bytes]:
        kept = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
        try:
            return subprocess.Popen(
                self._argv,
                stdin=asked,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=kept,
                start_new_session=True,  # so that what it started can be killed with it
            )
        except (OSError, ValueError) as error:
            raise Rejected("consumer_not_runnable", f"{self.name}: {type(error).__name__}") from None


def _output(process: subprocess.Popen[bytes], deadline: float) -> bytes | None:
    """Return the output's end once the command itself has ended, None when that took too long."""
    pipe = process.stdout
    assert pipe is not None  # noqa: S101 - it was asked for above
    os.set_blocking(pipe.fileno(), False)
    output = b""
    with selectors.DefaultSelector() as selector:
        selector.register(pipe, selectors.EVENT_READ)
        while time.monotonic() < deadline:
            ended = process.poll() is not None
            # A child that it left behind may hold the pipe open; when the command has ended, what is there is all.
            ready = selector.select(0 if ended else _TICK_S)
            part = pipe.read(_OUTPUT_KEPT) if ready else None
            if part:
                output = (output + part)[-_OUTPUT_KEPT:]
            elif ended:
                return output
            elif ready:
                # It closed its output and still runs.
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(_TICK_S)
    return None


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the command's whole session, and wait for the command."""
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    if process.stdout is not None:
        process.stdout.close()
