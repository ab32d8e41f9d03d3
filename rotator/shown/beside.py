"""What takes seconds to make, and is looked at at two in the morning: made beside, and what stood before is shown.

An answer waits a moment for what is so now. Where that takes longer it is of before, and says so.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from rotator import clock
from rotator.shown.plans import BeingRead
from rotator.uncollected import uncollected

PATIENCE_S = 0.2
"""So long a page waits for what is so now."""
Made = TypeVar("Made")


@dataclass(frozen=True, slots=True)
class Seen(Generic[Made]):
    """What was made, of what was so at a moment in epoch seconds; `is_now` where nothing else is so since."""

    made: Made
    at: float
    is_now: bool


class Beside(Generic[Made]):
    """One thing that is made again, by one thread, once its `mark` is another; whoever asks meanwhile shares it."""

    def __init__(self, mark: Callable[[], object], make: Callable[[], Made], *, is_large: Callable[[], bool]) -> None:
        self._mark, self._make, self._is_large = mark, make, is_large
        self._changed = threading.Condition()
        self._asked = self._done = 0
        self._is_at_work = False
        self._found: tuple[object, float, Made] | None = None
        self._failed: Exception | None = None

    def now(self) -> Made:
        """Return it as it is now, however long that takes. Raises what making it raises."""
        return self.look(None).made

    def look(self, patience_s: float | None = PATIENCE_S) -> Seen[Made]:
        """Return it, of before where that takes longer; what is small is waited for.

        Raises BeingRead where none was made before, and what making it raises.
        """
        of, at = self._mark(), clock.now()
        if (found := self._found) is not None and found[0] == of:
            return Seen(found[2], at, is_now=True)
        patience_s = patience_s if self._is_large() else None
        with self._changed:
            self._asked += 1
            mine = self._asked
            if not self._is_at_work:
                self._is_at_work = True
                threading.Thread(target=self._work, name="made beside", daemon=True).start()
            is_now = self._changed.wait_for(lambda: self._done >= mine, patience_s)
            if is_now and self._failed is not None:
                raise self._failed
            if self._found is None:
                raise BeingRead
            _, made_at, made = self._found
            return Seen(made, at if is_now else made_at, is_now)

    def _work(self) -> None:
        while True:
            with self._changed:
                self._is_at_work = self._asked > self._done
                if not self._is_at_work:
                    return
                number = self._asked
            failed: Exception | None = None
            try:
                of, at = self._mark(), clock.now()
                if self._found is None or self._found[0] != of:
                    with uncollected():
                        self._found = of, at, self._make()
            except Exception as error:  # noqa: BLE001 - whoever waits is told, and who asks next tries again
                failed = error
            with self._changed:
                self._done, self._failed = number, failed
                self._changed.notify_all()
