"""An HTTP proxy before a real server, with which any call goes wrong as calls do: lost, cut, reset, late, refused."""

from __future__ import annotations

import contextlib
import http.client
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum, auto
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

Answer = tuple[int, dict[str, str], bytes]
OF_ONE_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "content-length", "date", "server"})
DRIP_EVERY_S = 0.01


class End(Enum):
    """What the client is given in the end."""

    CLOSED = auto()
    RESET = auto()
    HALF = auto()
    STALLED = auto()
    DRIPPED = auto()
    HEAD_DRIPPED = auto()
    ANSWERED = auto()


@dataclass(frozen=True)
class Fault:
    """What goes wrong with a call. `acted`: the server carries it out first. `instead`: what is answered then."""

    name: str
    acted: bool
    end: End
    instead: Answer | None = None


LOST_REQUEST = Fault("request lost", acted=False, end=End.CLOSED)
LOST_ANSWER = Fault("answer lost", acted=True, end=End.CLOSED)
RESET_BEFORE = Fault("reset before", acted=False, end=End.RESET)
RESET_AFTER = Fault("reset after", acted=True, end=End.RESET)
HALF = Fault("answer cut in half", acted=True, end=End.HALF)
STALLED = Fault("no answer in time", acted=True, end=End.STALLED)
DRIPPED = Fault("byte after byte", acted=True, end=End.DRIPPED)
HEAD_DRIPPED = Fault("byte after byte, the headers too", acted=True, end=End.HEAD_DRIPPED)
THROTTLED = Fault("429", acted=False, end=End.ANSWERED, instead=(429, {"Retry-After": "2"}, b"slow down"))
FAILED = Fault("500", acted=False, end=End.ANSWERED, instead=(500, {}, b"something broke"))
FAILED_AFTER = Fault("500 although done", acted=True, end=End.ANSWERED, instead=(500, {}, b"something broke"))
BUSY = Fault("503", acted=False, end=End.ANSWERED, instead=(503, {}, b"try again"))
QUICK = (LOST_REQUEST, LOST_ANSWER, RESET_BEFORE, RESET_AFTER, HALF, THROTTLED, FAILED, FAILED_AFTER, BUSY)
"""Those that no client waits for."""


class FaultProxy:
    """What to do with the requests that come; every request is counted from when it was last told."""

    def __init__(self, server: str) -> None:
        self.address = ""
        self.calls: list[str] = []
        self.script: Callable[[int, str], Fault | None] = _nothing
        """Called with each call's number, from 0, and its first words."""
        self._server = urlsplit(server)
        self._counting = threading.Lock()
        self.ending = threading.Event()

    def pass_all(self) -> None:
        self.calls, self.script = [], _nothing

    def fault(self, number: int, fault: Fault) -> None:
        """Let the call of this number go wrong."""
        self.pass_all()
        self.script = lambda at, _: fault if at == number else None

    def every(self, fault: Fault) -> None:
        """Let every call go wrong."""
        self.pass_all()
        self.script = lambda *_: fault

    def lose_request(self, number: int) -> None:
        """Drop the connection when the request of this number comes: it is never carried out."""
        self.fault(number, LOST_REQUEST)

    def lose_answer(self, number: int) -> None:
        """Carry the request out, then drop the connection without a word."""
        self.fault(number, LOST_ANSWER)

    def answer(self, status: int, headers: dict[str, str] | None = None, body: bytes = b"{}") -> None:
        """Answer every request so, without asking the server."""
        self.every(Fault(str(status), acted=False, end=End.ANSWERED, instead=(status, headers or {}, body)))

    def met(self, call: str) -> Fault | None:
        """Count a call, and say what goes wrong with it."""
        with self._counting:
            self.calls.append(call)
            return self.script(len(self.calls) - 1, call)

    def ask(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> Answer:
        """Ask the server itself, with the same head: a signature covers the host's name."""
        onward = http.client.HTTPConnection(self._server.hostname or "", self._server.port, timeout=20)
        try:
            onward.request(method, path, body, headers)
            answer = onward.getresponse()
            kept = {name: value for name, value in answer.getheaders() if name.lower() not in OF_ONE_HOP}
            return answer.status, kept, answer.read()
        finally:
            onward.close()


def _nothing(_number: int, _call: str) -> Fault | None:
    return None


@contextmanager
def fault_proxy(server: str) -> Iterator[FaultProxy]:
    """Stand before `server` until the block ends."""
    with standing(FaultProxy(server)) as proxy:
        yield proxy


@contextmanager
def standing(proxy: FaultProxy) -> Iterator[FaultProxy]:
    """Listen for this proxy until the block ends."""
    listener = _Server(("127.0.0.1", 0), type("Forward", (_Forward,), {"proxy": proxy}))
    proxy.address = f"http://127.0.0.1:{listener.server_port}"
    thread = threading.Thread(target=listener.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        proxy.ending.set()
        listener.shutdown()
        listener.server_close()
        thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        """Say nothing: lost connections are the point."""


class _Forward(BaseHTTPRequestHandler):
    proxy: FaultProxy
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def __getattr__(self, name):
        """Take every method, LIST too."""
        if name.startswith("do_"):
            return self.forward
        raise AttributeError(name)

    def forward(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        action = self.headers.get("X-Amz-Target") or body.partition(b"Action=")[2].partition(b"&")[0].decode()
        fault = self.proxy.met(f"{self.command} {self.path} {action}".rstrip())
        asked = self.command, self.path, body, dict(self.headers)
        if fault is None:
            self.reply(*self.proxy.ask(*asked))
            return
        answer = self.proxy.ask(*asked) if fault.acted else (200, {}, b"")
        self.close_connection = fault.end is not End.ANSWERED
        self.end_with(fault, answer)

    def end_with(self, fault, answer):
        match fault.end:
            case End.ANSWERED:
                self.reply(*(fault.instead or answer))
            case End.HALF:
                self.reply(*answer, half=True)
            case End.STALLED:
                self.wait_for_client()
            case End.DRIPPED:
                self.send_response(200)
                self.send_header("Content-Length", str(len(answer[2]) + 300))
                self.end_headers()
                self.drip()
            case End.HEAD_DRIPPED:
                self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Patience: ")
                self.drip()
            case End.RESET:
                linger = struct.pack("ii", 1, 0)  # what is closed now is reset, not ended
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                self.connection.close()
            case End.CLOSED:
                self.connection.shutdown(socket.SHUT_RDWR)

    def wait_for_client(self):
        """Say nothing until the client has given up."""
        while not self.proxy.ending.is_set():
            self.connection.settimeout(0.05)
            with contextlib.suppress(TimeoutError):
                if not self.connection.recv(1):
                    return

    def drip(self):
        self.wfile.flush()
        with contextlib.suppress(OSError):
            while not self.proxy.ending.wait(DRIP_EVERY_S):
                self.wfile.write(b" ")
                self.wfile.flush()

    def reply(self, status, headers, content, half=False):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(b"" if status == 204 else content[: len(content) // 2] if half else content)
        self.wfile.flush()

    def log_message(self, *_):
        pass
