"""A few runs and tasks of an incident, with as much of it as a report's rows of them take, however large it is."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import replace

from sqlalchemy import Connection, RowMapping, select

from rotator.errors import BadInput
from rotator.flow.approval import Policy
from rotator.flow.run import Run
from rotator.ledger import (
    approved,
    dismissals,
    earlier,
    gone,
    moving,
    pause_gates,
    revisions,
    rows,
    run_records,
    tables,
    waits,
)
from rotator.ledger import datasets as datasets_in
from rotator.ledger import gates as gates_in
from rotator.ledger import pauses as pauses_in
from rotator.ledger import stops as stops_in
from rotator.ledger import told as told_in
from rotator.ledger.records import IncidentRecord, ManualTask, RunRecord
from rotator.ledger.which import Which, parts


def found(connection: Connection, incident: str) -> RowMapping:
    """Return an incident's row. Raises BadInput for none."""
    query = select(tables.incident).where(tables.incident.c.id == incident)
    row = connection.execute(query).mappings().first()
    if row is None:
        raise BadInput("no such incident", incident, "rotator incident list shows them")
    return row


def few(connection: Connection, incident: str, names: Iterable[str]) -> IncidentRecord:
    """Return an incident with those alone, and what was merged into it likewise: see `reading.py`."""
    rows_of = {each: found(connection, each) for each in (incident, *revisions.merged(connection, incident))}
    asked = list(parts(names))
    made: dict[str, RunRecord] = {}
    runs = _with_others(connection, _runs(connection, asked, rows_of), rows_of)
    while runs:
        more = _records(connection, rows_of, runs)
        made |= {each.run.id: each for each in more}
        # What closes the way to a new secret is told of those who could read it.
        readers = {route.run for each in more for route in each.routes if route.run is not None}
        runs = _runs(connection, parts(sorted(readers - set(made))), rows_of)
    tasks = [task for part in asked for task in run_records.tasks(connection, Which("", part))]
    return _told(connection, rows_of, incident, list(made.values()), tasks)


def _runs(connection: Connection, names: Iterable[tuple[str, ...]], family: Container[str]) -> list[Run]:
    every = [run for part in names for run in run_records.runs(connection, Which("", part))]
    return [run for run in every if run.incident in family]


def _with_others(connection: Connection, runs: Sequence[Run], family: Container[str]) -> list[Run]:
    """Return runs and the others of their credentials, which are told together."""
    run, refs = tables.run, {each.ref for each in runs}
    every = {each.id: each for each in runs}
    for part in parts(each.ref.id for each in runs):
        query = select(run).where(run.c.credential.in_(part))
        others = map(rows.run_of, connection.execute(query).mappings())
        every |= {each.id: each for each in others if each.ref in refs and each.incident in family}
    return list(every.values())


def _records(connection: Connection, rows_of: Mapping[str, RowMapping], runs: Sequence[Run]) -> list[RunRecord]:
    made = []
    for incident, row in rows_of.items():
        mine = {each.id: each for each in runs if each.incident == incident}
        for part in parts(mine):
            made += run_records.records(connection, row, Which(incident, part), [mine[name] for name in part])
    return made


def _told(
    connection: Connection,
    rows_of: Mapping[str, RowMapping],
    incident: str,
    made: Sequence[RunRecord],
    tasks: Sequence[ManualTask],
) -> IncidentRecord:
    row = rows_of[incident]
    mine = sorted(
        (each for each in made if each.run.incident == incident), key=lambda each: (-each.run.priority, each.run.id)
    )
    of_person = [each for each in tasks if each.incident == incident]
    names = [*(each.run.id for each in mine), *(each.id for each in of_person)]
    stops = moving.concerning(
        stops_in.find(connection), [incident], run_records.connections([each.run for each in mine])
    )
    return IncidentRecord(
        incident=rows.incident_of(row),
        plan_digest=row["plan_digest"],
        approved_at=row["approved_at"],
        runs=tuple(mine),
        manual=tuple(of_person),
        stops=tuple(stops),
        gates=tuple(gates_in.find_gates(connection, incident, counted=False)),
        dismissals=tuple(one for part in parts(names) for one in dismissals.find(connection, Which(incident, part))),
        revisions=tuple(revisions.find(connection, incident)),
        merged_into=row["merged_into"],
        merged=tuple(
            _told(connection, rows_of, each, made, tasks)
            for each in revisions.merged(connection, incident, directly=True)
        ),
        approvals=approved.gated(connection, incident, [each.run for each in mine]),
    )


def headed(connection: Connection, record: IncidentRecord, policy: Policy | None) -> IncidentRecord:
    """Return a record of a few runs with all that is said of the incident as a whole, and of what was merged into it.

    What counts its runs asks for their number, and reads none.
    """
    incident = record.incident.id
    row, made, overtaken = found(connection, incident), revisions.find(connection, incident), None
    if any(each.approved_at is None for each in made):
        overtaken = connection.execute(earlier.answered_meanwhile(incident)).first()
    run, delivery = tables.run, tables.delivery
    at = select(delivery.c.connection).join(run, run.c.id == delivery.c.run).where(run.c.incident == incident)
    connections = set(connection.execute(at.distinct()).scalars())
    return replace(
        record,
        stops=tuple(moving.concerning(stops_in.find(connection), [incident], connections)),
        gates=tuple(gates_in.find_gates(connection, incident)),
        footholds=tuple(gates_in.find_footholds(connection, incident)),
        warnings=waits.warned(connection, incident),
        told=tuple(told_in.told(connection, incident)),
        datasets=datasets_in.of_incident(connection, incident),
        overrides=tuple(pause_gates.overrides(connection, incidents=[incident])),
        pauses=pauses_in.of_incident(connection, incident),
        stale=(overtaken.id, overtaken.credential) if overtaken is not None else None,
        closed_by=row["closed_by"],
        closed_reason=row["closed_reason"],
        evidence_deleted_at=gone.among(connection, [incident]).get(incident),
        approvals=approved.standing(connection, incident, policy, [each.run for each in record.runs]),
        merged=tuple(headed(connection, each, policy) for each in record.merged),
    )
