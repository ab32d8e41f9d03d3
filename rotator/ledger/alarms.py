"""Alarms in a list: which came, how each stands, and which incident it became."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, RowMapping, func, select, update

from rotator.ledger import tables

RECEIVED, WAITING, DECLARED, SAME, TRIAGED = "received", "waiting", "declared", "same", "triaged"
KEEPING = 491286116
"""The advisory lock of PostgreSQL under which alarms are kept, one after the other: two at once may be one."""
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


def first(connection: Connection, sender: str, alarm: str) -> RowMapping | None:
    """Return the alarm of which another that names the very same is told again; None where its incident is closed."""
    table = tables.trigger
    return newest(connection, table.c.sender == sender, table.c.alarm == alarm, table.c.same_as.is_(None))


def one_at_a_time(connection: Connection) -> None:
    """Let nobody else keep an alarm until the transaction ends."""
    if connection.dialect.name != "sqlite":
        connection.execute(select(func.pg_advisory_xact_lock(KEEPING)))


def leave_closed(connection: Connection, now: float) -> None:
    """Take what is due to be added from incidents that were closed meanwhile: it is told of a later one, or its own."""
    table, incident = tables.trigger, tables.incident
    query = (
        select(table)
        .join(incident, incident.c.id == table.c.incident)
        .where(table.c.due_at <= now, table.c.state == SAME, incident.c.closed_at.is_not(None))
        .order_by(table.c.received_at, table.c.id)
    )
    if connection.execute(query).first() is None:
        return
    one_at_a_time(connection)
    for row in connection.execute(query).mappings().all():
        values: dict[str, Any] = {"state": RECEIVED, "same_as": None, "incident": None}
        if (of := first(connection, row["sender"], row["alarm"])) is not None:
            values = {"same_as": of["id"], "incident": of["incident"]}
            if of["state"] != DECLARED:
                values = {"same_as": of["id"], "incident": None, "due_at": None, "blob": None}
        connection.execute(update(table).where(table.c.id == row["id"]).values(values))
