"""The records of advisories that are kept, with those that an earlier release kept as files in `data_dir`."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from rotator.alarm.looking_up import is_id
from rotator.bootstrap import Rotator
from rotator.errors import BadInput
from rotator.intake.fields import mapping
from rotator.ledger.kept_advisories import How, KeptAdvisories
from rotator.ledger.one_transaction import OneTransaction
from rotator.packages.advisory import read

log = logging.getLogger("rotator")

FOLDER, TAKEN = "advisories", "advisories-taken-over"
_BY = "an earlier release's file"
_TAKEN_OVER = "advisories_taken_over"


def kept(parts: Rotator) -> KeptAdvisories:
    """Return them. What lies in `data_dir` is taken over first, and put aside there; a line of the log says so."""
    found = KeptAdvisories(parts.database)
    # Inside a transaction, which holds locks of its own, it is only read: who began that has looked before.
    if not isinstance(parts.database, OneTransaction) and _TAKEN_OVER not in parts.__dict__:
        _take_over(found, parts.settings.data_dir)
        parts.__dict__[_TAKEN_OVER] = True
    return found


def _take_over(into: KeptAdvisories, data_dir: Path) -> None:
    try:
        files = sorted((data_dir / FOLDER).glob("*.json"))
    except OSError:
        return
    if not files:
        return
    there = list(_read(files))
    for name, record, how, at in there:
        into.keep_from_file(name, record, how, at, _BY)
    left = _put_aside(files, data_dir / TAKEN)
    with suppress(OSError):
        (data_dir / FOLDER).rmdir()
    said = [f"the ledger has what {len(there)} of {len(files)} files in {data_dir / FOLDER} keep"]
    said += ["the others are damaged"] if len(there) < len(files) else []
    said += [f"{left} could not be put aside" if left else f"they lie in {data_dir / TAKEN} now"]
    log.warning("%s: %s", _TAKEN_OVER, "; ".join(said))


def _read(files: list[Path]) -> Iterator[tuple[str, dict[str, object], How, float]]:
    """Yield the name, the record, and how it was had and when, of each that is whole."""
    for path in files:
        with suppress(OSError, ValueError, KeyError, TypeError, RecursionError, BadInput):
            told = json.loads(path.read_bytes())
            how, at = (How.GIVEN, told["given_at"]) if "given_at" in told else (How.FETCHED, told["fetched_at"])
            record = dict(mapping(told["record"]))
            if is_id(path.stem) and read(path.stem, io.BytesIO(json.dumps(record).encode())):
                yield path.stem, record, how, datetime.fromisoformat(at).timestamp()


def _put_aside(files: list[Path], folder: Path) -> int:
    """Put files where nobody looks for them again; return how many could not be."""
    left = 0
    for path in files:
        try:
            folder.mkdir(mode=0o700, exist_ok=True)
            path.replace(folder / path.name)
        except FileNotFoundError:
            continue  # another process does the same
        except OSError:
            left += 1
    return left
