"""Keys of 32 bytes in base64: read from text, or from a file that is made at first use."""

from __future__ import annotations

import base64
import binascii
import contextlib
import os
import tempfile
from pathlib import Path

from rotator.errors import BadInput

BYTES = 32
MAKE_KEY = (
    "make one with: python3 -c 'import secrets, base64; print(base64.b64encode(secrets.token_bytes(32)).decode())'"
)


def from_text(text: str, what: str, where: str) -> bytes:
    """Return the key; `what` and `where` name it. Raises BadInput for what is not 32 bytes in base64."""
    try:
        key = base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        raise BadInput(f"{what} is not base64", where, MAKE_KEY) from None
    if len(key) != BYTES:
        raise BadInput(f"{what} has {len(key)} bytes, not {BYTES}", where, MAKE_KEY)
    return key


def from_file(path: Path, what: str, where: str) -> bytes:
    """Return the key of a file, made at first use with mode 0600. Raises BadInput when it cannot be used."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not path.exists():
            _make(path)
        text = path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        said = error.strerror if isinstance(error, OSError) else "not text"
        raise BadInput(f"{what} cannot be kept there ({said})", str(path), "is data_dir right?") from None
    return from_text(text, what, where)


def _make(path: Path) -> None:
    """Write a key whole before it gets its name, since another process may read it at any moment."""
    descriptor, draft = tempfile.mkstemp(dir=path.parent, prefix="key.")  # of mode 0600
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(base64.b64encode(os.urandom(BYTES)).decode() + "\n")
        with contextlib.suppress(FileExistsError):  # another process was faster: its key is the one
            os.link(draft, path)
    finally:
        Path(draft).unlink()
