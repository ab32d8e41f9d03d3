"""Lines to the web on which no request begins are closed: uvicorn itself waits for the first one for ever."""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar

import h11
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

LINE = "rotator.line"
"""The extension by which an answer that never ends can cut off who does not read it."""


class PromptLine(H11Protocol):
    """One line. The head of a request must have come whole `within_s` seconds after the line, or its first letter."""

    within_s: ClassVar[float] = 10.0
    _due: asyncio.TimerHandle | None = None

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        app = self.app

        async def with_line(scope: Scope, receive: Receive, send: Send) -> None:
            scope.setdefault("extensions", {})[LINE] = self.transport
            await app(scope, receive, send)

        self.app = with_line

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._await_head()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._forget()
        super().connection_lost(exc)

    def _await_head(self) -> None:
        """Set the time when nothing but a part of a head has come; what comes of it later does not set it back."""
        if self.conn.their_state is not h11.IDLE:
            self._forget()
        elif self._due is None:
            self._due = self.loop.call_later(self.within_s, self.transport.close)

    def _forget(self) -> None:
        if self._due is not None:
            self._due.cancel()
            self._due = None
