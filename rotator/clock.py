"""The time that a process goes by: a wall clock as it once was, moved on by a clock that nobody can set.

A wall clock that jumps would end settle times and patience too early, or stall them, and put evidence out of order.
`ledger/timekeeping.py` makes all processes of a machine go by the same one.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

# It goes on while a machine sleeps, which the monotonic clock does not; only Linux has it.
_BOOTTIME = getattr(time, "CLOCK_BOOTTIME", None)
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def _elapsed() -> float:
    return time.monotonic() if _BOOTTIME is None else time.clock_gettime(_BOOTTIME)


class SteadyClock:
    """Tell the time in epoch seconds, UTC, without ever jumping."""

    def __init__(self, wall: Callable[[], float] = time.time, elapsed: Callable[[], float] = _elapsed) -> None:
        self._wall, self._elapsed = wall, elapsed
        self.begins_at = wall() - elapsed()
        """What the wall clock said, or would have said, when the machine started."""

    def __call__(self) -> float:
        """Return the time."""
        return self.begins_at + self._elapsed()

    @property
    def wall_is_ahead_s(self) -> float:
        """Return how far the wall clock is ahead of this one (behind: below zero), in seconds."""
        return self._wall() - self()


def boot() -> str | None:
    """Name what all processes count from that see this machine as it runs now; None where it does not tell."""
    try:
        return _BOOT_ID.read_text().strip() if _BOOTTIME is not None else None
    except OSError:
        return None


now = SteadyClock()
"""The time of this process."""
