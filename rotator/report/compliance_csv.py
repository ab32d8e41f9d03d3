"""The compliance report's population as a table for spreadsheets: a row for each credential, whether counted or not."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from rotator.ledger.responses import Found
from rotator.report.clocks import moment
from rotator.report.compliance import state_of
from rotator.report.csv_form import safe

_NAMES = ("incident", "of", "severity", "provider", "connection", "owner", "credential", "strategy")
_TIMES = ("exposed_at", "detected_at", "declared_at", "requested_at", "acknowledged_at", "contained_at")
_DONE = ("replaced_at", "converged_at", "weight", "dismissed", "reason", "risk_accepted", "vendor")


def text(found: Found) -> Iterator[str]:
    """Yield the lines: the names of the columns, then each credential, incident by incident."""
    line = io.StringIO()
    writer = csv.writer(line)
    writer.writerow([*_NAMES, "state", *_TIMES, "proven_dead_at", *_DONE])
    for each in sorted(found.responses, key=lambda one: (one.incident, len(one.of), one.of)):
        times = [moment(getattr(each, name)) for name in (*_TIMES, "dead_at", *_DONE[:2])]
        rest = [getattr(each, name) for name in _DONE[2:]]
        names = [getattr(each, name) for name in _NAMES]
        writer.writerow(map(safe, [*names, state_of(each), *times, *rest]))
        if line.tell() > io.DEFAULT_BUFFER_SIZE:
            yield line.getvalue()
            line.seek(0)
            line.truncate()
    yield line.getvalue()
