"""Notices: what happened to incidents, to be told to people: written with what happened, sent by who leads.

A notice is a row of the transaction in which it happened: it is told if that commits, and not if it does not.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, delete, func, insert, select

from rotator import clock
from rotator.flow import ownership
from rotator.flow.incident import Incident
from rotator.flow.planned import OWNER_ASKED, Plan
from rotator.ledger import drills, rows, tables
from rotator.ledger.evidence import canonical
from rotator.notices.event import Event

IS_DONE = "done"
"""What the leading dispatcher notes in `noticed` when it has told that an incident is done."""
_BEGINS_ANEW = frozenset({Event.REVISED, Event.MERGED, Event.APPROVED})
"""After which an incident may be done once more."""
_ALARMS = " webhook"
"""How the name of a sender of alarms ends, where it says who declared an incident."""
_LONGEST = 300
"""Letters of a fact that are kept, and how many names of a list."""


def tell(
    connection: Connection, incident: str, event: Event | str, facts: Mapping[str, object], at: float | None = None
) -> None:
    """Have people told that something happened to an incident, once the caller's transaction commits.

    Of a drill nobody is told, unless it is to page people or was late. `facts` are ids, counts and names, never
    material; which of them are shown, and how: `notices/phrases.py`. `at` is now where it is left out. Raises
    ValueError for an event that is not an `Event`, TypeError for a fact that is no text, number or list of texts:
    mistakes of whoever calls.
    """
    if event != Event.DRILL_LATE and drills.is_quiet(connection, incident):
        return
    short = {name: _short(value) for name, value in facts.items() if value is not None}
    told = {
        "incident": incident,
        "event": Event(event).value,
        "at": clock.now() if at is None else at,
        "facts": canonical(rows.plain(short)),
        "routed": 0,
    }
    connection.execute(insert(tables.notice), told)
    if event in _BEGINS_ANEW:
        noticed = tables.noticed
        connection.execute(delete(noticed).where(noticed.c.incident == incident, noticed.c.what == IS_DONE))


def tell_of_declaring(connection: Connection, incident: Incident, plan: Plan, by: str, *, approved: bool) -> None:
    """Have people told that an incident was declared and, unless that was said at once, that somebody must say yes.

    Of an alarm that waits for that, `tell_of_alarm` has them told.
    """
    facts = {"credentials": len(plan.runs), "manual": len(plan.manual), "by": by}
    tell(connection, incident.id, Event.DECLARED, facts, incident.declared_at)
    tell_of_tasks(connection, incident.id, plan, incident.declared_at)
    if plan.runs and not approved and not by.endswith(_ALARMS):
        tell(connection, incident.id, Event.APPROVAL_WANTED, {"credentials": len(plan.runs)}, incident.declared_at)


def tell_of_tasks(connection: Connection, incident: str, plan: Plan, at: float) -> None:
    """Have people told what a plan leaves to them, and owners whom it gives time before what they use is stopped."""
    if plan.manual:
        tell(connection, incident, Event.NEEDS_PERSON, {"manual": len(plan.manual)}, at)
    waits = ownership.asks(plan)
    if waits:
        facts = {
            "credentials": len(waits),
            "owners": sorted({str(step.facts[OWNER_ASKED]) for _, step in waits}),
            "deadline": at + min(step.hold_for_s or 0.0 for _, step in waits),
        }
        tell(connection, incident, Event.OWNER_ASKED, facts, at)


def tell_of_alarm(connection: Connection, incident: str, sender: str, at: float) -> None:
    """Have people told of an incident that an alarm declared, where nothing is done before somebody says yes."""
    approved = select(tables.incident.c.approved_at).where(tables.incident.c.id == incident)
    if connection.execute(approved).scalar() is not None:
        return
    counts = {
        name: connection.execute(select(func.count()).where(table.c.incident == incident)).scalar_one()
        for name, table in (("credentials", tables.run), ("manual", tables.manual))
    }
    tell(connection, incident, Event.ALARM_WAITING, {"sender": sender, **counts}, at)


def _short(fact: object) -> object:
    if isinstance(fact, str):
        return fact[:_LONGEST]
    if isinstance(fact, list | tuple):
        return [str(_short(each)) for each in fact[:_LONGEST]]
    if isinstance(fact, int | float):
        return fact
    raise TypeError(f"a notice tells texts and numbers, not {type(fact).__name__}")
