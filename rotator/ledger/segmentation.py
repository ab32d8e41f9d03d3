"""What one compromise of each place reaches, measured once on a day: kept, and told in the service's own chain."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, func, insert, select

from rotator.ledger import service, tables
from rotator.ledger.approving import one_at_a_time
from rotator.ledger.database import Database

ACT = "segmented"
_DAY_S = 86400.0
_segmented = tables.segmented
Figures = Mapping[str, Any]


def is_noted(database: Database, now: float) -> bool:
    """Tell whether it was measured on this day (UTC)."""
    with database.read() as connection:
        return _is_noted(connection, now)


def note(database: Database, at: float, figures: Figures) -> None:
    """Keep what was measured; nothing where another process has kept this day's."""
    with database.write() as connection:
        one_at_a_time(connection)
        if not _is_noted(connection, at):
            values = {"day": int(at // _DAY_S), "at": at, "figures": json.dumps(figures)}
            connection.execute(insert(_segmented).values(**values))
            service.note(connection, {"at": at, "act": ACT, **figures})


def noted(database: Database) -> list[tuple[float, Figures]]:
    """Return what was measured on each day, and when, the oldest first."""
    query = select(_segmented.c.at, _segmented.c.figures).order_by(_segmented.c.day)
    with database.read() as connection:
        return [(at, json.loads(figures)) for at, figures in connection.execute(query)]


def _is_noted(connection: Connection, now: float) -> bool:
    day = connection.execute(select(func.max(_segmented.c.day))).scalar()
    return day is not None and day >= int(now // _DAY_S)
