"""The compliance report of a period: the same at the command line, over HTTP and on the board."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from rotator import clock
from rotator.bootstrap import Rotator
from rotator.errors import BadInput
from rotator.ledger import responses
from rotator.report import compliance, files
from rotator.report.compliance import Made
from rotator.report.files import Form

_QUARTER_S = 90 * 86400.0


def file(parts: Rotator, by: str, form: Form, asked: Mapping[str, str]) -> Iterator[bytes]:
    """Return the report as a file: of what came `from` one day on and before another, `to`; else of the last 90 days.

    It says who made it, and under which checkpoint: what was committed later is not signed by that.
    Raises BadInput for a period that is none, and where PDF cannot be made here.
    """
    made_at = round(clock.now(), 3)
    end = _day(asked["to"], "--to") if asked.get("to") else made_at
    begin = _day(asked["from"], "--from") if asked.get("from") else end - _QUARTER_S
    if begin >= end:
        raise BadInput("the period ends before it begins", "--from, --to", "name an earlier day, then a later one")
    made = _made(parts, by)
    found = responses.find(parts.database, begin, end)
    report = {} if form is Form.CSV else compliance.build(found, begin, end, made_at, parts.settings.aims, made)
    return files.of_period(report, found, form, made_at)


def _made(parts: Rotator, by: str) -> Made:
    newest = parts.checkpoints.newest()
    if newest is None:
        return Made(by)
    checkpoint, signed_at = newest
    witnesses = {each.name: each.since for each in parts.witnesses.standing(parts.settings.evidence.witnesses)}
    return Made(by, checkpoint.hash, signed_at, checkpoint.told["key"], witnesses)


def _day(text: str, where: str) -> float:
    """Read a day, which begins at midnight UTC, or a moment with its zone; return epoch seconds."""
    try:
        given = datetime.fromisoformat(text)
        return given.replace(tzinfo=given.tzinfo or UTC).timestamp()
    except (ValueError, OverflowError):
        raise BadInput(f"`{text}` is no day", where, "write 2026-07-01") from None
