"""What waits for others, issuers above all, and reads what is long: so much of it at once, and no more.

The web has forty threads, and whoever waits holds one: without a bound, forty declarations that wait for a slow issuer
keep out the yes, the stop, and who asks whether the service lives.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from http import HTTPStatus
from typing import ParamSpec, TypeVar

from rotator.api.problems import Problem

AT_ONCE = 8
AGAIN_S = 5.0
"""Seconds after which who is sent away is to ask again."""
Given = ParamSpec("Given")
Found = TypeVar("Found")


class LongWork:
    """So many places for what is long."""

    def __init__(self, at_once: int = AT_ONCE) -> None:
        self._places = threading.BoundedSemaphore(at_once)

    @contextlib.contextmanager
    def place(self) -> Iterator[None]:
        """Hold a place. Raises Problem where all are taken: nothing was done, and one asks again."""
        if not self._places.acquire(blocking=False):
            what = "as many as can be asked at once are asked already"
            raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, "busy", what, AGAIN_S)
        try:
            yield
        finally:
            self._places.release()

    def bounded(self, look: Callable[Given, Found]) -> Callable[Given, Found]:
        """Return the same, done in such a place."""

        def looked(*args: Given.args, **named: Given.kwargs) -> Found:
            with self.place():
                return look(*args, **named)

        return looked
