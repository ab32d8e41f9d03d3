"""A wall clock of some processes alone, which a test sets while they run: libfaketime. What is monotonic stays."""

from __future__ import annotations

from pathlib import Path

LIBRARY = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)


class WallClock:
    """Say in a file by how much these processes' wall clock is off."""

    def __init__(self, file: Path) -> None:
        assert LIBRARY is not None, "libfaketime is not installed: `make system-packages`"
        self._file, self._off_s = file, 0
        self.set_by(0)

    @property
    def environment(self) -> dict[str, str]:
        """Return what a process is started with to go by this clock."""
        return {
            "LD_PRELOAD": str(LIBRARY),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_NO_CACHE": "1",
            "DONT_FAKE_MONOTONIC": "1",
            "NO_FAKE_STAT": "1",
        }

    def set_by(self, seconds: int) -> None:
        """Move the hands."""
        self._off_s += seconds
        fresh = self._file.with_suffix(".new")
        fresh.write_text(f"{self._off_s:+d}\n")
        fresh.replace(self._file)
