"""The monotonic clock of this process: it follows a stage while one plays.

Installed before anything of the product is imported, so that defaults that name `time.monotonic` follow too.
"""

from __future__ import annotations

import time
from collections.abc import Callable

_real = time.monotonic
_read: Callable[[], float] = _real


def install() -> None:
    """Let `time.monotonic` be ours from now on."""
    time.monotonic = _monotonic


def follow(read: Callable[[], float] | None) -> None:
    """Show this clock, or the machine's own for None."""
    global _read  # noqa: PLW0603 - there is one monotonic clock in a process
    _read = read or _real


def _monotonic() -> float:
    return _read()
