"""The calls of one method share its deadline: how long the next one may take, and a store that begins so each time."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Protocol

from rotator.credential import Secret
from rotator.errors import Unavailable
from rotator.permissions import Permission, Permitted
from rotator.ports.connection import CALL_DEADLINE_S, CONNECT_TIMEOUT_S, READ_TIMEOUT_S
from rotator.ports.store import Store

LEAST_S = 5.0
"""With less than that left no further call begins: it would be cut off rather than answered, and leave a doubt."""


class CallTime:
    """How long the calls of one method may still take."""

    def __init__(self) -> None:
        self._until = time.monotonic() + CALL_DEADLINE_S

    def left_for(self, call: str) -> float:
        """Return the seconds that are left for a call. Raises Unavailable("out_of_time") where they are too few."""
        left = self._until - time.monotonic()
        if left < LEAST_S:
            raise Unavailable("out_of_time", f"the other side is slow: {call} was not begun")
        return left


def parts_of(left_s: float) -> tuple[float, float]:
    """Return how long a call may connect, and how long its whole answer may take: both together within what is left."""
    return min(CONNECT_TIMEOUT_S, left_s / 3), min(READ_TIMEOUT_S, left_s * 2 / 3)


class BegunForEach:
    """A store each of whose methods is done by one that is begun for it, with a deadline of its own."""

    def __init__(self, begun: Callable[[], Store]) -> None:
        self._begun = begun

    def current(self, name: str) -> str | None:
        return self._begun().current(name)

    def staged(self, name: str, token: str) -> str | None:
        return self._begun().staged(name, token)

    def stage(self, name: str, document: Secret, token: str) -> str:
        return self._begun().stage(name, document, token)

    def read(self, name: str, version: str) -> Secret:
        return self._begun().read(name, version)

    def promote(self, name: str, version: str, expected: str | None) -> str:
        return self._begun().promote(name, version, expected)

    def demote(self, name: str, version: str, previous: str | None) -> None:
        self._begun().demote(name, version, previous)


class PermittedStore(Store, Permitted, Protocol):
    """A store whose other side says what the rotator may do there."""


class PermittedForEach(BegunForEach):
    """Likewise one whose other side says what the rotator may do there."""

    def __init__(self, begun: Callable[[], PermittedStore]) -> None:
        super().__init__(begun)
        self._asked = begun

    def permissions(self, whose: str | None) -> Sequence[Permission]:
        return self._asked().permissions(whose)
