"""What reports, boards and the command line read of the ledger."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Connection, Select, Table, func, select

from rotator.credential import CredentialRef
from rotator.errors import BadInput
from rotator.flow.approval import Policy
from rotator.flow.order import Elsewhere
from rotator.flow.planned import Plan
from rotator.flow.proof import Proof
from rotator.flow.run import AT_ONCE, BranchState, Run, Step
from rotator.ledger import (
    approved,
    counting,
    dismissals,
    earlier,
    listing,
    names,
    other_runs,
    plans,
    reservation,
    revisions,
    risk,
    rows,
    tables,
    waits,
)
from rotator.ledger import beside as beside_of
from rotator.ledger import gates as gates_in
from rotator.ledger import stops as stops_in
from rotator.ledger import told as told_in
from rotator.ledger.database import Database
from rotator.ledger.records import IncidentRecord, Listed, ManualTask, Progress, RunRecord
from rotator.ledger.told import Told
from rotator.ports import Place


class Reading:
    """Read-only views."""

    def __init__(self, database: Database, policy: Policy | None = None) -> None:
        self._database, self._policy = database, policy

    def incidents(self) -> list[Listed]:
        """Return every incident, the newest first."""
        with self._database.read() as connection:
            return listing.listed(connection)

    def named(self, incident: str) -> str:
        """Return the id that a person meant: itself, or the newest one for `last`. Raises BadInput for no incident."""
        with self._database.read() as connection:
            return names.incident(connection, incident)

    def run_named(self, run: str) -> str:
        """Return the run that a person named. Raises BadInput for none, with the one that may be meant."""
        with self._database.read() as connection:
            return names.run(connection, run)

    def holding(self, incident: str, name: str) -> str:
        """Return which incident, of one and what was merged into it, has a credential, run or task of that name.

        The one itself where none has. Raises BadInput where several have.
        """
        with self._database.read() as connection:
            return revisions.holding(connection, incident, name)

    def answered(
        self, deliver: Mapping[CredentialRef, tuple[Place, ...]], incident: str = ""
    ) -> dict[CredentialRef, str]:
        """Return, for each credential whose replacement an earlier run has made or is about to, that run's id.

        Of an `incident` that grows, what it has planned counts too.
        """
        with self._database.read() as connection:
            return earlier.answered(connection, deliver, incident)

    def elsewhere(self, incident: str = "") -> Elsewhere:
        """Return what runs that are replaced first still have before them, in all that is approved or of `incident`."""
        with self._database.read() as connection:
            return earlier.elsewhere(connection, incident)

    def standing(self, refs: Iterable[CredentialRef]) -> list[tuple[str, str, int]]:
        """Return the incidents that are not done with some of these: each, how it stands, and with how many."""
        with self._database.read() as connection:
            return earlier.standing(connection, refs)

    def canaries(self, refs: Iterable[CredentialRef]) -> dict[CredentialRef, str]:
        """Return which of these a person dismissed as a canary, in which incident."""
        with self._database.read() as connection:
            return dismissals.canaries(connection, refs)

    def planned(self, incident: str, number: int | None = None) -> dict[str, Any]:
        """Return a revision of a plan as it was shown, the newest if none is named; empty where none was kept."""
        with self._database.read() as connection:
            return plans.shown(connection, incident, number)

    def beside(self, incident: str, plan: Plan) -> tuple[list[str], dict[tuple[str, ...], str]]:
        """Return how a plan goes with what is there already, a sentence each; and which run made which of what leaked.

        `incident` is "" for one that is not there yet. A credential is told by provider, connection, owner and id.
        """
        with self._database.read() as connection:
            return beside_of.beside(connection, incident, plan)

    def told(self) -> list[Told]:
        """Return what people were told, in the order in which the messages were made."""
        with self._database.read() as connection:
            return told_in.told(connection)

    def totals(self) -> list[tuple[str, str, int]]:
        """Return (kind, evidence, count) over all incidents."""
        run = tables.run
        with self._database.read() as connection:
            query = select(run.c.kind, run.c.evidence, func.count()).group_by(run.c.kind, run.c.evidence)
            return [(kind, evidence, count) for kind, evidence, count in connection.execute(query)]

    def scheduled(self) -> tuple[int, float | None]:
        """Return how many branches, of any incident, wait for their time, and when the first comes; None for none."""
        branch = tables.branch
        waiting = (branch.c.state == BranchState.HELD.value, branch.c.due_at.is_not(None))
        with self._database.read() as connection:
            count, first = connection.execute(select(func.count(), func.min(branch.c.due_at)).where(*waiting)).one()
        return count, first

    def progress(self, incident: str, now: float) -> Progress:
        """Return the counts of one incident, cheaply enough to be asked several times a second."""
        with self._database.read() as connection:
            return counting.progress(connection, incident, now)

    def incident(self, incident: str) -> IncidentRecord:
        """Return one incident whole, from one consistent state. Raises BadInput when there is none."""
        with self._database.read() as connection:
            return self._incident(connection, incident)

    def _incident(self, connection: Connection, incident: str) -> IncidentRecord:
        row = connection.execute(select(tables.incident).where(tables.incident.c.id == incident)).mappings().first()
        if row is None:
            raise BadInput("no such incident", incident, "rotator incident list shows them")
        runs = [rows.run_of(each) for each in connection.execute(_of(tables.run, incident)).mappings()]
        exposures = _exposures(connection, incident)
        made, overtaken = revisions.find(connection, incident), None
        if any(each.approved_at is None for each in made):
            overtaken = connection.execute(earlier.answered_meanwhile(incident)).first()
        return IncidentRecord(
            incident=rows.incident_of(row),
            plan_digest=row["plan_digest"],
            approved_at=row["approved_at"],
            runs=tuple(_runs(connection, row, runs, exposures)),
            manual=tuple(_manual(connection, incident, exposures)),
            stops=tuple(counting.concerning(stops_in.find(connection), [incident], _connections(runs))),
            gates=tuple(gates_in.find_gates(connection, incident)),
            footholds=tuple(gates_in.find_footholds(connection, incident)),
            warnings=waits.warned(connection, incident),
            told=tuple(told_in.told(connection, incident)),
            dismissals=tuple(dismissals.find(connection, incident)),
            stale=(overtaken.id, overtaken.credential) if overtaken is not None else None,
            revisions=tuple(made),
            merged_into=row["merged_into"],
            closed_by=row["closed_by"],
            closed_reason=row["closed_reason"],
            merged=tuple(
                self._incident(connection, each) for each in revisions.merged(connection, incident, directly=True)
            ),
            approvals=approved.standing(connection, incident, self._policy),
        )


def _runs(connection: Connection, row: Any, runs: list[Run], exposures: Mapping[str, int]) -> list[RunRecord]:
    """Return the runs of an incident with all that belongs to them, the most urgent first."""
    incident = row["id"]
    steps = _steps(connection, incident)
    routes = waits.routes(connection, steps)
    said = waits.said(connection, row, steps, routes)
    proofs: dict[str, list[Proof]] = {}
    for each in _beside(connection, tables.proof, incident):
        proofs.setdefault(each["run"], []).append(rows.proof_of(each))
    late: dict[str, list[str]] = {}
    for each in _beside(connection, tables.late, incident):
        late.setdefault(each["run"], []).append(each["credential"])
    awaits = waits.lifelines(connection, incident)
    deaths = other_runs.deaths(connection, incident)
    gone_ahead = waits.gone_ahead(connection, incident)
    due_at = _due(connection, incident)
    since = earlier.delivered_since(connection, incident)
    resumed = other_runs.resumed(connection, incident)
    stopped = other_runs.stopped(connection, incident)
    accepted = risk.accepted(connection, incident)
    return [
        RunRecord(
            run=run,
            steps=tuple(said.get(run.id, ())),
            proofs=tuple(proofs.get(run.id, ())),
            exposures=exposures.get(run.id, 0),
            awaits=awaits.get(run.id, ()),
            gone_ahead=gone_ahead.get(run.id),
            routes=routes.get(run.id, ()),
            late=tuple(sorted(late.get(run.id, ()))),
            settled_by=other_runs.unless_alive(deaths.get(run.id), steps.get(run.id, ()), proofs.get(run.id, ())),
            behind=tuple(reservation.behind(connection, run.ref, steps.get(run.id, ()))),
            due_at=due_at.get(run.id, {}),
            delivered_since=since.get(run.id),
            resumed_by=resumed.get(run.id),
            stopped_by=stopped.get(run.id),
            accepted=accepted.get(run.id, risk.Accepted()).names,
        )
        for run in sorted(runs, key=lambda each: (-each.priority, each.id))
    ]


def _steps(connection: Connection, incident: str) -> dict[str, list[Step]]:
    step, run = tables.step, tables.run
    query = (
        select(step)
        .join(run, run.c.id == step.c.run)
        .where(run.c.incident == incident)
        .order_by(step.c.position, step.c.target)
    )
    found: dict[str, list[Step]] = {}
    for each in connection.execute(query).mappings():
        found.setdefault(each["run"], []).append(rows.step_of(each))
    return found


def _due(connection: Connection, incident: str) -> dict[str, dict[str, float]]:
    """Return by run when its branches that wait for nobody are due again, by their ids: not while an account pauses."""
    branch, account = tables.branch, tables.account
    query = (
        select(branch.c.run, branch.c.id, branch.c.due_at, account.c.pause_until)
        .outerjoin(account, account.c.name == branch.c.account)
        .where(branch.c.incident == incident, branch.c.state == BranchState.OPEN.value, branch.c.due_at > AT_ONCE)
    )
    found: dict[str, dict[str, float]] = {}
    for run, each, at, pause_until in connection.execute(query):
        found.setdefault(run, {})[each] = max(at, pause_until or at)
    return found


def _exposures(connection: Connection, incident: str) -> dict[str, int]:
    """Return how often each credential was seen, by its run or its task."""
    exposure = tables.exposure
    name = func.coalesce(exposure.c.run, exposure.c.manual)
    counted = select(name, func.count()).where(exposure.c.incident == incident).group_by(name)
    return {each: count for each, count in connection.execute(counted)}  # noqa: C416 - rows are not pairs


def _manual(connection: Connection, incident: str, exposures: Mapping[str, int]) -> list[ManualTask]:
    return [
        ManualTask(
            id=each["id"],
            kind=each["kind"],
            key=each["key"],
            reason=each["reason"],
            mend=each["mend"],
            dismissed=each["dismissed"],
            exposures=exposures.get(each["id"], 0),
            revision=each["revision"],
        )
        for each in connection.execute(_of(tables.manual, incident)).mappings()
    ]


def _connections(runs: list[Run]) -> set[str]:
    """Return the connections with which runs have to do: where they stop, and where they deliver."""
    return {run.ref.connection for run in runs} | {place.connection for run in runs for place in run.deliver}


def _of(table: Table, incident: str) -> Select[Any]:
    return select(table).where(table.c.incident == incident)


def _beside(connection: Connection, table: Table, incident: str) -> Any:
    """Return the rows of a table that belong to an incident's runs."""
    query = select(table).join(tables.run, tables.run.c.id == table.c.run).where(tables.run.c.incident == incident)
    return connection.execute(query).mappings()
