"""Alarms in a list: which came, how each stands, and which incident it became."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, RowMapping, func, select

from rotator.ledger import tables

RECEIVED, WAITING, DECLARED, SAME, TRIAGED = "received", "waiting", "declared", "same", "triaged"
_LISTED = ("id", "sender", "title", "received_at", "state", "same_as", "reason", "due_at")


@dataclass(frozen=True, slots=True)
class Alarm:
    """An alarm in a list. `incident` is None until it is declared, `reason` why it is not.

    One of an advisory becomes none: it is triaged, and `reason` says whom it touches.
    """

    id: str
    sender: str
    title: str
    received_at: float
    state: str
    same_as: str | None
    incident: str | None
    reason: str | None
    due_at: float | None


def listed(connection: Connection) -> list[Alarm]:
    """Return every alarm, the newest first."""
    table, first = tables.trigger, tables.trigger.alias("first")
    query = (
        select(*(table.c[name] for name in _LISTED), first.c.incident, first.c.state.label("stands"))
        .join(first, first.c.id == func.coalesce(table.c.same_as, table.c.id))
        .order_by(table.c.received_at.desc(), table.c.id)
    )
    found = connection.execute(query).mappings().all()
    return [
        Alarm(
            **{name: each[name] for name in _LISTED}, incident=each["incident"] if each["stands"] == DECLARED else None
        )
        for each in found
    ]


def waiting(connection: Connection, limit: int) -> tuple[int, list[Alarm]]:
    """Return how many alarms are no incident yet, and those that came first: so many, each once if told again."""
    table = tables.trigger
    is_undeclared = table.c.state.in_((RECEIVED, WAITING))
    query = select(*(table.c[name] for name in _LISTED)).where(is_undeclared)
    count = connection.execute(select(func.count()).select_from(table).where(is_undeclared)).scalar_one()
    found = connection.execute(query.order_by(table.c.received_at, table.c.id).limit(limit)).mappings().all()
    return count, [Alarm(**each, incident=None) for each in found]


def newest(connection: Connection, *where: Any, closed_too: bool = False) -> RowMapping | None:
    """Return the newest alarm of which this is so, and whose incident is not closed."""
    table, first, incident = tables.trigger, tables.trigger.alias("first"), tables.incident
    query = (
        select(table)
        .join(first, first.c.id == func.coalesce(table.c.same_as, table.c.id))
        .outerjoin(incident, incident.c.id == first.c.incident)
        .where(*where)
    )
    if not closed_too:
        query = query.where(incident.c.closed_at.is_(None))
    return connection.execute(query.order_by(table.c.received_at.desc()).limit(1)).mappings().first()
