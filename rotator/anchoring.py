"""Sign how the evidence stands, again and again, while this process's dispatcher leads, and never in its way."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from rotator.errors import BadInput
from rotator.evidence.signing import SigningKey
from rotator.ledger.checkpoints import Altered, Checkpoints
from rotator.ledger.database import LedgerFailed

log = logging.getLogger("rotator")

END_S = 5.0
"""Seconds that are waited for the thread when a process ends."""


class Anchoring:
    """The thread that signs. `leads` says whether this process is the one to do it."""

    def __init__(
        self, checkpoints: Callable[[], Checkpoints], key: SigningKey | None, every_s: float, leads: Callable[[], bool]
    ) -> None:
        self._checkpoints, self._key, self._every_s, self._leads = checkpoints, key, every_s, leads
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._again_and_again, name="anchoring", daemon=True)
        self._told: set[Altered] = set()

    def start(self) -> None:
        """Begin; without a key there is nothing to sign with, and `rotator doctor` says so."""
        if self._key is not None:
            self._thread.start()

    def stop(self) -> None:
        """End, with what has grown until now signed."""
        self._ended.set()
        if self._key is not None:
            self._thread.join(timeout=END_S)

    def _again_and_again(self) -> None:
        while not self._ended.wait(self._every_s):
            self._try()
        self._try()

    def _try(self) -> None:
        try:
            if self._key is not None and self._leads():
                self.sign(self._key)
        except Exception as error:  # noqa: BLE001 - its words may quote rows; the next time signs all that has grown
            what = "the ledger failed" if isinstance(error, LedgerFailed) else "internal error"
            told = str(error) if isinstance(error, BadInput) else f"{what} ({type(error).__name__})"
            log.warning("evidence_unsigned: %s", told)

    def sign(self, key: SigningKey) -> None:
        """Sign what has grown, and say aloud what is not as it was signed."""
        _, altered = self._checkpoints().sign(key)
        for each in altered:
            if each not in self._told:
                log.error("evidence_altered: record %d of %s is not the one that was signed", each.number, each.chain)
        self._told.update(altered)
