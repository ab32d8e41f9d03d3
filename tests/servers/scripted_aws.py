"""An AWS endpoint that answers as told: for what the emulators never say (throttling, lost answers, wrong clocks)."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs


@dataclass
class Answer:
    """One answer; a status of 0 closes the connection without a word."""

    status: int
    body: str = ""
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class ScriptedAws:
    """Where it listens, what it will answer to each action, and which actions it was asked for."""

    endpoint_url: str
    script: dict[str, Answer] = field(default_factory=dict)
    asked: list[dict[str, str]] = field(default_factory=list)


def error(code: str, message: str = "said so") -> str:
    """Return the body of a query service's error."""
    return f"<ErrorResponse><Error><Code>{code}</Code><Message>{message}</Message></Error></ErrorResponse>"


@contextlib.contextmanager
def scripted_aws() -> Iterator[ScriptedAws]:
    """Serve until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
            asked = {name: values[0] for name, values in form.items()}
            asked.setdefault("Action", self.headers.get("X-Amz-Target", "").rpartition(".")[2])
            state.asked.append(asked)
            answer = state.script[asked["Action"]]
            if not answer.status:
                self.close_connection = True
                return
            self.send_response_only(answer.status)
            body = answer.body.encode()
            for name, value in {"Content-Length": str(len(body)), "Content-Type": "text/xml", **answer.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            """Say nothing: the tests look at what was asked."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        state = ScriptedAws(f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield state
        finally:
            server.shutdown()
            thread.join()
