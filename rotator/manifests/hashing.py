"""Hash what is found, several at once: reading is slow, and hashing lets other threads work meanwhile."""

from __future__ import annotations

import hashlib
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor

from rotator.errors import RotatorError
from rotator.manifests.entry import Counts, Entry, Kind

THREADS = 8
_AHEAD = 8
"""How many wait for each thread at most: a million are never listed ahead of what is read."""
Found = Entry | Callable[["Meter"], Entry]
"""An entry, or what reads a file to make one."""


class GivenUp(Exception):  # noqa: N818 - no error: whoever asked has gone
    """Raised in a thread that reads on for nobody."""


class Meter:
    """How far the reading is. Counted by many threads; whoever shows it only looks."""

    def __init__(self) -> None:
        self.read = 0
        self.counts = Counts()
        self.is_over = threading.Event()
        self._lock = threading.Lock()

    def add(self, count: int) -> None:
        """Count bytes that were read. Raises GivenUp where nobody wants more."""
        if self.is_over.is_set():
            raise GivenUp
        with self._lock:
            self.read += count


def file_entry(path: str, size: int, pieces: Iterable[bytes], meter: Meter) -> Entry:
    """Return what a file of this size is, whose content comes in pieces; it was changed if it is of another size."""
    found, count = hashlib.sha256(), 0
    for piece in pieces:
        meter.add(len(piece))
        found.update(piece)
        count += len(piece)
    return Entry(path, Kind.FILE, count, found.hexdigest()) if count == size else changed(path)


def changed(path: str) -> Entry:
    """Return what is known of a file that was written to while it was read: nothing."""
    return Entry(path, Kind.UNREAD, None, "it was changed while it was read")


def failed(path: str, error: RotatorError) -> Entry:
    """Return what is known of a file whose server did not give it."""
    return Entry(path, Kind.UNREAD, None, error.reason)


def entries(found: Iterable[Found], meter: Meter, threads: int = THREADS) -> Generator[Entry]:
    """Yield an entry for each that is found, in that order; what has a file behind it is read."""
    with ThreadPoolExecutor(threads, thread_name_prefix="hashing") as pool:
        waiting: deque[Entry | Future[Entry]] = deque()
        try:
            for each in found:
                waiting.append(each if isinstance(each, Entry) else pool.submit(each, meter))
                if len(waiting) > threads * _AHEAD:
                    yield _done(waiting.popleft(), meter)
            while waiting:
                yield _done(waiting.popleft(), meter)
        finally:
            # Whoever gives up waits for no more than a piece of what is being read.
            meter.is_over.set()
            pool.shutdown(cancel_futures=True)


def _done(each: Entry | Future[Entry], meter: Meter) -> Entry:
    entry = each if isinstance(each, Entry) else each.result()
    meter.counts.add(entry)
    return entry
