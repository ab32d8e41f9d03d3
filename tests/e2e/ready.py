"""Run a command in a process that is forked from an interpreter which has imported everything: `forker.py`.

To start and to import is most of what a short command does, and a second of each worker's and dispatcher's. What is
forked does all the rest as `rotator` does: its own process, to be killed or frozen, these words, this environment,
folder and files. That a command starts from nothing is what some of `tests/cli` (`test_services.py`, `test_words.py`),
`test_respond.py` and the demo try; and who sits at its terminal starts a real one.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import select
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

_ROOT = Path(__file__).parents[2]


@functools.cache
def _forker() -> socket.socket:
    """Start the interpreter, which ends when this process, and with it the socket, does."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        subprocess.Popen(
            [sys.executable, "-m", "tests.e2e.forker", str(theirs.fileno())],
            cwd=_ROOT,
            env={name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ},
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )
    return ours


def run(
    argv: Sequence[str], *, cwd: Path, env: Mapping[str, str], given: bytes, timeout: float
) -> subprocess.CompletedProcess[bytes]:
    """Do as `subprocess.run` does, both outputs captured. Raises subprocess.TimeoutExpired after that many seconds."""
    until = time.monotonic() + timeout
    (stdin, writes), (out, stdout), (err, stderr), (ended, ends) = (os.pipe() for _ in range(4))
    _ask({"argv": list(argv), "cwd": str(cwd), "env": dict(env)}, [stdin, stdout, stderr, ends])
    heard = {out: b"", err: b"", ended: b""}
    for fd, part in _conversation(writes, given, list(heard), until):
        if fd is None:
            os.kill(int(heard[ended].split()[0]), signal.SIGKILL)
            raise subprocess.TimeoutExpired(list(argv), timeout, heard[out], heard[err])
        heard[fd] += part
    status = int(heard[ended].split()[1])
    return subprocess.CompletedProcess(list(argv), os.waitstatus_to_exitcode(status), heard[out], heard[err])


class Started:
    """A command that goes on by itself, in a session of its own; as much of a `subprocess.Popen` as tests use."""

    def __init__(self, argv: Sequence[str], *, cwd: Path, env: Mapping[str, str]) -> None:
        (out, stdout), (err, stderr), (self._ended, ends) = (os.pipe() for _ in range(3))
        stdin = os.open(os.devnull, os.O_RDONLY)
        _ask({"argv": list(argv), "cwd": str(cwd), "env": dict(env), "leads": True}, [stdin, stdout, stderr, ends])
        self.stdout, self.stderr = os.fdopen(out, "rb", buffering=0), os.fdopen(err, "rb", buffering=0)
        self.returncode: int | None = None
        heard = b""
        while b" " not in heard:
            part = os.read(self._ended, 64)
            assert part, "the interpreter that forks it has ended; its own error says why"
            heard += part
        pid, self._heard = heard.split(b" ")
        self.pid = int(pid)

    def poll(self) -> int | None:
        """Return how it ended, or None while it lives."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self.wait(0.0)
        return None

    def wait(self, timeout: float | None = None) -> int:
        """Return how it ended. Raises subprocess.TimeoutExpired when it lives for that many seconds."""
        if self.returncode is None:
            if not select.select([self._ended], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired(str(self.pid), timeout or 0.0)
            while part := os.read(self._ended, 64):
                self._heard += part
            os.close(self._ended)
            self.returncode = os.waitstatus_to_exitcode(int(self._heard))
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Send it a signal, if it lives."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def _ask(asked: Mapping[str, object], theirs: Sequence[int]) -> None:
    """Have it forked with these files: the standard ones, and where to say which process it is and how it ended."""
    socket.send_fds(_forker(), [json.dumps(asked).encode()], theirs)
    for each in theirs:
        os.close(each)


def _conversation(writes: int, given: bytes, reads: Sequence[int], until: float):
    """Give it all that is given, and yield what comes where until all is closed; (None, b"") when it is too late."""
    os.set_blocking(writes, False)
    with selectors.DefaultSelector() as talking:
        for each in reads:
            talking.register(each, selectors.EVENT_READ)
        talking.register(writes, selectors.EVENT_WRITE)
        while talking.get_map():
            ready = talking.select(max(0.0, until - time.monotonic()))
            if not ready:
                yield None, b""
            for key, _ in ready:
                if key.fd == writes:
                    given = _written(writes, given)
                    is_over = not given
                else:
                    part = os.read(key.fd, 65536)
                    yield key.fd, part
                    is_over = not part
                if is_over:
                    talking.unregister(key.fd)
                    os.close(key.fd)


def _written(fd: int, given: bytes) -> bytes:
    """Write what there is room for, and return the rest; nothing is left for a reader that is gone."""
    with contextlib.suppress(BrokenPipeError):
        return given[os.write(fd, given) :] if given else b""
    return b""
