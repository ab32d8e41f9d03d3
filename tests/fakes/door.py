"""Somebody in between, or in place of an issuer: every request has the one answer that it was last told to give."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tests.fakes.http_server import Request, listening


@dataclass
class Door:
    """Say `status` and `body` to whoever comes: JSON, or a page where it is a text."""

    address: str = ""
    status: int = 503
    body: object = None

    def says(self, status: int, body: object = None) -> None:
        self.status, self.body = status, body


@contextmanager
def a_door() -> Iterator[Door]:
    """Stand on a free port of 127.0.0.1."""
    door = Door()

    class Called(Request):
        def answered(self, sent: bytes) -> None:  # noqa: ARG002 - it is nobody's business
            page = isinstance(door.body, str)
            content = b"" if door.body is None else str(door.body).encode() if page else json.dumps(door.body).encode()
            self.reply(door.status, content, {"Content-Type": "text/html" if page else "application/json"})

    with listening(Called) as address:
        door.address = address
        yield door
