"""An incident as the ledger holds it, whole."""

from __future__ import annotations

from sqlalchemy import Connection

from rotator.flow.approval import Policy
from rotator.ledger import (
    approved,
    datasets,
    dismissals,
    earlier,
    few,
    gates,
    gone,
    moving,
    pause_gates,
    pauses,
    revisions,
    rows,
    run_records,
    stops,
    told,
    waits,
)
from rotator.ledger.records import IncidentRecord
from rotator.ledger.which import Which


def whole(connection: Connection, incident: str, policy: Policy | None) -> IncidentRecord:
    """Return it, with all that was merged into it. Raises BadInput when there is none."""
    row, which = few.found(connection, incident), Which(incident)
    runs = run_records.runs(connection, which)
    made, overtaken = revisions.find(connection, incident), None
    if any(each.approved_at is None for each in made):
        overtaken = connection.execute(earlier.answered_meanwhile(incident)).first()
    return IncidentRecord(
        incident=rows.incident_of(row),
        plan_digest=row["plan_digest"],
        approved_at=row["approved_at"],
        runs=tuple(run_records.records(connection, row, which, runs)),
        manual=tuple(run_records.tasks(connection, which)),
        stops=tuple(moving.concerning(stops.find(connection), [incident], run_records.connections(runs))),
        gates=tuple(gates.find_gates(connection, incident)),
        footholds=tuple(gates.find_footholds(connection, incident)),
        warnings=waits.warned(connection, incident),
        told=tuple(told.told(connection, incident)),
        datasets=datasets.of_incident(connection, incident),
        overrides=tuple(pause_gates.overrides(connection, incidents=[incident])),
        pauses=pauses.of_incident(connection, incident),
        dismissals=tuple(dismissals.find(connection, which)),
        stale=(overtaken.id, overtaken.credential) if overtaken is not None else None,
        revisions=tuple(made),
        merged_into=row["merged_into"],
        closed_by=row["closed_by"],
        closed_reason=row["closed_reason"],
        evidence_deleted_at=gone.among(connection, [incident]).get(incident),
        merged=tuple(whole(connection, each, policy) for each in revisions.merged(connection, incident, directly=True)),
        approvals=approved.standing(connection, incident, policy),
    )
