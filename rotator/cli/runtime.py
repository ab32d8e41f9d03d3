"""The embedded runtime: worker, dispatcher and web in one process, one per ledger."""

from __future__ import annotations

import contextlib
import fcntl
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import IO

from rotator.bootstrap import Rotator
from rotator.errors import BadInput
from rotator.ledger.counting import SOON_S

TICK_S = 0.05
IDLE_TICKS = 3
"""How often in a row nothing must be left to do, since a message may be between two hands."""


_STAYS = " stays"
"""What stands behind the process id of a runtime that does not end by itself."""


class RuntimeLock:
    """A file lock that the one embedded runtime of a ledger holds for its life."""

    def __init__(self, data_dir: Path) -> None:
        self._path = data_dir / "runtime.lock"
        self._file: IO[str] | None = None

    def take(self, *, stays: bool = False) -> bool:
        """Take the lock; False when another process has it. Raises BadInput when there is no place for it.

        `stays` tells others that whoever has it does not end when nothing is due.
        """
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            file = self._path.open("a+")
        except OSError as error:
            raise BadInput(f"cannot be written ({error.strerror})", str(self._path), "is data_dir right?") from None
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            return False
        file.seek(0)
        file.truncate()
        file.write(f"{os.getpid()}{_STAYS if stays else ''}\n")
        file.flush()
        self._file = file
        return True

    def is_attended(self) -> bool:
        """Tell whether another process has it that does not end when nothing is due."""
        try:
            # Who ends by itself is not asked after: to try the lock may be in the way of one that starts.
            return self._path.read_text().rstrip().endswith(_STAYS) and not self._try()
        except OSError:
            return False

    def _try(self) -> bool:
        with self._path.open() as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
        return True

    def release(self) -> None:
        """Give it back."""
        if self._file is not None:
            self._file.close()
            self._file = None


def is_unattended(parts: Rotator) -> bool:
    """Tell whether nothing here would do in time what is scheduled. Of other machines nobody here knows."""
    return parts.settings.embedded and not RuntimeLock(parts.settings.data_dir).is_attended()


def run_embedded(parts: Rotator, stop: threading.Event, *, until_idle: bool, started: Callable[[], None]) -> None:
    """Run everything in this process until `stop`, or until nothing is due soon.

    Raises BadInput when another runtime has this ledger.
    """
    from workers import beat  # noqa: PLC0415 - Celery is not free
    from workers.app import EmbeddedWorker, make  # noqa: PLC0415

    lock = RuntimeLock(parts.settings.data_dir)
    if not lock.take(stays=not until_idle):
        raise BadInput(
            "another rotator runs on this ledger", str(parts.settings.data_dir), "it will do the work; nothing to start"
        )
    with contextlib.ExitStack() as ending:
        ending.callback(lock.release)
        parts.engine  # noqa: B018 - made here, before threads could make it twice
        app = make(parts)
        dispatcher = beat.dispatcher(app, parts.due)
        dispatcher.take_over_alone()
        worker = EmbeddedWorker(app)
        worker.start()
        ending.callback(worker.stop)
        notifying = parts.notifying(dispatcher.leads)
        notifying.start()
        ending.callback(notifying.stop)
        started()
        quiet = 0

        def idle() -> bool:
            nonlocal quiet
            quiet = 0 if parts.due.busy_until(SOON_S) else quiet + 1
            if quiet < IDLE_TICKS:
                notifying.go_on()
                return False
            return notifying.settled()

        while not stop.is_set():
            beat.run(dispatcher, stop, every_s=TICK_S, idle=idle if until_idle else lambda: False)
            lock.release()
            # A command that found the lock taken has left its rows to us: look again, now that the next finds it free.
            if stop.is_set() or not parts.due.busy_until(SOON_S) or not lock.take(stays=not until_idle):
                break
            quiet = 0
