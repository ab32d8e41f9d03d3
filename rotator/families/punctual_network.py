"""The network of httpx2, where no wait outlasts its exchange: the library's timeouts begin anew with each byte."""

from __future__ import annotations

import threading
import time
from typing import Any

import httpx2

_AT_ONCE_S = 0.001
"""A wait of nothing would mean a socket that does not wait at all."""


class OutOfTime(Exception):  # noqa: N818 - what the exchange is
    """The exchange's end has come, and more goes on arriving."""


def punctual(transport: httpx2.HTTPTransport) -> PunctualNetwork:
    """Give a transport such a network, and return it."""
    pool: Any = transport._pool  # noqa: SLF001 - the library has no other way to say so
    network = PunctualNetwork(pool._network_backend)  # noqa: SLF001
    pool._network_backend = network  # noqa: SLF001
    return network


class PunctualNetwork:
    """A network whose waits are cut at the moment that the thread which uses it has set."""

    def __init__(self, network: Any) -> None:
        self._network, self._of_thread = network, threading.local()

    def end_at(self, moment: float) -> None:
        """Let the exchange that this thread begins now end at a moment of the monotonic clock."""
        self._of_thread.until = moment

    def cut(self, timeout: float | None) -> float | None:
        """Return how long the next wait may be."""
        left = max(self._left(), _AT_ONCE_S)
        return left if timeout is None else min(timeout, left)

    def refuse_late(self) -> None:
        """Raise OutOfTime after the end: what is there already would be read without a wait."""
        if self._left() <= 0:
            raise OutOfTime

    def _left(self) -> float:
        return float(self._of_thread.until - time.monotonic())

    def connect_tcp(self, *where: Any, timeout: float | None = None, **how: Any) -> _Stream:
        return _Stream(self._network.connect_tcp(*where, timeout=self.cut(timeout), **how), self)


class _Stream:
    """One connection of it."""

    def __init__(self, stream: Any, network: PunctualNetwork) -> None:
        self._stream, self._network = stream, network

    def read(self, max_bytes: int, timeout: float | None = None) -> Any:
        self._network.refuse_late()
        return self._stream.read(max_bytes, timeout=self._network.cut(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, timeout=self._network.cut(timeout))

    def start_tls(self, ssl_context: Any, server_hostname: str | None = None, timeout: float | None = None) -> _Stream:
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, self._network.cut(timeout)), self._network)

    def close(self) -> None:
        self._stream.close()

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
