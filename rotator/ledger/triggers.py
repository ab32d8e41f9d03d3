"""Alarms that came over HTTP: kept before the sender is answered, declared after, once however often they are told."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, func, insert, or_, select, update

from rotator import clock
from rotator.credential import Secret
from rotator.flow.exposure import Exposure
from rotator.flow.incident import Severity
from rotator.ledger import alarms, notices, revisions, rows, tables
from rotator.ledger.acts import act
from rotator.ledger.alarms import DECLARED, RECEIVED, SAME, TRIAGED, WAITING, Alarm
from rotator.ledger.database import Database
from rotator.ledger.enrolment import new_incident_id
from rotator.seal import Seal
from rotator.triggers import keeping
from rotator.triggers.message import Missing, Trigger

TAKEN_S = 300.0
"""For how long who takes an alarm has it to himself."""
_LATER_S, _LATEST_S = 30.0, 3600.0
"""When an alarm that could not be declared is tried again: twice as late each time, up to an hour."""
_BYTES_A_SECOND = 1024.0
"""Of an alarm, sealed, as it is declared while an issuer is down: a whole MiB takes a quarter of an hour and more."""

_LONGEST_ID = 200

_TOLD = ("id", "sender", "delivery", "title", "detected_at", "exposed_at", "attempts")


@dataclass(frozen=True, slots=True)
class Kept:
    """Which alarm a message is, and whether it is the very message that came before."""

    id: str
    state: str
    again: bool = False


@dataclass(frozen=True, slots=True)
class Taken:
    """An alarm to be declared, as the incident whose id is already its own; or one that is told `again` of that."""

    id: str
    sender: str
    delivery: str
    title: str
    severity: Severity
    detected_at: float
    exposed_at: float | None
    incident: str
    attempts: int
    again: bool
    sealed: bytes = field(repr=False)


class Triggers:
    """Keep alarms, hand them out to be declared, and say how they stand."""

    def __init__(self, database: Database, seal: Seal, clock: Callable[[], float] = clock.now) -> None:
        self._database, self._seal, self._clock = database, seal, clock

    def keep(self, sender: str, trigger: Trigger, body: bytes) -> Kept:
        """Write an alarm down; it is there for good when this returns. What was written before is not written again.

        It is known by what it names, and the sender's id of the message or, where he gives none, its body: some give
        two alarms one id. Another message of his that names the very same credentials is the same alarm, as long as its
        incident is not closed: that is told of it, and has what it names looked at again.
        """
        now, own_id = self._clock(), trigger.delivery
        if own_id is not None and len(own_id) > _LONGEST_ID:
            own_id = self._seal.fingerprint(Secret(own_id))
        delivery = own_id or f"body {self._seal.fingerprint(Secret(body.decode('latin-1')))}"
        trigger = keeping.without_secrets(trigger)
        alarm = self._seal.fingerprint(keeping.same_alarm(trigger))
        table, new = tables.trigger, f"trg-{datetime.fromtimestamp(now, UTC):%Y%m%d}-{secrets.token_hex(4)}"
        with self._database.write() as connection:
            alarms.one_at_a_time(connection)
            told = (table.c.sender == sender, table.c.delivery == rows.plain(delivery), table.c.alarm == alarm)
            before = alarms.newest(connection, *told, closed_too=own_id is not None)
            if before is not None:
                return Kept(before["same_as"] or before["id"], before["state"], again=True)
            first = alarms.first(connection, sender, alarm)
            # Of what is not declared yet nothing is dead that could live again.
            incident = first["incident"] if first is not None and first["state"] == DECLARED else None
            row = {
                "id": new,
                "sender": sender,
                "delivery": delivery,
                "alarm": alarm,
                "title": trigger.title,
                "severity": trigger.severity.value,
                "received_at": now,
                "detected_at": min(trigger.detected_at or now, now),
                "exposed_at": None if trigger.exposed_at is None else min(max(trigger.exposed_at, 0.0), now),
                "attempts": 0,
                "state": RECEIVED if first is None else SAME,
                "same_as": None if first is None else first["id"],
                "incident": incident,
                "due_at": now if first is None or incident else None,
            }
            blob = self._seal.close(keeping.written(trigger), new) if first is None or incident else None
            connection.execute(insert(table).values(**rows.plain(row), blob=blob))
            if incident is not None:
                act(connection, incident, {**_of(row), "act": "told again"})
        return Kept(new, str(row["state"]))

    def everything_is_due(self) -> None:
        """Let what nobody has declared, or added, be tried at once: the process that had it may be gone."""
        undone = tables.trigger.c.blob.is_not(None)
        with self._database.write() as connection:
            connection.execute(update(tables.trigger).where(undone).values(due_at=self._clock()))

    def take(
        self, shorter_than: int | None = None, but: Collection[str] = (), not_of: Collection[str] = ()
    ) -> Taken | None:
        """Hand out an alarm that is due, None when there is none; for a while nobody else gets it.

        Short ones come before long ones, unless these wait as long as they take themselves, more or less.

        `shorter_than`: bytes of what it names, sealed. `but`: those that the caller has in hand, however long ago.
        `not_of`: senders whose alarms are left to others.
        """
        table, now = tables.trigger, self._clock()
        query = (
            select(table)
            .where(table.c.due_at <= now, *_wanted(shorter_than, but, not_of))
            .order_by(table.c.due_at + func.length(table.c.blob) / _BYTES_A_SECOND, table.c.id)
            .limit(1)
        )
        with self._database.write() as connection:
            alarms.leave_closed(connection, now)
            row = connection.execute(query.with_for_update(skip_locked=True)).mappings().first()
            if row is None:
                return None
            # The incident's id is written before the incident is: whoever comes after a crash declares the same one.
            again, incident = row["same_as"] is not None, row["incident"] or new_incident_id(now)
            taken = {"incident": incident, "due_at": now + TAKEN_S}
            connection.execute(update(table).where(table.c.id == row["id"]).values(taken))
            told_in = revisions.told_in(connection, incident) if again else incident
        told = {name: row[name] for name in _TOLD}
        return Taken(**told, severity=Severity(row["severity"]), incident=told_in, again=again, sealed=row["blob"])

    def retitled(self, trigger: str, title: str) -> None:
        """Give an alarm, and what was told again of it, another title: the first held what has leaked."""
        table = tables.trigger
        alike = or_(table.c.id == trigger, table.c.same_as == trigger)
        with self._database.write() as connection:
            connection.execute(update(table).where(alike).values(rows.plain({"title": title})))

    def contents(self, taken: Taken) -> tuple[tuple[Exposure, ...], tuple[Missing, ...]]:
        """Return what an alarm names. Raises BadInput when it was sealed with another key."""
        return keeping.read_back(self._seal.open(taken.sealed, taken.id))

    def advisories(self, taken: Taken) -> tuple[str, ...]:
        """Return the records of advisories that it carried. Raises BadInput when it was sealed with another key."""
        return keeping.advisories(self._seal.open(taken.sealed, taken.id))

    def triaged(self, trigger: str, said: str) -> None:
        """Say that vendors were triaged for an alarm, and with what outcome: what was sealed goes."""
        table = tables.trigger
        values = {"state": TRIAGED, "due_at": None, "reason": said, "blob": None}
        mine = (table.c.id == trigger, table.c.state.in_((RECEIVED, WAITING)))
        with self._database.write() as connection:
            connection.execute(update(table).where(*mine).values(rows.plain(values)))

    def is_declared(self, incident: str) -> bool:
        """Tell whether the incident is there: who declared it may not have come to say so."""
        with self._database.read() as connection:
            query = select(tables.incident.c.id).where(tables.incident.c.id == incident)
            return connection.execute(query).first() is not None

    def declared(self, trigger: str, incident: str) -> None:
        """Say that an alarm is an incident now: what was sealed goes, and the incident's chain tells who sent it."""
        table = tables.trigger
        with self._database.write() as connection:
            values = {"state": DECLARED, "due_at": None, "reason": None, "blob": None}
            mine = (table.c.id == trigger, table.c.state.in_((RECEIVED, WAITING)))
            if not connection.execute(update(table).where(*mine).values(values)).rowcount:
                return
            alike = select(table).where(or_(table.c.id == trigger, table.c.same_as == trigger))
            alike = alike.order_by(table.c.id != trigger, table.c.received_at, table.c.id)
            for row in connection.execute(alike).mappings().all():
                if row["id"] == trigger:
                    notices.tell_of_alarm(connection, incident, row["sender"], self._clock())
                said = "triggered" if row["id"] == trigger else "told again"
                act(connection, incident, {**_of(row), "act": said})

    def added(self, trigger: str) -> None:
        """Say that what an alarm told again was added to its incident: what was sealed goes."""
        table = tables.trigger
        with self._database.write() as connection:
            done = {"due_at": None, "reason": None, "blob": None}
            connection.execute(update(table).where(table.c.id == trigger, table.c.state == SAME).values(done))

    def put_off(self, trigger: str, reason: str) -> None:
        """Let an alarm that could not be declared, or added, be tried again later, and say why it waits."""
        table = tables.trigger
        with self._database.write() as connection:
            known = select(table.c.attempts, table.c.state).where(table.c.id == trigger)
            attempts, state = connection.execute(known.with_for_update()).one()
            later = min(_LATER_S * 2 ** min(attempts, 10), _LATEST_S)
            values = {"attempts": attempts + 1, "due_at": self._clock() + later, "reason": reason}
            values |= {"state": WAITING} if state != SAME else {}
            mine = (table.c.id == trigger, table.c.blob.is_not(None))
            connection.execute(update(table).where(*mine).values(rows.plain(values)))

    def next_due_at(
        self, shorter_than: int | None = None, but: Collection[str] = (), not_of: Collection[str] = ()
    ) -> float | None:
        """Return when the next alarm is due, None when none waits; of those that `take` would hand out."""
        with self._database.read() as connection:
            query = select(func.min(tables.trigger.c.due_at)).where(*_wanted(shorter_than, but, not_of))
            return connection.execute(query).scalar()

    def listed(self) -> list[Alarm]:
        """Return every alarm, the newest first."""
        with self._database.read() as connection:
            return alarms.listed(connection)

    def waiting(self, limit: int) -> tuple[int, list[Alarm]]:
        """Return how many alarms are no incident yet, and those that came first: so many, each once if told again."""
        with self._database.read() as connection:
            return alarms.waiting(connection, limit)


def _wanted(shorter_than: int | None, but: Collection[str], not_of: Collection[str]) -> list[ColumnElement[bool]]:
    table = tables.trigger
    short = [] if shorter_than is None else [func.length(table.c.blob) < shorter_than]
    return [table.c.id.not_in(list(but)), table.c.sender.not_in(list(not_of)), *short]


def _of(row: RowMapping | dict[str, Any]) -> dict[str, Any]:
    """Return what the incident's chain tells of a message."""
    told = {"trigger": row["id"], "sender": row["sender"], "delivery": row["delivery"]}
    return {"at": row["received_at"], "by": f"{row['sender']} webhook", **told}
