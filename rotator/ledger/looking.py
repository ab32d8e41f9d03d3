"""What a board's other pages read: bounded by what one page shows, however large an incident is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import ColumnElement, Connection, RowMapping, func, or_, select, tuple_

from rotator.errors import BadInput
from rotator.flow.approval import Policy
from rotator.flow.incident import Incident
from rotator.flow.run import SCHEDULED, StepState
from rotator.ledger import approved, revisions, rows, tables
from rotator.ledger.database import Database
from rotator.ledger.records import IncidentRecord, RunRecord
from rotator.ledger.revisions import Revision

BEGINNING = ("", 0)
"""Of the chains of a run: before the first record of the first."""


class Looking:
    """Read-only views of a ledger; `policy` is the rule that says whose yes is wanted."""

    def __init__(self, database: Database, policy: Policy | None = None) -> None:
        self._database, self._policy = database, policy

    def of(self, incident: str) -> tuple[Incident, list[Revision]]:
        """Return an incident, and the revisions of its plan. Raises BadInput for none."""
        with self._database.read() as connection:
            return rows.incident_of(_row(connection, incident)), revisions.find(connection, incident)

    def consent(self, incident: str) -> IncidentRecord:
        """Return an incident as its approval takes it. Raises BadInput for none.

        Of its runs it has one that nobody began, where there is such a one: enough to know that a yes begins something.
        """
        run = tables.run
        with self._database.read() as connection:
            row = _row(connection, incident)
            waits = select(run).where(run.c.incident == incident, run.c.requested_at.is_(None)).limit(1)
            runs = [rows.run_of(each) for each in connection.execute(waits).mappings()]
            return IncidentRecord(
                incident=rows.incident_of(row),
                plan_digest=row["plan_digest"],
                approved_at=row["approved_at"],
                runs=tuple(RunRecord(each, (), (), 0) for each in runs),
                manual=(),
                revisions=tuple(revisions.find(connection, incident)),
                merged_into=row["merged_into"],
                closed_by=row["closed_by"],
                closed_reason=row["closed_reason"],
                approvals=approved.standing(connection, incident, self._policy, runs),
            )

    def grown(self, incident: str) -> dict[int, int]:
        """Return how many runs came with each revision of an incident."""
        run = tables.run
        query = select(run.c.revision, func.count()).where(run.c.incident == incident).group_by(run.c.revision)
        with self._database.read() as connection:
            return {number: count for number, count in connection.execute(query)}  # noqa: C416 - rows are not pairs

    def seen(self, of: str, most: int) -> list[dict[str, Any]]:
        """Return where the credential of a run or task was seen, in the order in which it was told."""
        table = tables.exposure
        names = ("source", "rule", "path", "line", "commit", "scanner_says", "certainty")
        query = select(*(table.c[name] for name in names)).where((table.c.run == of) | (table.c.manual == of))
        with self._database.read() as connection:
            return [dict(row) for row in connection.execute(query.order_by(table.c.id).limit(most)).mappings()]

    def evidence(self, run: str, after: tuple[str, int] = BEGINNING, most: int = 100) -> list[dict[str, Any]]:
        """Return records of a run's chains behind `after`, a chain and a number in it, chain by chain."""
        evidence, branch = tables.evidence, tables.branch
        mine = select(branch.c.id).where(branch.c.run == run)
        query = (
            select(evidence)
            .where(evidence.c.chain.in_(mine), tuple_(evidence.c.chain, evidence.c.seq) > after)
            .order_by(evidence.c.chain, evidence.c.seq)
            .limit(most)
        )
        with self._database.read() as connection:
            return [dict(row) for row in connection.execute(query).mappings()]

    def scheduled(self, most: int, skip: int = 0) -> tuple[int, list[dict[str, Any]]]:
        """Return how many steps wait for their time, and a page of them, the next first; `due_at` in epoch seconds."""
        step, branch, run = tables.step, tables.branch, tables.run
        waits: tuple[ColumnElement[bool], ...] = (
            step.c.state == StepState.HELD.value,
            step.c.reason == SCHEDULED,
            branch.c.due_at.is_not(None),
            run.c.dismissed.is_(None),
        )
        joined = step.join(branch, branch.c.id == step.c.branch).join(run, run.c.id == step.c.run)
        columns = (step.c.id, step.c.name, step.c.verb, step.c.subject, step.c.target, step.c.facts, branch.c.due_at)
        of_run = (run.c.incident, run.c.kind, run.c.owner, run.c.credential, run.c.id.label("run"))
        query = (
            select(*columns, *of_run)
            .select_from(joined)
            .where(*waits)
            .order_by(branch.c.due_at, step.c.id)
            .limit(most)
            .offset(skip)
        )
        with self._database.read() as connection:
            count = connection.execute(select(func.count()).select_from(joined).where(*waits)).scalar_one()
            return count, [dict(row) for row in connection.execute(query).mappings()]

    def made(self) -> dict[tuple[str, str, str], float]:
        """Return when each replacement was put in place, by its provider, connection and id."""
        run = tables.run
        names = (run.c.provider, run.c.connection, run.c.replacement)
        query = select(*names, func.max(run.c.replaced_at)).where(run.c.replaced_at.is_not(None)).group_by(*names)
        with self._database.read() as connection:
            return {(provider, at, name): made for provider, at, name, made in connection.execute(query) if name}

    def inventory_mark(self) -> tuple[Any, ...]:
        """Return what is another one once an entry of the inventory has changed, or when a replacement was made."""
        listed, history, run = tables.listed, tables.inventory_history, tables.run
        queries = (
            select(
                func.count(), func.max(listed.c.last_seen_at), func.count(listed.c.gone_at), func.max(listed.c.gone_at)
            ),
            select(func.count(), func.max(history.c.id)).select_from(history),
            select(func.count(run.c.replaced_at), func.max(run.c.replaced_at)),
        )
        with self._database.read() as connection:
            return tuple(value for query in queries for value in connection.execute(query).one())

    def gates_shut(self, incidents: Iterable[str]) -> dict[str, list[str]]:
        """Return by incident the gates that are shut."""
        gate = tables.gate
        query = select(gate.c.incident, gate.c.name).where(gate.c.open == 0, gate.c.incident.in_(set(incidents)))
        shut: dict[str, list[str]] = {}
        with self._database.read() as connection:
            for incident, name in connection.execute(query):
                shut.setdefault(incident, []).append(name)
        return shut

    def deaths(self, incidents: Iterable[str]) -> Mapping[str, list[tuple[float, float | None]]]:
        """Return by incident when each credential was detected, and when it was proven dead, None for not proven.

        What was dismissed, or let in again, is left out; what a person is asked to do counts. With an incident is told
        what was merged into it: a credential that several have once, by the run by which the report tells it.
        """
        run, plan, task, incident = tables.run, tables.plan, tables.manual, tables.incident
        lives: dict[str, list[tuple[float, float | None]]] = {each: [] for each in incidents}
        detected = func.coalesce(plan.c.detected_at, incident.c.detected_at)

        def asked(table: Any, wanted: Iterable[str], *columns: Any) -> Any:
            is_its = (plan.c.incident == table.c.incident) & (plan.c.number == table.c.revision)
            joined = table.join(incident, incident.c.id == table.c.incident).outerjoin(plan, is_its)
            living = [table.c.dismissed.is_(None), table.c.incident.in_(list(wanted))]
            living += [or_(run.c.let_in_at.is_(None), run.c.evidence != "none")] if table is run else []
            return select(table.c.incident, detected, *columns).select_from(joined).where(*living)

        names = (run.c.provider, run.c.connection, run.c.owner, run.c.credential)
        ends = (run.c.dead_at, run.c.evidence)
        first: dict[tuple[Any, ...], tuple[Any, ...]] = {}
        with self._database.read() as connection:
            merged = _merged(connection, lives)
            alone = [each for each in lives if each not in {into for into, _ in merged.values()}]
            for name, at, dead, how in connection.execute(asked(run, alone, *ends)):
                lives[name].append((at, dead if how == "proven" else None))
            for name, at, dead, how, priority, by, *of in connection.execute(
                asked(run, merged, *ends, run.c.priority, run.c.id, *names)
            ):
                into, place = merged[name]
                # In the report's order; who saw no death tells it where no other run did.
                rank = (how == "none", place, -priority, by)
                key = (into, *of)
                if key not in first or rank < first[key][0]:
                    first[key] = (rank, at, dead if how == "proven" else None)
            for (into, *_), (_, at, dead) in first.items():
                lives[into].append((at, dead))
            for name, at in connection.execute(asked(task, {*lives, *merged})):
                lives[merged[name][0] if name in merged else name].append((at, None))
        return lives


def _merged(connection: Connection, incidents: Iterable[str]) -> dict[str, tuple[str, int]]:
    """Return of each incident into which others were merged those and itself: with which each is told, at which place.

    The others are left out.
    """
    table = tables.incident
    into = connection.execute(select(table.c.merged_into).where(table.c.merged_into.in_(list(incidents))).distinct())
    return {
        name: (whole, place)
        for whole in into.scalars().all()
        for place, name in enumerate((whole, *revisions.merged(connection, whole)))
    }


def _row(connection: Connection, incident: str) -> RowMapping:
    row = connection.execute(select(tables.incident).where(tables.incident.c.id == incident)).mappings().first()
    if row is None:
        raise BadInput("no such incident", incident, "rotator incident list shows them")
    return row
