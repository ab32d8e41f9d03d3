"""Look for material where none may be: in what was said, in files byte by byte, in tables, in command lines."""

from __future__ import annotations

import base64
import contextlib
import sqlite3
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path

_SHORTEST = 16
"""Characters; what is shorter would be found by chance."""


def spellings(secret: str) -> set[bytes]:
    """Return the ways in which a secret would betray itself: each line of it, plain, in hexadecimal and in base64."""
    lines = [line.strip() for line in secret.strip().splitlines() if not line.startswith("-----")]
    found = set()
    for line in lines:
        if len(line) >= _SHORTEST:
            raw = line.encode()
            found |= {raw, raw.hex().encode(), base64.b64encode(raw)[: len(raw) * 4 // 3 - 3]}
    assert found, "a secret too short to look for"
    return found


def betrayed(secrets: Iterable[str], where: str, content: bytes | str) -> list[str]:
    """Return a line for each secret that stands there. Never the secret: only which one, and where."""
    hay = content.encode() if isinstance(content, str) else content
    return [
        f"{where} holds secret {number}"
        for number, secret in enumerate(secrets)
        if any(spelling in hay for spelling in spellings(secret))
    ]


def betrayed_by_files(secrets: Iterable[str], paths: Iterable[Path]) -> list[str]:
    """Look into files, byte by byte."""
    known = list(secrets)
    return [line for path in paths for line in betrayed(known, path.name, path.read_bytes())]


def betrayed_by_tables(secrets: Iterable[str], ledger: Path) -> list[str]:
    """Look into every cell of every table of an SQLite ledger."""
    known, found = list(secrets), []
    with contextlib.closing(sqlite3.connect(ledger)) as connection:
        names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        assert {"evidence", "step", "sealed", "exposure"} <= set(names)
        for name in names:
            for row in connection.execute(f'SELECT * FROM "{name}"'):
                cells = b"\n".join(cell if isinstance(cell, bytes) else str(cell).encode() for cell in row)
                found += betrayed(known, f"table {name}", cells)
    return found


class Argv:
    """The command lines of all processes that were seen while it watched."""

    def __init__(self) -> None:
        self.seen: set[bytes] = set()
        self._stop = threading.Event()

    def look(self) -> None:
        """Note every command line that there is now."""
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            with contextlib.suppress(OSError):
                self.seen.add(path.read_bytes())

    def watch(self) -> None:
        """Look until told to stop."""
        while not self._stop.wait(0.02):
            self.look()

    def stop(self) -> None:
        self._stop.set()

    @property
    def everything(self) -> bytes:
        return b"\n".join(self.seen)


@contextlib.contextmanager
def watching_argv() -> Iterator[Argv]:
    """Watch the command lines of all processes until the block ends."""
    argv = Argv()
    thread = threading.Thread(target=argv.watch, daemon=True)
    thread.start()
    try:
        yield argv
    finally:
        argv.stop()
        thread.join()
