"""The compliance report's population as a table for spreadsheets: a row for each credential, whether counted or not.

After those that were exposed come those that came due by hygiene: they have a `policy`.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from itertools import chain
from typing import Any

from rotator.flow import punctuality
from rotator.flow.punctuality import Duty
from rotator.flow.response import Response
from rotator.ledger.responses import Found
from rotator.report.clocks import moment
from rotator.report.compliance import state_of
from rotator.report.csv_form import safe

_NAMES = ("incident", "of", "severity", "provider", "connection", "owner", "credential", "strategy")
_TIMES = ("exposed_at", "detected_at", "declared_at", "requested_at", "acknowledged_at", "contained_at")
_DONE = ("replaced_at", "converged_at", "weight", "dismissed", "reason", "risk_accepted", "vendor")
_DUE = ("policy", "made_at", "due_at", "replace_by", "noted_at")


def text(found: Found, made_at: float) -> Iterator[str]:
    """Yield the lines: the names of the columns, then each credential as it stood at a moment, incident by incident."""
    line = io.StringIO()
    writer = csv.writer(line)
    writer.writerow([*_NAMES, "state", *_TIMES, "proven_dead_at", *_DONE, *_DUE])
    for row in chain(map(_row, _sorted(found)), (_duty(each, made_at) for each in found.duties if not each.gone)):
        writer.writerow(map(safe, row))
        if line.tell() > io.DEFAULT_BUFFER_SIZE:
            yield line.getvalue()
            line.seek(0)
            line.truncate()
    yield line.getvalue()


def _sorted(found: Found) -> list[Response]:
    return sorted(found.responses, key=lambda one: (one.incident, len(one.of), one.of))


def _row(each: Response) -> list[Any]:
    times = [moment(getattr(each, name)) for name in (*_TIMES, "dead_at", *_DONE[:2])]
    rest = [getattr(each, name) for name in _DONE[2:]]
    names = [getattr(each, name) for name in _NAMES]
    return [*names, state_of(each), *times, *rest, *[""] * len(_DUE)]


def _duty(each: Duty, made_at: float) -> list[Any]:
    known = {name: getattr(each, name) for name in ("of", "provider", "connection", "owner", "credential", "policy")}
    known["state"] = punctuality.state_of(each, made_at)
    known |= {name: moment(getattr(each, name)) for name in ("replaced_at", *_DUE[1:])}
    return [known.get(name, "") for name in (*_NAMES, "state", *_TIMES, "proven_dead_at", *_DONE, *_DUE)]
