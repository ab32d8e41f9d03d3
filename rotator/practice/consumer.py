"""Small services that use a credential: each reads it from its store, holds it, and logs in with it.

They hear of a change by webhook: `{"event": "reload"}` makes one read its store again, `{"event": "holding"}` only
asks; both are answered `{"using": "<id>"}` with the id that it holds.
"""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Callable, Iterator, Sequence
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from rotator.practice.doors import Answer, Knock

Document = dict[str, str]
"""What the store keeps: the credential's id, its secret, and what is public beside them."""


class Consumer:
    """One service. `read` fetches its document with the service's own reader identity; `log_in` uses it."""

    def __init__(self, name: str, read: Callable[[], Document], log_in: Callable[[Document], Sequence[Knock]]) -> None:
        self.name = name
        self._read = read
        self._log_in = log_in
        self._held: Document = {}
        self._lock = threading.Lock()

    @property
    def using(self) -> str:
        """Return the id of the credential it holds."""
        return self._held.get("id", "")

    def reload(self) -> None:
        """Read the store, and take what it holds if it opens the door; otherwise keep what works.

        Raises OSError with one line when the store cannot be read.
        """
        with self._lock:
            fresh = self._read()
            if all(knock.answer is Answer.OPENED for knock in self._log_in(fresh)):
                self._held = fresh

    def log_in(self) -> Sequence[Knock]:
        """Use the credential it holds, at every door it needs."""
        return self._log_in(self._held)


@contextlib.contextmanager
def listening(consumer: Consumer) -> Iterator[str]:
    """Serve the consumer's webhook on a free port of 127.0.0.1 until the block ends; yield its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _webhook(consumer))
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), name=consumer.name, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/credential"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _webhook(consumer: Consumer) -> type[BaseHTTPRequestHandler]:
    class Webhook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            try:
                event = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))))["event"]
                if event == "reload":
                    consumer.reload()
                status = HTTPStatus.OK if event in ("reload", "holding") else HTTPStatus.BAD_REQUEST
            except (ValueError, KeyError, TypeError):
                status = HTTPStatus.BAD_REQUEST
            except OSError:
                status = HTTPStatus.SERVICE_UNAVAILABLE
            self._answer(status, {"using": consumer.using} if status == HTTPStatus.OK else {"error": "not done"})

        def _answer(self, status: int, fields: dict[str, Any]) -> None:
            body = json.dumps(fields).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the standard library's name
            """Keep the demo's terminal for the demo."""

    return Webhook
