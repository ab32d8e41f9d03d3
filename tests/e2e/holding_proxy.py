"""A proxy before a real server that holds one request, or its answer, until it is told to let go."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from tests.fakes.fault_proxy import Answer, FaultProxy, standing

_PATIENCE_S = 180


class HoldingProxy(FaultProxy):
    """Where a request is held, and what came of it. Every other request passes."""

    def __init__(self, server: str) -> None:
        super().__init__(server)
        self.bodies: list[bytes] = []
        """Everything that the server answered: what it minted is in there."""
        self.carried_out: list[bytes] = []
        """Every request that reached the server, in order: its method and path in a line, then its body."""
        self._held = b""
        self._when = ""
        self._reached, self._go = threading.Event(), threading.Event()

    def hold(self, words: bytes, when: str) -> None:
        """Hold the first request that has these words in its head or body.

        `before` it would be carried out, `after` it was, or until it is carried out `late`.
        """
        self._held, self._when = words, when
        self._reached.clear()
        self._go.clear()

    def until_held(self) -> None:
        """Wait until the request has come."""
        assert self._reached.wait(_PATIENCE_S), f"nobody asked for {self._held!r}"

    def let_go(self) -> None:
        """Let what is held go on; who asked may be gone. A request that was held `before` is never carried out."""
        self._go.set()

    def ask(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> Answer:
        """Ask the server, unless this is the request that is held before."""
        caught = self._held and self._held in b"\n".join([path.encode(), str(headers).encode(), body])
        if caught:
            self._held = b""
            if self._when == "before":
                self._wait()
                return 503, {}, b""
            if self._when == "late":
                self._wait()
        answer = super().ask(method, path, body, headers)
        self.bodies.append(answer[2])
        self.carried_out.append(f"{method} {path}\n".encode() + body)
        if caught and self._when == "after":
            self._wait()
        return answer

    def _wait(self) -> None:
        self._reached.set()
        assert self._go.wait(_PATIENCE_S)


@contextmanager
def holding_proxy(server: str) -> Iterator[HoldingProxy]:
    """Stand before `server` until the block ends."""
    proxy = HoldingProxy(server)
    with standing(proxy):
        try:
            yield proxy
        finally:
            proxy.let_go()
