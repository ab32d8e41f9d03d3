"""What all fakes of HTTP services stand on: a free port of 127.0.0.1, one thread for each connection, and no log."""

from __future__ import annotations

import contextlib
import ssl
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Request(BaseHTTPRequestHandler):
    """One request. A fake writes `answered`, which is given what was sent and calls `reply` or closes."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def answered(self, sent: bytes) -> None:
        raise NotImplementedError

    def reply(self, status: int, content: bytes = b"", headers: Mapping[str, str] | None = None) -> None:
        self.send_response_only(status)
        for name, value in {"Content-Length": str(len(content)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def _any(self) -> None:
        self.answered(self.rfile.read(int(self.headers.get("Content-Length") or 0)))

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _any  # noqa: N815 - http.server's words

    def log_message(self, *_: object) -> None:
        """Stay silent: requests carry secrets."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of a client that went away."""


@contextlib.contextmanager
def listening(requests: type[Request], tls: ssl.SSLContext | None = None) -> Iterator[str]:
    """Serve until the block ends; yield the address."""
    server = _Server(("127.0.0.1", 0), requests)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"{'https' if tls else 'http'}://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
