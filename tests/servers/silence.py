"""A server that lets everybody in and never says a word: what waits for it must give up by itself."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator


@contextlib.contextmanager
def silent_server() -> Iterator[int]:
    """Listen until the block ends; yield the port of 127.0.0.1. The kernel accepts, and nobody answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listening:
        yield listening.getsockname()[1]
