"""Read a plain list of credential ids that somebody wrote: CSV with a header, or JSON. Ids only, never secrets.

The columns are provider and id, and where known owner, account, connection and path. JSON is an array of objects with
the same keys, or of texts `provider:id`.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Mapping

from rotator.credential import Leaked
from rotator.flow.exposure import LIST, Exposure
from rotator.intake.json_pieces import elements
from rotator.intake.report import Head, Report

SOURCE = LIST
DESCRIPTION = "a list of ids (CSV with the columns provider,id; JSON)"

_COLUMNS = ("provider", "id", "owner", "account", "connection", "path")
_FORBIDDEN = re.compile(r"secret|password|passwd|passphrase|token|private|material", re.IGNORECASE)
_KIND = re.compile(r"[a-z][a-z0-9_]{0,62}")
_EXAMPLE = "write provider,id such as aws_iam_access_key,AKIA..."


def claims(head: Head) -> bool:
    """Tell whether this is such a list."""
    if head.opens == "[":
        return head.then == '"' or {"provider", "id"} <= head.keys
    return head.opens != "{" and {"provider", "id"} <= set(_names(head.first_line.split(",")))


def exposures(report: Report) -> Iterator[Exposure]:
    """Yield one exposure for each id. Raises BadInput where a row is incomplete, or the list holds secrets."""
    if report.head.opens != "[":
        yield from _rows(report)
        return
    for ordinal, value in enumerate(elements(report), start=1):
        where = f"entry {ordinal}"
        if isinstance(value, str):
            provider, _, credential_id = value.partition(":")
            fields: Mapping[str, object] = {"provider": provider, "id": credential_id}
        elif isinstance(value, dict):
            _refuse_secrets(report, where, value)
            fields = value
        else:
            raise report.bad("an entry is an object or a text", where, 'write {"provider": ..., "id": ...}')
        yield _exposure(report, where, fields, None)


def _rows(report: Report) -> Iterator[Exposure]:
    number = 0

    def text() -> Iterator[str]:
        nonlocal number
        for number, line in report.lines():  # noqa: B007 - the reader below says where it is
            yield line.removesuffix("\r")

    rows = csv.reader(text(), strict=True)
    try:
        names = _names(next(rows))
        _refuse_secrets(report, "line 1", names)
        for row in rows:
            if len(row) != len(names):
                raise report.bad(f"{len(row)} columns where the header has {len(names)}", f"line {number}", _EXAMPLE)
            yield _exposure(report, f"line {number}", dict(zip(names, row, strict=True)), number)
    except csv.Error:
        raise report.bad("this is not CSV", f"line {number}", "check its quotes and commas") from None


def _names(header: list[str]) -> list[str]:
    return [name.strip().strip('"').lower() for name in header]


def _refuse_secrets(report: Report, where: str, names: Iterable[str]) -> None:
    if any(_FORBIDDEN.search(name) for name in names):
        mend = f"a list holds ids only: leave {', '.join(_COLUMNS)}; secrets go beside their ids into JSON lines"
        raise report.bad("a column for secrets", where, mend)


def _exposure(report: Report, where: str, fields: Mapping[str, object], number: int | None) -> Exposure:
    cells: dict[str, str] = {}
    for name in _COLUMNS:
        value = fields.get(name)
        text = value.strip() if isinstance(value, str) else str(value) if type(value) is int else ""
        if not text.isprintable() or "-----BEGIN" in text:
            raise report.bad(f"`{name}` is not a plain word", where, "a list holds ids only")
        cells[name] = text
    if not _KIND.fullmatch(cells["provider"]):
        raise report.bad("`provider` is not the name of a kind", where, _EXAMPLE)
    if not cells["id"]:
        raise report.bad("`id` is missing", where, _EXAMPLE)
    return Exposure(
        source=SOURCE,
        rule=cells["provider"],
        leaked=Leaked(
            id=cells["id"],
            owner=cells["owner"] or None,
            account=cells["account"] or None,
            connection=cells["connection"] or None,
        ),
        path=cells["path"] or report.name,
        line=None if cells["path"] else number,
    )
