"""What people were told of incidents, and what a channel would not take: as reports and lists show it."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, select

from rotator.ledger import tables

WAITING, SENT, GIVEN_UP = "waiting", "sent", "given_up"
_notice, _hears, _message = tables.notice, tables.hears, tables.message


@dataclass(frozen=True, slots=True)
class Told:
    """A message in a list. `settled_at` is when it was sent or given up, None while it is tried."""

    id: str
    channel: str
    incident: str
    state: str
    attempts: int
    made_at: float
    due_at: float | None
    settled_at: float | None
    reason: str | None
    events: tuple[str, ...]


def told(connection: Connection, incident: str | None = None) -> list[Told]:
    """Return the messages about an incident, or all, in the order in which they were made."""
    query = select(_message).order_by(_message.c.made_at, _message.c.id)
    of = select(_hears.c.message, _notice.c.event).join(_notice, _notice.c.id == _hears.c.notice)
    of = of.where(_hears.c.message.is_not(None)).order_by(_notice.c.id)
    if incident is not None:
        query, of = query.where(_message.c.incident == incident), of.where(_notice.c.incident == incident)
    events: dict[str, dict[str, None]] = {}
    for message, event in connection.execute(of):
        events.setdefault(message, {})[event] = None
    return [Told(**each, events=tuple(events.get(each["id"], ()))) for each in connection.execute(query).mappings()]
