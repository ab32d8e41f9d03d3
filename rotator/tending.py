"""Begin what hygiene has due, again and again, while this process's dispatcher leads, and never in its way."""

from __future__ import annotations

import logging
from collections.abc import Callable

from rotator import clock, expiry, hygiene, uncut
from rotator.bootstrap import Rotator
from rotator.leading import Leading, tried
from rotator.ledger import attestations, routine_tasks
from rotator.shown import segmentation

log = logging.getLogger("rotator")


class Tending:
    """The thread that decides. `leads` says whether this process is the one to do it."""

    def __init__(self, parts: Rotator, leads: Callable[[], bool], every_s: float = hygiene.DECIDE_S) -> None:
        self._parts = parts
        self._ahead, self._expiry = hygiene.Outlook(parts), expiry.ExpiryWatch(parts)
        self._segmentation, self._uncut = segmentation.Measured(parts), uncut.Watch(parts)
        self._thread = Leading("tending", self.decide, leads, every_s)

    def start(self) -> None:
        """Begin; where no policy is configured, what ends by itself is watched all the same."""
        self._thread.start()

    def stop(self) -> None:
        """End; what was not begun is begun by whoever leads next."""
        self._thread.stop()

    def decide(self) -> None:
        """Remind people, tell what is not cut, begin what is due, measure the day; one that fails keeps no other."""
        tried(self._remind, "attestations_untold")
        tried(self._look, "uncut_untold")
        tried(self._begin, "hygiene_undecided")
        tried(self._measure, "segmentation_unmeasured")

    def _remind(self) -> None:
        attestations.remind(self._parts.database, clock.now())

    def _look(self) -> None:
        for vendor in self._uncut.run():
            log.warning("vendor_holds_more: %s", vendor)

    def _begin(self) -> None:
        routine_tasks.remind(self._parts.database, clock.now())
        if (watched := self._expiry.run(clock.now())) is not None:
            log.info("expiry_told: %s: %s", watched.id, watched.title)
        for each in hygiene.run(self._parts, clock.now(), self._ahead):
            log.info("hygiene_begun: %s: %s", each.id, each.title)

    def _measure(self) -> None:
        segmentation.note(self._segmentation, self._parts)
