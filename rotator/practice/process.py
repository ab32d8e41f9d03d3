"""Start a server of the practice range as a child process on a free port of 127.0.0.1, and end it for certain."""

from __future__ import annotations

import contextlib
import os
import secrets
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path


def free_port(host: str = "127.0.0.1") -> int:
    """Return a port that nothing listens on now, and that no outgoing connection is given: Linux gives 32768 and above.

    The server that it is for takes seconds to start, and meanwhile any client's own connection could take such a one.
    """
    while True:
        port = secrets.randbelow(32768 - 10240) + 10240
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.bind((host, port))
            return port


def listening(port: int, host: str = "127.0.0.1") -> bool:
    """Tell whether something accepts connections there."""
    with contextlib.suppress(OSError), socket.create_connection((host, port), timeout=0.5):
        return True
    return False


@contextlib.contextmanager
def running(
    command: Sequence[str],
    *,
    ready: Callable[[], bool],
    log: Path,
    env: Mapping[str, str] | None = None,
    within_s: float = 60.0,
) -> Iterator[subprocess.Popen[bytes]]:
    """Run the command until the block ends; its output goes to `log`.

    Raises RuntimeError with the log's end when it is not `ready` within `within_s` seconds.
    """
    with log.open("ab") as sink:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.STDOUT,
            env={**os.environ, **(env or {})},
            start_new_session=True,
        )
    try:
        deadline = time.monotonic() + within_s
        while not ready():
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{command[0]} did not start:\n{log.read_text(errors='replace')[-2000:]}")
            time.sleep(0.02)
        yield process
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
