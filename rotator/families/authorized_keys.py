"""The text of an `authorized_keys` file: which line lets which key in, and how to add or take away one. Pure.

Lines are read the way sshd reads them (sshd(8), AUTHORIZED_KEYS FILE FORMAT), not the way they are usually written:
a line ends at a newline alone, its text at a NUL, options may hold quoted spaces, and white space inside the key is
skipped. A thief may have written the file; a line that sshd accepts and we overlook would be a key left alive.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass

from rotator.errors import Rejected

EMPTIED = b"# rotator took away the last key\n"
_BLANK = b" \t"
_SKIPPED_IN_A_KEY = re.compile(rb"[\r\v\f]")
_TELLABLE = re.compile(r"[\x20-\x7e]*")
_PREFIX = "SHA256:"
_LONGEST_TYPE = 64


@dataclass(frozen=True, slots=True)
class Entry:
    """One line that lets a key in. `options` and `comment` are the bytes as they stand in the file."""

    fingerprint: str
    options: bytes
    kind: bytes
    blob: bytes
    comment: bytes

    @property
    def public(self) -> bytes:
        """Return the line as it stands without options."""
        return b" ".join(part for part in (self.kind, base64.b64encode(self.blob), self.comment) if part)

    def tellable(self) -> bool:
        """Tell whether the options may be kept as evidence: plain text, and no variable that may hold a secret."""
        text = self.options.decode("latin-1")
        return _TELLABLE.fullmatch(text) is not None and "environment=" not in text.lower()


def fingerprint(blob: bytes) -> str:
    """Return the name of a public key, as `ssh-keygen -l` prints it."""
    return _PREFIX + base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")


def is_fingerprint(text: str) -> bool:
    """Tell whether the text is such a name."""
    return re.fullmatch(_PREFIX + r"[A-Za-z0-9+/]{43}", text) is not None


def entries(text: bytes) -> list[Entry]:
    """Return the lines that let a key in, in order; comments and what cannot be read are left out."""
    return [entry for line in _lines(text) if (entry := _entry(line)) is not None]


def public_entry(public_key: str) -> Entry:
    """Read a public key as it is delivered: one line without options.

    Raises Rejected("unreadable") for anything else, so that no other line is carried into the file.
    """
    entry = _entry(public_key.encode("utf-8", "replace").strip())
    if entry is None or entry.options or re.search(r"[\x00-\x1f]", public_key.strip()):
        raise Rejected("unreadable", "the public key is not one line of type, key and comment")
    return entry


def without(text: bytes, name: str) -> bytes:
    """Take away every line of that key and leave every other byte alone; a file is never left without a line."""
    kept = b"".join(line for line in _lines(text) if (entry := _entry(line)) is None or entry.fingerprint != name)
    return kept if kept.strip() or kept == text else EMPTIED


def with_key(text: bytes, key: Entry, options: Iterable[bytes]) -> bytes:
    """Add the key, one line for each of the given options, unless it is listed; leave every other byte alone."""
    if any(entry.fingerprint == key.fingerprint for entry in entries(text)):
        return text
    lines = [(option + b" " if option else b"") + key.public for option in dict.fromkeys(options)]
    start = text if not text or text.endswith(b"\n") else text + b"\n"
    return start + b"".join(line + b"\n" for line in lines)


def _lines(text: bytes) -> list[bytes]:
    """Return the lines with their newlines, which alone end a line here (`bytes.splitlines` knows others)."""
    return re.findall(rb"[^\n]*\n|[^\n]+", text)


def _entry(line: bytes) -> Entry | None:
    line = line.removesuffix(b"\n").split(b"\0", 1)[0].lstrip(_BLANK)
    if not line or line.startswith(b"#"):
        return None
    plain = _key(b"", line)
    if plain is not None:
        return plain
    end = _end_of_options(line)
    return _key(line[:end], line[end:].lstrip(_BLANK))


def _key(options: bytes, text: bytes) -> Entry | None:
    kind, *after = re.split(rb"[ \t]", text, maxsplit=1)
    encoded = re.split(rb"[ \t]", b"".join(after).lstrip(_BLANK), maxsplit=1)
    try:
        blob = base64.b64decode(_SKIPPED_IN_A_KEY.sub(b"", encoded[0]), validate=True)
    except binascii.Error:
        return None
    if not _names_its_type(blob):
        return None
    comment = encoded[1].strip() if len(encoded) > 1 else b""
    return Entry(fingerprint(blob), options, kind, blob, comment)


def _names_its_type(blob: bytes) -> bool:
    """Tell whether the bytes begin as every public key does: with the length and the name of its type."""
    length = int.from_bytes(blob[:4], "big")
    return 0 < length <= _LONGEST_TYPE and len(blob) > 4 + length


def _end_of_options(line: bytes) -> int:
    quoted = False
    position = 0
    while position < len(line):
        if line[position : position + 2] == b'\\"':
            position += 1
        elif line[position : position + 1] == b'"':
            quoted = not quoted
        elif not quoted and line[position : position + 1] in (b" ", b"\t"):
            break
        position += 1
    return position
