"""Have the checkpoints witnessed outside: kept where nobody here can change them, and stamped with a time.

One thread for each witness, while this process's dispatcher leads: one that hangs keeps neither the signing nor another
waiting. What failed is tried again, by this process or the next; how each stands is in the ledger.
"""

from __future__ import annotations

import contextlib
import functools
import io
import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Protocol

from rotator.errors import RotatorError
from rotator.evidence.authority import Authority
from rotator.evidence.keeper import Keeper, content_of, name_of, stamp_name
from rotator.evidence.keepers import keeper_of
from rotator.evidence.timestamp import authorities
from rotator.ledger.database import LedgerFailed
from rotator.ledger.witnesses import Witnesses
from rotator.ports.connection import Connection
from rotator.settings.configuration import Settings

log = logging.getLogger("rotator")

LOOK_S = 5.0
"""Seconds between two looks whether anything was signed."""
AGAIN_S = 60.0
"""Seconds after which a witness that failed is tried again."""
END_S = 5.0
"""Seconds that are waited for threads, when a process ends: for all of them together."""


class Witness(Protocol):
    """Who outside of the ledger has its checkpoints."""

    address: str

    def witness(self, *, at_once: bool = False) -> int:
        """Have it get what it lacks; return how many checkpoints, with `at_once` also such as could wait.

        Raises one of the three errors, or BadInput, and has noted it in the ledger.
        """
        ...


def witnesses_of(settings: Settings, ledger: Callable[[], Witnesses]) -> list[Witness]:
    """Return the witnesses that are configured; what each needs is made at first use."""
    evidence, found = settings.evidence, list[Witness]()
    for address in evidence.keep:
        found.append(Keeping(address, functools.partial(keeper, settings, address), ledger))
    if evidence.timestamps is not None and evidence.timestamps_ca is not None:
        made = functools.partial(_authority, evidence.timestamps, evidence.timestamps_ca)
        found.append(Stamping(evidence.timestamps, made, evidence.timestamps_every, ledger))
    return found


def keeper(settings: Settings, address: str) -> Keeper:
    """Return a keeper as the configuration has it reached. Raises BadInput for one that cannot be used at all."""
    named = settings.evidence.connection
    connection = Connection("", "aws") if named is None else settings.connection(named)
    return keeper_of(address, connection, settings.evidence.retain_days)


class Keeping:
    """A keeper that keeps them, and their time stamps."""

    def __init__(self, address: str, make: Callable[[], Keeper], ledger: Callable[[], Witnesses]) -> None:
        self.address, self._keeper, self._ledger = address, functools.cache(make), ledger

    def witness(self, *, at_once: bool = False) -> int:  # noqa: ARG002 - nothing is put off
        """Write what the keeper lacks, each proven by reading it back."""
        ledger, count = self._ledger(), 0
        with _noted(ledger, self.address):
            while found := ledger.unkept(self.address):
                for each in found:
                    self._keeper().keep(name_of(each), io.BytesIO(content_of(each)))
                    ledger.kept(self.address, each)
                    count += 1
            while stamps := ledger.unkept_stamps(self.address):
                for stamp in stamps:
                    self._keeper().keep(stamp_name(stamp), io.BytesIO(stamp.der))
                    ledger.kept_stamp(self.address, stamp)
        return count


class Stamping:
    """An authority that stamps the newest of them, every so many seconds."""

    def __init__(
        self, address: str, make: Callable[[], Authority], every_s: float, ledger: Callable[[], Witnesses]
    ) -> None:
        self.address, self._every_s = address, every_s
        self._authority, self._ledger = functools.cache(make), ledger

    def witness(self, *, at_once: bool = False) -> int:
        """Have the newest stamped, where it is time to."""
        ledger = self._ledger()
        with _noted(ledger, self.address):
            newest = ledger.to_stamp(0.0 if at_once else self._every_s)
            if newest is None:
                return 0
            ledger.stamped(self.address, self._authority().stamp(newest))
            return 1


class Witnessing:
    """The threads. `leads` says whether this process is the one to do it."""

    def __init__(
        self, witnesses: Sequence[Witness], leads: Callable[[], bool], look_s: float = LOOK_S, again_s: float = AGAIN_S
    ) -> None:
        self._leads, self._look_s, self._again_s = leads, look_s, again_s
        self._ended = threading.Event()
        self._threads = [
            # A daemon: one that hangs keeps the process from nothing.
            threading.Thread(target=self._again_and_again, args=(each,), name=f"witness {each.address}", daemon=True)
            for each in witnesses
        ]

    def start(self) -> None:
        """Begin; where no witness is configured there is nothing to do."""
        for each in self._threads:
            each.start()

    def stop(self) -> None:
        """End, with what was signed until now tried once more; what is not done then the next process does."""
        self._ended.set()
        latest = time.monotonic() + END_S
        for each in self._threads:
            each.join(timeout=max(latest - time.monotonic(), 0.0))

    def _again_and_again(self, witness: Witness) -> None:
        failed = ""
        while not self._ended.wait(self._again_s if failed else self._look_s):
            failed = self._try(witness, failed)
        self._try(witness, failed)

    def _try(self, witness: Witness, before: str) -> str:
        """Return why it failed, "" where it did not."""
        try:
            if self._leads():
                witness.witness()
        except Exception as error:  # noqa: BLE001 - tried again later; its words may quote rows
            what = "the ledger failed" if isinstance(error, LedgerFailed) else "internal error"
            told = str(error) if isinstance(error, RotatorError) else f"{what} ({type(error).__name__})"
            if told != before:
                log.warning("evidence_unwitnessed: %s: %s", witness.address, told)
            return told
        return ""


@contextlib.contextmanager
def _noted(ledger: Witnesses, name: str) -> Iterator[None]:
    try:
        yield
    except RotatorError as error:
        ledger.failed(name, str(error))
        raise
    ledger.well(name)


def _authority(address: str, roots: Path) -> Authority:
    return Authority(address, authorities(roots))
