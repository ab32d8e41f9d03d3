"""Run a command in a process that is forked from an interpreter which has imported everything: `forker.py`.

To start and to import is most of what a short command does. What is forked does all the rest as `rotator` does: its
own process, these words, this environment, folder and files. That a command starts from nothing is what `tests/cli`,
`test_respond.py` and the demo try; and who kills, freezes or watches one, or sits at its terminal, starts a real one.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
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
    theirs = [stdin, stdout, stderr, ends]
    asked = {"argv": list(argv), "cwd": str(cwd), "env": dict(env)}
    socket.send_fds(_forker(), [json.dumps(asked).encode()], theirs)
    for each in theirs:
        os.close(each)
    heard = {out: b"", err: b"", ended: b""}
    for fd, part in _conversation(writes, given, list(heard), until):
        if fd is None:
            os.kill(int(heard[ended].split()[0]), signal.SIGKILL)
            raise subprocess.TimeoutExpired(list(argv), timeout, heard[out], heard[err])
        heard[fd] += part
    status = int(heard[ended].split()[1])
    return subprocess.CompletedProcess(list(argv), os.waitstatus_to_exitcode(status), heard[out], heard[err])


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
