"""One drill at a time where a configuration keeps its data: a lock that ends with the process that has it."""

from __future__ import annotations

import contextlib
import fcntl
from collections.abc import Iterator
from pathlib import Path

from rotator.errors import BadInput


@contextlib.contextmanager
def held(data_dir: Path) -> Iterator[None]:
    """Hold it until the block ends. Raises BadInput where another process has it."""
    path = data_dir / "drill.lock"
    try:
        data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        file = path.open("a")
    except OSError as error:
        raise BadInput(f"cannot be written ({error.strerror})", str(path), "is data_dir right?") from None
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BadInput("another drill is held here", str(path), "wait for its end: rotator drill list") from None
        yield
