"""What was read of a dataset, as a file: by whom, where and since when, then its manifest, then the digest of that.

It is how a reading comes to a ledger that is elsewhere. Nobody signs it: it is as good as who made it and who gave it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import BinaryIO, TextIO

from rotator.errors import BadInput
from rotator.manifests.entry import FORMAT, Entry, Kind, Written, encoded, entry_of

FORM = "rotator reading 1"
_LONGEST = 1 << 16
_LONGEST_WORD = 1024
_NEVER = 1e11
_END = "SHA-256 "
_DIGEST = re.compile(r"[0-9a-f]{64}")
_NOT_SAID = "it does not say who read what, where and when"
_MEND = "give the file as `rotator manifest read` wrote it"


@dataclass(frozen=True, slots=True)
class Reading:
    """Who read, where, through which connection, and when he began, in epoch seconds: it knows of nothing later."""

    by: str
    place: str
    host: str
    connection: str
    began_at: float


def write(file: TextIO, reading: Reading, found: Iterable[Entry]) -> Written:
    """Write a reading, with entries in the order of their paths; return what they come to."""
    written = Written()
    file.write(f"{FORM}\n{json.dumps(asdict(reading), sort_keys=True)}\n{FORMAT}\n")
    file.writelines(each.line for each in written.through(found))
    file.write(f"{_END}{written.digest}\n")
    return written


def read(given: BinaryIO, where: str) -> tuple[Reading, Iterator[Entry]]:
    """Return who read, and what he found, in the order of the paths; errors say `where` that stands.

    Raises BadInput for what is no reading, and, at the end, for one that is not whole.
    """
    lines = _lines(given, where)
    if next(lines, "") != FORM:
        raise BadInput("this is no reading of a dataset", where, _MEND)
    reading = _reading(next(lines, ""), f"{where}, line 2")
    if next(lines, "") != FORMAT:
        raise BadInput("no manifest of a form that is known here follows", f"{where}, line 3", _MEND)
    return reading, _entries(lines, where)


def _lines(given: BinaryIO, where: str) -> Iterator[str]:
    number = 0
    while raw := given.readline(_LONGEST):
        number += 1
        try:
            line = raw.decode()
        except UnicodeDecodeError:
            raise BadInput("this is no text", f"{where}, line {number}", _MEND) from None
        if not line.endswith("\n"):
            raise BadInput("it ends within a line", f"{where}, line {number}", _MEND)
        yield line[:-1]


def _reading(line: str, where: str) -> Reading:
    try:
        found = Reading(**json.loads(line))
    except (ValueError, TypeError, RecursionError):
        raise BadInput(_NOT_SAID, where, _MEND) from None
    words = (found.by, found.place, found.host, found.connection)
    are_words = all(isinstance(each, str) and len(each) <= _LONGEST_WORD for each in words)
    is_when = type(found.began_at) in {int, float} and 0 <= found.began_at < _NEVER
    if not (are_words and found.by.strip() and found.place and is_when):
        raise BadInput(_NOT_SAID, where, _MEND)
    return found


def _entries(lines: Iterator[str], where: str) -> Iterator[Entry]:
    written, before = Written(), None
    for number, line in enumerate(lines, 4):
        if line.startswith(_END) and "\t" not in line:
            if line.removeprefix(_END) != written.digest or next(lines, None) is not None:
                raise BadInput("what stands in it is not what was read", f"{where}, line {number}", _MEND)
            return
        entry = _entry(line)
        if entry is None or (before is not None and entry.path <= before):
            raise BadInput("this line tells of no path, or not in its turn", f"{where}, line {number}", _MEND)
        before = entry.path
        yield from written.through([entry])
    raise BadInput("it is not whole: its end is missing", where, _MEND)


def _entry(line: str) -> Entry | None:
    """Return what a line tells; None for what no reading writes."""
    try:
        found = entry_of(line)
    except ValueError:
        return None
    is_file = found.kind is not Kind.FILE or _DIGEST.fullmatch(found.value)
    is_as_written = found.line == f"{line}\n" and (found.size or 0) >= 0
    return found if is_file and is_as_written and not any(map(_is_raw, (found.path, found.value))) else None


def _is_raw(text: str) -> bool:
    """Tell whether what could end a line or a column, or turn it, stands there as it is."""
    return encoded(text.replace("%", "").encode()) != text.replace("%", "")
