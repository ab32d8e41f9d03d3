"""The other side: an HTTP endpoint, and a syslog server that takes nothing but RFC 5424 behind its length."""

from __future__ import annotations

import contextlib
import re
import socket
import socketserver
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from tests.fakes.http_server import Request, listening

_PRINTED = r"[!-~]"
_SYSLOG = re.compile(
    rf"<(?P<priority>0|[1-9]\d{{0,2}})>1 (?P<at>\S+) (?P<host>-|{_PRINTED}{{1,255}}) (?P<app>-|{_PRINTED}{{1,48}})"
    rf" (?P<process>-|{_PRINTED}{{1,128}}) (?P<id>-|{_PRINTED}{{1,32}}) (?P<data>-) (?P<text>.*)",
    re.DOTALL,
)
"""RFC 5424, section 6, of a message without structured data."""
_STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)")


@dataclass
class Taken:
    """What was taken, in order, by request or connection; what is answered next, else that it was taken."""

    address: str = ""
    bodies: list[str] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    answers: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    reads: int = 1 << 30

    @property
    def lines(self) -> list[str]:
        return [line for body in self.bodies for line in body.splitlines()]


@contextlib.contextmanager
def endpoint(tls: ssl.SSLContext | None = None) -> Iterator[Taken]:
    """Run an HTTP endpoint."""
    taken = Taken()

    class Post(Request):
        def answered(self, sent: bytes) -> None:
            status, headers = taken.answers.pop(0) if taken.answers else (200, {})
            if status == 200:
                taken.bodies.append(sent.decode())
                taken.headers.append(dict(self.headers))
            self.reply(status, b"said", headers)

    with listening(Post, tls) as address:
        taken.address = f"{address}/services/collector/raw"
        yield taken


@contextlib.contextmanager
def syslog(tls: ssl.SSLContext | None = None) -> Iterator[Taken]:
    """Run a syslog server. After `reads` bytes of a connection it dies, as one that is killed does."""
    taken = Taken()

    class Connection(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with contextlib.suppress(OSError):
                self.take(tls.wrap_socket(self.request, server_side=True) if tls is not None else self.request)

        def take(self, connection: ssl.SSLSocket) -> None:
            found = b""
            while len(found) < taken.reads:
                more = connection.recv(min(65536, taken.reads - len(found)))
                if not more:
                    break
                found += more
            else:
                return
            for message in unframed(found):
                text, fault = read(message)
                taken.bodies += [text] if fault is None else []
                taken.faults += [fault] if fault is not None else []
            if tls is not None:
                connection.unwrap().close()

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = allow_reuse_address = True

        def shutdown_request(self, request: socket.socket) -> None:
            """Close without a farewell, as the kernel does for who was killed: what is unread then is a reset."""
            self.close_request(request)

    server = Server(("127.0.0.1", 0), Connection)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        taken.address = f"{'tcp' if tls is None else 'tls'}://127.0.0.1:{server.server_address[1]}"
        yield taken
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def unframed(found: bytes) -> Iterator[bytes]:
    """Yield the messages, each behind its length (RFC 6587, section 3.4.1)."""
    while found:
        length, _, rest = found.partition(b" ")
        assert re.fullmatch(rb"[1-9]\d{0,8}", length), length
        assert len(rest) >= int(length)
        yield rest[: int(length)]
        found = rest[int(length) :]


def read(message: bytes) -> tuple[str, str | None]:
    """Return a message's text, and what is wrong with it, if anything is."""
    found = _SYSLOG.fullmatch(message.decode())
    if found is None:
        return "", f"no message of RFC 5424: {message[:80]!r}"
    if int(found["priority"]) > 191:
        return "", f"priority: {found['priority']}"
    if not _STAMP.fullmatch(found["at"]):
        return "", f"timestamp: {found['at']}"
    datetime.fromisoformat(found["at"])
    if "\n" in found["text"]:
        return "", "a line break"
    return found["text"], None
