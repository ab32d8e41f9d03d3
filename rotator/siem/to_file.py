"""Append to a file that something else reads: opened anew for each batch, so that it may be moved away at any time."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from rotator.errors import Unavailable
from rotator.siem.channel import Line


class ToFile:
    """One file; it is made where it is missing, for its owner alone."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def send(self, lines: Sequence[Line]) -> str:
        """Append the lines and have them on the disk. Raises Unavailable where that cannot be."""
        content = "".join(f"{each.text}\n" for each in lines).encode()
        try:
            with self._path.open("ab+", buffering=0) as file:
                os.fchmod(file.fileno(), 0o600) if file.tell() == 0 else None
                if _is_torn(file.fileno(), file.tell()):
                    content = b"\n" + content  # what a crash left is closed; it comes again, whole
                while content:
                    content = content[file.write(content) :]
                os.fsync(file.fileno())
            _keep_name(self._path.parent)
        except OSError as error:
            raise Unavailable("file_not_written", error.strerror or type(error).__name__) from None
        return "written"

    def reach(self) -> str:
        """Look whether it could be written. Raises Unavailable."""
        there = self._path if self._path.exists() else self._path.parent
        if self._path.is_dir() or not os.access(there, os.W_OK):
            raise Unavailable("file_not_written", "is it a file, in a folder that is there and may be written?")
        return "can be written"


def _is_torn(file: int, length: int) -> bool:
    return length > 0 and os.pread(file, 1, length - 1) != b"\n"


def _keep_name(folder: Path) -> None:
    """Have the name of a new file on the disk too."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
