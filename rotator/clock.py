"""The time that a process goes by: the wall clock as it was at the start, moved on by a clock that nobody can set.

A wall clock that jumps would end settle times and patience too early, or stall them, and put evidence out of order.
"""

from __future__ import annotations

import time
from collections.abc import Callable

# It goes on while a machine sleeps, which the monotonic clock does not; only Linux has it.
_BOOTTIME = getattr(time, "CLOCK_BOOTTIME", None)


def _elapsed() -> float:
    return time.monotonic() if _BOOTTIME is None else time.clock_gettime(_BOOTTIME)


class SteadyClock:
    """Tell the time in epoch seconds, UTC, without ever jumping."""

    def __init__(self, wall: Callable[[], float] = time.time, elapsed: Callable[[], float] = _elapsed) -> None:
        self._wall, self._elapsed = wall, elapsed
        self._begun_at, self._begun = wall(), elapsed()

    def __call__(self) -> float:
        """Return the time."""
        return self._begun_at + self._elapsed() - self._begun

    @property
    def wall_is_ahead_s(self) -> float:
        """Return how far the wall clock has been set ahead since the start (behind: below zero), in seconds."""
        return self._wall() - self()


now = SteadyClock()
"""The time of this process."""
