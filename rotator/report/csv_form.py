"""The report as a table for spreadsheets: a row for each credential, its columns in an order that only grows."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

from rotator.flow.standing import UNCOUNTED
from rotator.report.overridden import said
from rotator.report.plain import plain
from rotator.report.revisions import each_run

_Row = Mapping[str, Any]
_FORMULA = tuple(
    "=+-@\t\r\N{FULLWIDTH EQUALS SIGN}\N{FULLWIDTH PLUS SIGN}\N{FULLWIDTH HYPHEN-MINUS}\N{FULLWIDTH COMMERCIAL AT}"
)
"""How a cell begins that a spreadsheet would compute: names come from attackers too. It is shown as text behind a `'`.

https://owasp.org/www-community/attacks/CSV_Injection
"""


def _text(name: str) -> Callable[[_Row], Any]:
    return lambda row: row[name]


def _lines(name: str) -> Callable[[_Row], str]:
    return lambda row: "; ".join(row[name])


def _said(name: str) -> Callable[[_Row], Any]:
    return lambda row: (row["dismissed"] or {}).get(name, "")


COLUMNS: Mapping[str, Callable[[_Row], Any]] = {
    **{name: _text(name) for name in ("run", "provider", "connection", "owner", "id", "state", "evidence")},
    **{name: _text(name) for name in ("strategy", "why", "revision", "exposures", "detected_at", "requested_at")},
    **{name: _text(name) for name in ("acknowledged_at", "proven_dead_at", "stated_dead_at")},
    "time_to_revoke_s": lambda row: seconds_between(row["detected_at"], row["proven_dead_at"]),
    **{name: _text(name) for name in ("replaced_at", "converged_at", "replacement", "predecessor", "settled_by")},
    "open": _lines("open"),
    "stopped": _lines("stopped"),
    "risk_accepted": _text("risk_accepted"),
    "dismissed_as": _said("as"),
    "dismissed_by": _said("by"),
    "dismissed_reason": _said("reason"),
}
_LAST = ("gates_overridden", "open_for_s")
"""Columns are only added at the end: what is said of the whole incident, in each row; how long it is open by now."""


def text(report: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lines: the names of the columns, then each credential in the report's order, each run of it a row."""
    line = io.StringIO()
    writer = csv.writer(line)
    of = report["incident"]["id"]
    overridden = " ".join(map(said, report["incident"].get("overridden", ())))
    as_of = report.get("as_of", "")  # an older service says no moment
    counted = {each["run"] for each in report["credentials"] if each["state"] not in UNCOUNTED}
    writer.writerow(["incident", *COLUMNS, *_LAST])
    yield line.getvalue()
    for each in each_run(report["credentials"]):
        line.seek(0)
        line.truncate()
        last = safe(overridden), safe(_open_for(each, as_of) if each["run"] in counted else "")
        writer.writerow([of, *(safe(found(each)) for found in COLUMNS.values()), *last])
        yield line.getvalue()


def _open_for(row: _Row, as_of: str) -> float | str:
    """Return for how many seconds it has not been proven dead, "" where it is: the figures count it for so long."""
    return "" if row["proven_dead_at"] else seconds_between(row["detected_at"], as_of)


def safe(value: Any) -> str:
    """Return a value as a cell that no spreadsheet computes, on one line."""
    if value is None:
        return ""
    told = str(value)
    shown = plain(told)
    return f"'{shown}" if told.startswith(_FORMULA) or told.lstrip().startswith(_FORMULA) else shown


def seconds_between(begin: str, end: str) -> float | str:
    """Return how long it was between two moments, never less than nothing; "" where one has not come."""
    if not begin or not end:
        return ""
    lasted = datetime.fromisoformat(end) - datetime.fromisoformat(begin)
    return max(round(lasted.total_seconds(), 3), 0.0)
