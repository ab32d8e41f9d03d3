"""A process that dies behind one of its calls: nothing that it would have done after that is done."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any


class Killed(BaseException):
    """The process is dead; no clean-up of its own gets anything done."""


class Dying:
    """Make it die behind its n-th call of these."""

    def __init__(self, monkeypatch: Any, calls: Iterable[tuple[Any, str]]) -> None:
        self._left: int | None = None
        for where, name in calls:
            monkeypatch.setattr(where, name, self._watched(getattr(where, name)))

    def behind(self, number: int, act: Callable[[], object]) -> bool:
        """Do something; tell whether it died of it. It lives again afterwards."""
        self._left = number
        try:
            act()
        except Killed:
            return True
        else:
            return False
        finally:
            self._left = None

    def _watched(self, plain: Any) -> Any:
        def call(*given: Any, **named: Any) -> Any:
            if self._left is not None and self._left <= 0:
                raise Killed
            answer = plain(*given, **named)
            if self._left is not None:
                self._left -= 1
                if not self._left:
                    raise Killed
            return answer

        return call
