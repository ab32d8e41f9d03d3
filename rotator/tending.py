"""Begin what hygiene has due, again and again, while this process's dispatcher leads, and never in its way."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from rotator import clock, expiry, hygiene
from rotator.bootstrap import Rotator
from rotator.errors import BadInput
from rotator.ledger import attestations, routine_tasks
from rotator.ledger.database import LedgerFailed
from rotator.shown import segmentation

log = logging.getLogger("rotator")

END_S = 5.0
"""Seconds that are waited for the thread when a process ends."""


class Tending:
    """The thread that decides. `leads` says whether this process is the one to do it."""

    def __init__(self, parts: Rotator, leads: Callable[[], bool], every_s: float = hygiene.DECIDE_S) -> None:
        self._parts, self._leads, self._every_s = parts, leads, every_s
        self._ahead, self._expiry = hygiene.Outlook(parts), expiry.ExpiryWatch(parts)
        self._segmentation = segmentation.Measured(parts)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._again_and_again, name="tending", daemon=True)

    def start(self) -> None:
        """Begin; where no policy is configured, what ends by itself is watched all the same."""
        self._thread.start()

    def stop(self) -> None:
        """End; what was not begun is begun by whoever leads next."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join(timeout=END_S)

    def _again_and_again(self) -> None:
        while not self._ended.wait(self._every_s):
            if self._leads():
                self.decide()

    def decide(self) -> None:
        """Begin what is due, remind people of tasks, measure the day; what goes wrong is logged, and tried again."""
        for name, work in (
            ("attestations_untold", self._remind),
            ("hygiene_undecided", self._begin),
            ("segmentation_unmeasured", self._measure),
        ):
            try:
                work()
            except Exception as error:  # noqa: BLE001 - its words may quote rows; the next time decides anew
                what = "the ledger failed" if isinstance(error, LedgerFailed) else "internal error"
                told = str(error) if isinstance(error, BadInput) else f"{what} ({type(error).__name__})"
                log.warning("%s: %s", name, told)

    def _remind(self) -> None:
        attestations.remind(self._parts.database, clock.now())

    def _begin(self) -> None:
        routine_tasks.remind(self._parts.database, clock.now())
        if (watched := self._expiry.run(clock.now())) is not None:
            log.info("expiry_told: %s: %s", watched.id, watched.title)
        for each in hygiene.run(self._parts, clock.now(), self._ahead):
            log.info("hygiene_begun: %s: %s", each.id, each.title)

    def _measure(self) -> None:
        segmentation.note(self._segmentation, self._parts)
