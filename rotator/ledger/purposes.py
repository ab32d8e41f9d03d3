"""Why incidents are there: somebody responds, a drill is held, or hygiene replaces what has grown old."""

from __future__ import annotations

from sqlalchemy import ColumnElement, FromClause, case, select

from rotator.flow.incident import Purpose
from rotator.ledger import tables


def purpose(incident: FromClause) -> ColumnElement[str]:
    """Return an incident's purpose: a drill and hygiene each have a row of theirs, written before it or with it."""
    drill = select(1).where(tables.drill.c.incident == incident.c.id).correlate(incident).exists()
    hygiene = select(1).where(tables.hygiene.c.incident == incident.c.id).correlate(incident).exists()
    return case((drill, Purpose.DRILL.value), (hygiene, Purpose.HYGIENE.value), else_=Purpose.RESPONSE.value)
