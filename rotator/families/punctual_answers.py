"""Answers for libraries that stand on urllib3 (requests, botocore), whole within their read timeout.

That timeout is for each byte of headers and body anew: an answer that drips would never be late.
"""

from __future__ import annotations

import http.client
import io
import socket
import time
from typing import Any

from urllib3.connectionpool import HTTPConnectionPool
from urllib3.poolmanager import PoolManager

from rotator.ports.connection import READ_TIMEOUT_S


def let_end_in_time(manager: PoolManager) -> None:
    """Have a client's connections read so; those that are open already stay as they are."""
    manager.pool_classes_by_scheme = {
        scheme: _punctual(pool) for scheme, pool in manager.pool_classes_by_scheme.items()
    }


def let_botocore_end_in_time(session: Any) -> None:
    """Have botocore's own session read so, through a proxy of the environment as well."""
    let_end_in_time(session._manager)  # noqa: SLF001 - the library has no other way to say so
    session._pool_classes_by_scheme = session._manager.pool_classes_by_scheme  # noqa: SLF001


def _punctual(pool: type[HTTPConnectionPool]) -> type[HTTPConnectionPool]:
    connection = type(pool.ConnectionCls.__name__, (pool.ConnectionCls,), {"response_class": _Answer})
    return type(pool.__name__, (pool,), {"ConnectionCls": connection})


class _Answer(http.client.HTTPResponse):
    """One answer; its time begins when it is waited for."""

    def __init__(self, sock: Any, *args: Any, **named: Any) -> None:
        until = time.monotonic() + (sock.gettimeout() or READ_TIMEOUT_S)
        super().__init__(_Wire(sock, until), *args, **named)  # type: ignore[arg-type] # it only makes a file of it


class _Wire:
    """What an answer is read from, until a moment."""

    def __init__(self, wire: socket.socket, until: float) -> None:
        self._wire, self._until = wire, until

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(_Arriving(self._wire, self._until))


class _Arriving(socket.SocketIO):
    def __init__(self, wire: Any, until: float) -> None:
        super().__init__(wire, "r")
        wire._io_refs += 1  # noqa: SLF001 - as its `makefile` counts: the socket stays while this is open
        self._wire, self._until = wire, until

    def readinto(self, buffer: Any) -> int | None:
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError("the whole answer took too long")
        usual = self._wire.gettimeout()
        self._wire.settimeout(left)
        try:
            return super().readinto(buffer)
        finally:
            self._wire.settimeout(usual)  # the connection may serve again
