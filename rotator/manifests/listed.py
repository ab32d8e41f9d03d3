r"""A list of files with their SHA-256, as `sha256sum` and BagIt write it: what is told of a dataset that is elsewhere.

`sha256sum` begins a line with `\` where it had to write `\n`, `\r` or `\\` in a name (GNU coreutils manual, "md5
invocation"). BagIt writes `%0A`, `%0D` and `%25` instead (RFC 8493, 2.1.3): these three are read so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO

from rotator.errors import BadInput
from rotator.manifests.entry import Entry, Kind, encoded

_LONGEST = 1 << 16
_LINE = re.compile(rb"(\\?)([0-9a-fA-F]{64})(?> [ *]|[ \t]+)(?:\./)?(.+)", re.DOTALL)
_ESCAPES = {b"\\n": b"\n", b"\\r": b"\r", b"\\\\": b"\\"}
_MEND = "one line a file, as `sha256sum` writes them: the SHA-256, two spaces, the path"


def read(given: BinaryIO, where: str) -> Iterator[Entry]:
    """Yield what each line says; sizes are not in it. Raises BadInput for a line that is no such."""
    number = 0
    while line := given.readline(_LONGEST):
        number += 1
        yield _entry(line.removesuffix(b"\n").removesuffix(b"\r"), f"{where}, line {number}")


def _entry(line: bytes, where: str) -> Entry:
    found = _LINE.fullmatch(line)
    if found is None or len(line) >= _LONGEST - 2:
        raise BadInput("this line tells no file's SHA-256", where, _MEND)
    escaped, digest, name = found.groups()
    if escaped:
        name = re.sub(rb"\\.", lambda each: _ESCAPES.get(each[0], each[0]), name)
    name = re.sub(rb"%(?:0[aAdD]|25)", lambda each: bytes.fromhex(each[0][1:].decode()), name)
    return Entry(encoded(name), Kind.FILE, None, digest.decode().lower())
