"""Let the collector of garbage be while much is made that stays: to look that through costs a third of making it."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator


@contextlib.contextmanager
def uncollected() -> Iterator[None]:
    """Have it look at nothing until the block ends. What nobody holds any more goes all the same, but for rings."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()
