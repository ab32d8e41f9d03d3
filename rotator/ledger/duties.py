"""What came due by the policies of hygiene, what became of it, and how old what they select is: kept, and evidence.

All of it is told in the service's own chain, so that it stands in one order, whichever incident it is of.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, RowMapping, func, insert, select, update

from rotator.credential import CredentialRef
from rotator.flow.hygiene import Policy
from rotator.flow.punctuality import Duty
from rotator.ledger import gone, service, tables
from rotator.ledger.approving import one_at_a_time
from rotator.ledger.database import Database
from rotator.ledger.enrolment import Then

_duty, _manual, _run, _surveyed = tables.duty, tables.manual, tables.run, tables.surveyed
_DAY_S = 86400.0
_AT_ONCE = 1000
"""How many are noted before somebody else may approve."""
_IN_A_RECORD = 100
_KEY = ("policy", "provider", "connection", "owner", "credential", "due_at")
_TOLD = ("of", "provider", "connection", "owner", "credential", "made_at", "due_at", "replace_by")
_KEPT = ("made_at", "replace_by", "of")
Key = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Survey:
    """How old what the policies select was at a moment, in epoch seconds; see `flow/punctuality.py`."""

    at: float
    ages: Sequence[Mapping[str, Any]]


def key_of(duty: Duty) -> Key:
    """Return what tells one time that a credential came due from every other."""
    return tuple(getattr(duty, name) for name in _KEY)


def beginning(policy: Policy, duties: Sequence[Duty], at: float) -> Then:
    """Return what notes, as an incident is declared, which run or task of it is for which of these."""

    def note(connection: Connection, incident: str, _digest: str) -> None:
        runs = select(_run.c.id, _run.c.provider, _run.c.connection, _run.c.owner, _run.c.credential)
        of = {CredentialRef(*row[1:]): row.id for row in connection.execute(runs.where(_run.c.incident == incident))}
        tasks = select(_manual.c.id, _manual.c.kind, _manual.c.key).where(_manual.c.incident == incident)
        of_task = {(row.kind, row.key): row.id for row in connection.execute(tasks)}
        begun = [replace(each, of=of.get(each.ref) or of_task[each.provider, each.credential]) for each in duties]
        _keep(connection, begun, _noted(connection, begun))
        _tell(connection, policy, begun, at)

    return note


def is_surveyed(database: Database, now: float) -> bool:
    """Tell whether this day's survey was made."""
    with database.read() as connection:
        return _is_surveyed(connection, now)


