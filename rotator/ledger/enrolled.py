"""What a revision enrols as evidence: which run is of which credential, and from when its clocks count.

A report's population follows from it: the plan's document is only hashed into what was declared. It is told again
where runs come to another revision, or to another incident.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, func, select

from rotator.ledger import tables
from rotator.ledger.acts import act

ACT = "enrolled"
_AT_ONCE = 100
"""Of how many runs one record tells: who follows the evidence reads it whole."""
_run, _manual, _plan = tables.run, tables.manual, tables.plan


def tell(connection: Connection, incident: str, number: int, at: float, came_from: str = "") -> None:
    """Append the runs and tasks of a revision to the incident's chain; `came_from` is the incident they were of."""
    of_it = (_plan.c.incident == incident, _plan.c.number == number)
    detected_at, made_at = connection.execute(select(_plan.c.detected_at, _plan.c.made_at).where(*of_it)).one()
    found = [
        *(("runs", each) for each in _runs(connection, incident, number)),
        *(("tasks", each) for each in _tasks(connection, incident, number)),
    ]
    told = {"at": at, "act": ACT, "revision": number, "detected_at": detected_at, "declared_at": made_at}
    for start in range(0, len(found), _AT_ONCE):
        part = found[start : start + _AT_ONCE]
        of_part = {sort: [each for of, each in part if of == sort] for sort in ("runs", "tasks")}
        act(connection, incident, {**told, **({"from": came_from} if came_from else {}), **of_part})


def _runs(connection: Connection, incident: str, number: int) -> list[dict[str, Any]]:
    names = (_run.c.kind, _run.c.connection, _run.c.owner, _run.c.credential, _run.c.strategy, _run.c.vendor)
    query = select(_run.c.id.label("run"), *names, _run.c.weight, _run.c.consumers, _run.c.dismissed)
    return [
        {**row, "consumers": row["consumers"] != "[]"}
        for row in connection.execute(_of_revision(query, _run, incident, number)).mappings()
    ]


def _tasks(connection: Connection, incident: str, number: int) -> list[dict[str, Any]]:
    names = (_manual.c.kind, _manual.c.connection, _manual.c.key, _manual.c.reason, _manual.c.dismissed)
    query = select(_manual.c.id.label("task"), *names)
    return [dict(row) for row in connection.execute(_of_revision(query, _manual, incident, number)).mappings()]


def _of_revision(query: Any, table: Table, incident: str, number: int) -> Any:
    is_it: tuple[ColumnElement[bool], ...] = (table.c.incident == incident, table.c.revision == number)
    return query.where(*is_it).order_by(func.length(table.c.id), table.c.id)
