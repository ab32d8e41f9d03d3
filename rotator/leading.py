"""A thread that works again and again while its process leads, and never in the dispatcher's way."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from rotator.errors import BadInput
from rotator.ledger.database import LedgerFailed

log = logging.getLogger("rotator")

END_S = 5.0
"""Seconds that are waited for the thread when a process ends."""


class Leading:
    """One that does `work` every so many seconds; `leads` says whether this process is the one to do it.

    With `at_last` it is done once more when the process ends.
    """

    def __init__(
        self,
        name: str,
        work: Callable[[], object],
        leads: Callable[[], bool],
        every_s: float,
        *,
        at_last: bool = False,
    ) -> None:
        self._work, self._leads, self._every_s, self._at_last = work, leads, every_s, at_last
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._again_and_again, name=name, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End, after what is in hand; what was not begun is whoever's who leads next."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join(timeout=END_S)

    def goes_on(self) -> bool:
        """Tell whether what takes long may begin another piece."""
        return self._leads() and not self._ended.is_set()

    def wait(self, seconds: float) -> bool:
        """Let seconds pass; return whether it is to end before they have."""
        return self._ended.wait(seconds)

    def _again_and_again(self) -> None:
        while not self._ended.wait(self._every_s):
            if self._leads():
                self._work()
        if self._at_last and self._leads():
            self._work()


def tried(work: Callable[[], object], failed: str) -> None:
    """Do it; what goes wrong is one line of the log, behind this word: the next time tries anew."""
    try:
        work()
    except Exception as error:  # noqa: BLE001 - its words may quote rows
        what = "the ledger failed" if isinstance(error, LedgerFailed) else "internal error"
        told = str(error) if isinstance(error, BadInput) else f"{what} ({type(error).__name__})"
        log.warning("%s: %s", failed, told)
