"""The one embedded runtime of a ledger: a lock that it holds for its life, by which others know whether it stays."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import IO

from rotator.bootstrap import Rotator
from rotator.errors import BadInput

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

    def is_manned(self) -> bool:
        """Tell whether who had it last still runs, also one that ends when nothing is due."""
        try:
            os.kill(int(self._path.read_text().split()[0]), 0)
        except (OSError, ValueError, IndexError) as error:
            return isinstance(error, PermissionError)  # another user's process, but a process
        return True

    def leave_to(self, process: int) -> None:
        """Note who was started to take it, so that nobody is missed while that begins."""
        if self._path.read_text() == f"{os.getpid()}\n":  # else another has taken it since
            self._path.write_text(f"{process}\n")

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


def is_unmanned(parts: Rotator) -> bool:
    """Tell whether nothing here works at what is due now. Of other machines nobody here knows."""
    lock = RuntimeLock(parts.settings.data_dir)
    return parts.settings.embedded and not (lock.is_manned() or lock.is_attended())
