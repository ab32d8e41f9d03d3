"""Sign how the evidence stands, again and again, while this process's dispatcher leads, and never in its way."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial

from rotator.evidence.signing import SigningKey
from rotator.leading import Leading, tried
from rotator.ledger.checkpoints import Altered, Checkpoints

log = logging.getLogger("rotator")


class Anchoring:
    """The thread that signs. `leads` says whether this process is the one to do it."""

    def __init__(
        self, checkpoints: Callable[[], Checkpoints], key: SigningKey | None, every_s: float, leads: Callable[[], bool]
    ) -> None:
        self._checkpoints, self._key = checkpoints, key
        self._thread = Leading("anchoring", self._try, leads, every_s, at_last=True)
        self._told: set[Altered] = set()

    def start(self) -> None:
        """Begin; without a key there is nothing to sign with, and `rotator doctor` says so."""
        if self._key is not None:
            self._thread.start()

    def stop(self) -> None:
        """End, with what has grown until now signed."""
        self._thread.stop()

    def _try(self) -> None:
        if self._key is not None:
            tried(partial(self.sign, self._key), "evidence_unsigned")

    def sign(self, key: SigningKey) -> None:
        """Sign what has grown, and say aloud what is not as it was signed."""
        _, altered = self._checkpoints().sign(key)
        for each in altered:
            if each not in self._told:
                log.error("evidence_altered: record %d of %s is not the one that was signed", each.number, each.chain)
        self._told.update(altered)
