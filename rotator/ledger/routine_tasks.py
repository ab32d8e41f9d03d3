"""What hygiene left to people: which tasks are open, which their issuers show as done, and who is reminded when."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, and_, delete, func, insert, select

from rotator.errors import BadInput
from rotator.flow import reminding
from rotator.flow.expiry import watched_from
from rotator.flow.hygiene import Known
from rotator.ledger import tables
from rotator.ledger.approving import one_at_a_time
from rotator.ledger.database import Database
from rotator.ledger.notices import tell
from rotator.notices.event import Event

_MARK = "reminded "
_DAY_S = 86400.0
_hygiene, _incident, _listed, _manual, _noticed = (
    tables.hygiene,
    tables.incident,
    tables.listed,
    tables.manual,
    tables.noticed,
)
_OPEN = (
    select(_manual, _incident.c.declared_at, _listed.c.facts, _listed.c.gone_at)
    .join(_hygiene, _hygiene.c.incident == _manual.c.incident)
    .join(_incident, _incident.c.id == _manual.c.incident)
    .outerjoin(_listed, and_(_listed.c.provider == _manual.c.kind, _listed.c.credential == _manual.c.key))
    .where(_manual.c.dismissed.is_(None), _incident.c.closed_at.is_(None))
    .order_by(_manual.c.incident, func.length(_manual.c.id), _manual.c.id)
)
_MARKS = select(_noticed.c.incident, _noticed.c.what).where(_noticed.c.what.startswith(_MARK, autoescape=True))


@dataclass(frozen=True, slots=True)
class Task:
    """A credential that hygiene left to a person at a moment, in epoch seconds, and what he is to do.

    `ends_at` is when it ends by itself, None where nobody says so.
    """

    incident: str
    kind: str
    key: str
    mend: str
    begun_at: float
    ends_at: float | None


def open_tasks(connection: Connection) -> list[Task]:
    """Return the tasks that nobody has dismissed, but for those of which issuers' lists show that they are done.

    That is so where each list has the credential no more, or has it as made since.
    """
    by_task: dict[str, list[RowMapping]] = {}
    for row in connection.execute(_OPEN).mappings():
        by_task.setdefault(row["id"], []).append(row)
    return [_task(each) for each in by_task.values() if not all(map(_is_done, each))]


def _task(rows: Sequence[RowMapping]) -> Task:
    ends = [at for each in rows if (at := epoch(_facts(each).get("expires_at"))) is not None]
    first = rows[0]
    return Task(
        first["incident"],
        first["kind"] or "",
        first["key"],
        first["mend"],
        first["declared_at"],
        min(ends, default=None),
    )


def _is_done(row: RowMapping) -> bool:
    made_at = epoch(_facts(row).get("created_at"))
    return row["gone_at"] is not None or (made_at is not None and made_at > row["declared_at"])


def _facts(row: RowMapping) -> Mapping[str, Any]:
    found: Mapping[str, Any] = json.loads(row["facts"]) if row["facts"] is not None else {}
    return found


def untold(database: Database, found: Iterable[Known]) -> list[Known]:
    """Return those of which no task of hygiene was begun since their end is near; a later end is told anew."""
    query = (
        select(_manual.c.kind, _manual.c.key, func.max(_incident.c.declared_at))
        .join(_hygiene, _hygiene.c.incident == _manual.c.incident)
        .join(_incident, _incident.c.id == _manual.c.incident)
        .group_by(_manual.c.kind, _manual.c.key)
    )
    with database.read() as connection:
        told = {(kind, key): at for kind, key, at in connection.execute(query)}
    return [
        each
        for each in found
        if told.get((each.ref.provider, each.ref.id), -math.inf) < (watched_from(each) or math.inf)
    ]


def once_a_day(policy: str, now: float) -> Callable[[Connection, str, str], None]:
    """Return what marks an incident, as it is declared, as this policy's of the day; it raises BadInput for a second.

    So that one that looks again and again tells people once a day of all that is new.
    """

    def mark(connection: Connection, incident: str, _digest: str) -> None:
        one_at_a_time(connection)
        day = now // _DAY_S * _DAY_S
        taken = select(_hygiene.c.incident).where(_hygiene.c.policy == policy, _hygiene.c.at == day)
        if (other := connection.execute(taken).scalar()) is not None:
            raise BadInput(f"{other} was begun today", policy, "what is new is told tomorrow")
        connection.execute(insert(_hygiene).values(incident=incident, policy=policy, at=day))

    return mark


def remind(database: Database, now: float) -> list[str]:
    """Have people told again of what is due to be; return the incidents of which they are."""
    with database.read() as connection:
        if not _due(connection, now):
            return []
    with database.write() as connection:
        due = _due(connection, now)  # who led before may have told since
        for incident, (at, tasks) in due.items():
            of_it = _noticed.c.what.startswith(_MARK, autoescape=True)
            connection.execute(delete(_noticed).where(_noticed.c.incident == incident, of_it))
            connection.execute(insert(_noticed).values(incident=incident, what=f"{_MARK}{at:.3f}"))
            tell(connection, incident, Event.TASK_REMINDER, _told(tasks), now)
        return list(due)


def _due(connection: Connection, now: float) -> dict[str, tuple[float, list[Task]]]:
    """Return the incidents of which people are to be reminded, since when, and the tasks."""
    found: dict[str, tuple[float, list[Task]]] = {}
    for task in open_tasks(connection):
        at = reminding.latest(task.begun_at, task.ends_at, now)
        before, tasks = found.setdefault(task.incident, (0.0, []))
        tasks.append(task)
        found[task.incident] = max(before, at or 0.0), tasks
    marks = {row.incident: float(row.what.removeprefix(_MARK)) for row in connection.execute(_MARKS)} if found else {}
    return {name: told for name, told in found.items() if round(told[0], 3) > marks.get(name, 0.0)}


def _told(tasks: Iterable[Task]) -> dict[str, object]:
    every = list(tasks)
    ends = [each.ends_at for each in every if each.ends_at is not None]
    facts: dict[str, object] = {"manual": len(every), "what": [f"{each.kind}: {each.mend}" for each in every]}
    return facts | ({"ends_at": min(ends)} if ends else {})


def epoch(text: object) -> float | None:
    """Return a moment of an issuer's list, ISO 8601, as epoch seconds; None for what is none. No zone is UTC."""
    try:
        found = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return (found if found.tzinfo is not None else found.replace(tzinfo=UTC)).timestamp()
