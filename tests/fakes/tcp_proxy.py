"""A TCP proxy before a real server: whoever stands there sees each piece that the client sends, and may cut there."""

from __future__ import annotations

import contextlib
import socket
import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import Enum, auto


class Cut(Enum):
    """Where a connection ends: before the piece reaches the server, or with whatever the server answers to it."""

    BEFORE = auto()
    AFTER = auto()


Script = Callable[[], Cut | None]
"""Called with each piece that a client sends."""


@contextmanager
def tcp_proxy(host: str, port: int, script: Script) -> Iterator[int]:
    """Stand before the server until the block ends; yield the port of 127.0.0.1."""

    class Forward(socketserver.BaseRequestHandler):
        def handle(self):
            with contextlib.suppress(OSError), socket.create_connection((host, port), timeout=20) as onward:
                answers = threading.Thread(target=_pump, args=(onward, self.request), daemon=True)
                answers.start()
                while piece := self.request.recv(65536):
                    cut = script()
                    if cut is Cut.BEFORE:
                        break
                    if cut is Cut.AFTER:
                        _end(self.request)
                    onward.sendall(piece)
                    if cut is Cut.AFTER:
                        break
                onward.shutdown(socket.SHUT_WR)
                answers.join()
            _end(self.request)

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        block_on_close = False

    with Server(("127.0.0.1", 0), Forward) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while piece := source.recv(65536):
            sink.sendall(piece)
    _end(sink)


def _end(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
