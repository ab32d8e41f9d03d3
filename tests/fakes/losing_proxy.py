"""An HTTP proxy before a real server that loses a chosen request, or its answer, as networks do."""

from __future__ import annotations

import http.client
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

KEPT_HEADERS = ("Content-Type", "Retry-After", "Location")


Answer = tuple[int, dict[str, str], bytes]


class LosingProxy:
    """What to do with the requests that come; every request is counted from when it was last told."""

    def __init__(self, server: str) -> None:
        self.address = ""
        self._server = urlsplit(server)
        self.calls: list[str] = []
        self._lost_request: int | None = None
        self._lost_answer: int | None = None
        self._instead: Answer | None = None

    def pass_all(self) -> None:
        self.calls, self._lost_request, self._lost_answer, self._instead = [], None, None, None

    def lose_request(self, number: int) -> None:
        """Drop the connection when the request of this number (from 0) comes: it is never carried out."""
        self.pass_all()
        self._lost_request = number

    def lose_answer(self, number: int) -> None:
        """Carry the request out, then drop the connection without a word."""
        self.pass_all()
        self._lost_answer = number

    def answer(self, status: int, headers: dict[str, str] | None = None, body: bytes = b"{}") -> None:
        """Answer every request so, without asking the server."""
        self.pass_all()
        self._instead = (status, headers or {}, body)

    def ask(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> Answer:
        """Ask the server itself."""
        onward = http.client.HTTPConnection(self._server.hostname, self._server.port, timeout=20)
        try:
            onward.request(method, path, body, {name: value for name, value in headers.items() if name != "Host"})
            answer = onward.getresponse()
            kept = {name: value for name in KEPT_HEADERS if (value := answer.headers[name])}
            return answer.status, kept, answer.read()
        finally:
            onward.close()


@contextmanager
def losing_proxy(server: str) -> Iterator[LosingProxy]:
    """Stand before `server` until the block ends."""
    proxy = LosingProxy(server)
    listener = _Server(("127.0.0.1", 0), _forward_through(proxy))
    proxy.address = f"http://127.0.0.1:{listener.server_port}"
    thread = threading.Thread(target=listener.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        listener.shutdown()
        listener.server_close()
        thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        """Say nothing: lost connections are the point."""


def _forward_through(proxy: LosingProxy) -> type[BaseHTTPRequestHandler]:
    class Forward(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        wbufsize = -1

        def __getattr__(self, name):
            """Take every method, LIST too."""
            if name.startswith("do_"):
                return self.forward
            raise AttributeError(name)

        def forward(self):
            number = len(proxy.calls)
            proxy.calls.append(f"{self.command} {self.path}")
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if proxy._lost_request == number:
                return self.hang_up()
            answer = proxy._instead or proxy.ask(self.command, self.path, body, dict(self.headers))
            return self.hang_up() if proxy._lost_answer == number else self.reply(*answer)

        def hang_up(self):
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)

        def reply(self, status, headers, content):
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            if status != 204:
                self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(b"" if status == 204 else content)

        def log_message(self, *_):
            pass

    return Forward
