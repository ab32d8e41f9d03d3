"""The records of a log, one by one: what tells nothing is counted, and never the end of the others."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator

from rotator.access.event import Event, Unread
from rotator.errors import BadInput
from rotator.intake.json_pieces import elements
from rotator.intake.report import Report


def values(report: Report) -> Iterator[object]:
    """Yield each value of an array or of JSONL, whichever the log is; None for a line that is no JSON.

    Raises BadInput where an array is cut off: what follows is not there.
    """
    return elements(report) if report.head.opens == "[" else (parsed(line) for _, line in report.lines())


def parsed(text: str) -> object:
    """Return what the JSON says, None where it is none."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def identity(known: str, value: object) -> str:
    """Return its issuer's id of a record, where that is `known`; else a digest of it, however it is written.

    What is nested too deeply to be written has none.
    """
    if known:
        return known
    try:
        normal = json.dumps(value, sort_keys=True, separators=(",", ":"))
    except RecursionError:
        return ""
    return hashlib.blake2b(normal.encode(), digest_size=16).hexdigest()


def told(found: Iterable[Event | Unread | None], example: str) -> Iterator[Event | Unread]:
    """Yield what records tell, and those that tell nothing; None stands for one that is of no credential.

    Raises BadInput at the end where all were of the second sort: it is no such log, and `example` says what is.
    """
    first, is_log = None, False
    for each in found:
        if isinstance(each, Unread):
            first = first or each
        else:
            is_log = True
        if each is not None:
            yield each
    if first is not None and not is_log:
        raise BadInput(f"this is no such log: {first.why}", f"{first.file}, record {first.record}", example)