def survey(
    database: Database,
    policies: Sequence[Policy],
    waiting: Sequence[Duty],
    still: Collection[Key],
    made: Survey,
) -> None:
    """Note who waits to be begun, who is due no more, and all ages; nothing where this day's survey was made.

    `still` are the keys of all that is due, in whosever hands. What was noted before is not noted again, so that a
    survey which broke off is made again at no harm.
    """
    for start in range(0, len(waiting), _AT_ONCE):
        with database.write() as connection:
            one_at_a_time(connection)
            if _is_surveyed(connection, made.at):
                return
            part = waiting[start : start + _AT_ONCE]
            noted = _noted(connection, part)
            waits = _waits_already(connection, noted.values())
            new = [each for each in part if noted.get(key_of(each)) not in waits]
            _keep(connection, new, noted)
            for policy in policies:
                _tell(connection, policy, [each for each in new if each.policy == policy.name], made.at)
    with database.write() as connection:
        one_at_a_time(connection)
        if _is_surveyed(connection, made.at):
            return
        _settle(connection, still, made.at)
        day = int(made.at // _DAY_S)
        connection.execute(insert(_surveyed).values(day=day, at=made.at, ages=json.dumps(made.ages)))
        service.note(connection, {"at": made.at, "act": "aged", "policies": made.ages})


def find(connection: Connection, begin: float, end: float) -> tuple[list[Duty], Survey | None]:
    """Return what was noted as due from `begin` on and before `end`, epoch seconds, and the newest survey of then."""
    query = (
        select(
            _duty,
            _run.c.replaced_at,
            _manual.c.id.label("task"),
            func.coalesce(_run.c.dismissed, _manual.c.dismissed).label("dismissed"),
            gone.is_gone(func.coalesce(_run.c.incident, _manual.c.incident)).label("gone"),
        )
        .outerjoin(_run, _run.c.id == _duty.c.of)
        .outerjoin(_manual, _manual.c.id == _duty.c.of)
        .where(_duty.c.noted_at >= begin, _duty.c.noted_at < end)
        .order_by(_duty.c.noted_at, _duty.c.number)
    )
    found = [_read(row) for row in connection.execute(query).mappings()]
    newest = select(_surveyed).where(_surveyed.c.at >= begin, _surveyed.c.at < end).order_by(_surveyed.c.day.desc())
    row = connection.execute(newest.limit(1)).first()
    return found, None if row is None else Survey(row.at, json.loads(row.ages))


def _read(row: RowMapping) -> Duty:
    known = {name: row[name] for name in (*_KEY, *_KEPT, "noted_at", "settled_at", "replaced_at")}
    return Duty(
        **known, is_task=row["task"] is not None, dismissed=row["dismissed"] is not None, gone=bool(row["gone"])
    )


def _is_surveyed(connection: Connection, now: float) -> bool:
    found = select(func.max(_surveyed.c.day))
    day = connection.execute(found).scalar()
    return day is not None and day >= int(now // _DAY_S)


def _noted(connection: Connection, duties: Sequence[Duty]) -> dict[Key, int]:
    """Return which of these were noted, by their numbers."""
    query = select(_duty.c.number, *(_duty.c[name] for name in _KEY))
    mine = query.where(_duty.c.credential.in_({each.credential for each in duties}))
    keys = {key_of(each) for each in duties}
    return {key: number for number, *rest in connection.execute(mine) if (key := tuple(rest)) in keys}


def _waits_already(connection: Connection, noted: Collection[int]) -> set[int]:
    query = select(_duty.c.number).where(_duty.c.number.in_(noted), _duty.c.settled_at.is_(None))
    return set(connection.execute(query).scalars())


def _keep(connection: Connection, duties: Sequence[Duty], noted: Mapping[Key, int]) -> None:
    """Write these; what was noted before keeps the moment at which it first was."""
    new = []
    for each in duties:
        kept = {name: getattr(each, name) for name in _KEPT}
        number = noted.get(key_of(each))
        if number is None:
            new.append({**kept, **{name: getattr(each, name) for name in (*_KEY, "noted_at")}})
        else:
            again = update(_duty).where(_duty.c.number == number)
            connection.execute(again.values(**kept, settled_at=None))
    if new:
        connection.execute(insert(_duty), new)


def _tell(connection: Connection, policy: Policy, duties: Sequence[Duty], at: float) -> None:
    words = {"policy": policy.name, "max_age_s": policy.max_age_s, "deadline_s": policy.deadline_s}
    for part in _parts(duties):
        credentials = [{name: getattr(each, name) for name in _TOLD} for each in part]
        service.note(connection, {"at": at, "act": "due", **words, "credentials": credentials})


def _settle(connection: Connection, still: Collection[Key], at: float) -> None:
    """Note what nobody has begun, or a person was to do, and is due no more."""
    query = (
        select(_duty.c.number, *(_duty.c[name] for name in _KEY))
        .outerjoin(_run, _run.c.id == _duty.c.of)
        .outerjoin(_manual, _manual.c.id == _duty.c.of)
        .where(_duty.c.settled_at.is_(None), _run.c.id.is_(None), _manual.c.dismissed.is_(None))
        .order_by(_duty.c.number)
    )
    settled = [row for row in connection.execute(query).mappings() if tuple(row[name] for name in _KEY) not in still]
    for part in _parts(settled):
        numbers = [row["number"] for row in part]
        connection.execute(update(_duty).where(_duty.c.number.in_(numbers)).values(settled_at=at))
        told = [{name: row[name] for name in _KEY} for row in part]
        service.note(connection, {"at": at, "act": "due_no_more", "credentials": told})


def _parts(found: Sequence[Any]) -> Iterator[Sequence[Any]]:
    """Yield them, as many at a time as one record tells: who follows the evidence reads it whole."""
    for start in range(0, len(found), _IN_A_RECORD):
        yield found[start : start + _IN_A_RECORD]
