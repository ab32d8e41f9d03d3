"""What reports, boards and the command line read of the ledger."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Connection, func, select

from rotator.credential import CredentialRef
from rotator.flow.approval import Policy
from rotator.flow.incident import Purpose
from rotator.flow.order import Elsewhere
from rotator.flow.planned import Plan
from rotator.flow.run import BranchState
from rotator.ledger import (
    approved,
    counting,
    dismissals,
    earlier,
    few,
    gone,
    listing,
    moving,
    names,
    outline,
    pause_gates,
    plans,
    revisions,
    rows,
    run_records,
    tables,
    waits,
)
from rotator.ledger import beside as beside_of
from rotator.ledger import datasets as datasets_in
from rotator.ledger import gates as gates_in
from rotator.ledger import pauses as pauses_in
from rotator.ledger import stops as stops_in
from rotator.ledger import told as told_in
from rotator.ledger.database import Database
from rotator.ledger.listing import Part
from rotator.ledger.moving import Moving
from rotator.ledger.outline import Outline
from rotator.ledger.records import IncidentRecord, Listed, Progress, RunRecord
from rotator.ledger.stops import Stop
from rotator.ledger.told import Told
from rotator.ledger.which import Which, parts
from rotator.ports import Place


class Reading:
    """Read-only views."""

    def __init__(self, database: Database, policy: Policy | None = None) -> None:
        self._database, self._policy = database, policy

    def incidents(self, part: Part = Part()) -> list[Listed]:  # noqa: B008 - it never changes
        """Return incidents, the newest first: see `listing.py`."""
        with self._database.read() as connection:
            return listing.listed(connection, part)

    def count(self, part: Part) -> int:
        """Return how many incidents a part has."""
        with self._database.read() as connection:
            return listing.count(connection, part)

    def counted(self) -> Counter[tuple[Purpose, bool]]:
        """Return how many incidents there are of each purpose that are open, and that are not."""
        with self._database.read() as connection:
            return listing.counted(connection)

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

    def moving(self, every: Iterable[str], untold: Iterable[str], now: float) -> Moving:
        """Return what still moves of an incident and what was merged into it: see `moving.py`."""
        with self._database.read() as connection:
            return moving.moving(connection, list(every), untold, now)

    def incident(self, incident: str) -> IncidentRecord:
        """Return one incident whole, from one consistent state. Raises BadInput when there is none."""
        with self._database.read() as connection:
            return self._incident(connection, incident)

    def few(self, incident: str, names: Iterable[str]) -> IncidentRecord:
        """Return an incident with a few of its runs and tasks alone, as much of it as a report's rows of them take.

        With them are the other runs of their credentials, and those for which they wait. Raises BadInput for no such
        incident. What is none of its own, or of what was merged into it, is left out.
        """
        with self._database.read() as connection:
            return few.few(connection, incident, names)

    def head(self, incident: str, names: Iterable[str]) -> IncidentRecord:
        """Return the same with all that is said of the incident as a whole."""
        with self._database.read() as connection:
            return few.headed(connection, few.few(connection, incident, names), self._policy)

    def runs(self, names: Iterable[str]) -> list[RunRecord]:
        """Return how a few runs stand, of whatever incident: not what people accepted, nor what keeps each waiting."""
        with self._database.read() as connection:
            return [one for each in parts(names) for one in run_records.standing(connection, Which("", each))]

    def outline(self, incident: str) -> Outline:
        """Return what belongs to an incident, its runs left out. Raises BadInput when there is none."""
        with self._database.read() as connection:
            return outline.outline(connection, incident)

    def names(self, every: Iterable[str]) -> list[str]:
        """Return the names of the runs of incidents, the most urgent first."""
        with self._database.read() as connection:
            return outline.names(connection, every)

    def beside_runs(self, runs: Iterable[str]) -> tuple[set[str], set[str], list[Stop]]:
        """Return the ids of the credentials of runs, the owners of whom a mint is not settled, and what is stopped."""
        with self._database.read() as connection:
            ids = outline.credentials(connection, runs)
            return ids, outline.late_owners(connection), stops_in.find(connection)

    def _incident(self, connection: Connection, incident: str) -> IncidentRecord:
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
            stops=tuple(moving.concerning(stops_in.find(connection), [incident], run_records.connections(runs))),
            gates=tuple(gates_in.find_gates(connection, incident)),
            footholds=tuple(gates_in.find_footholds(connection, incident)),
            warnings=waits.warned(connection, incident),
            told=tuple(told_in.told(connection, incident)),
            datasets=datasets_in.of_incident(connection, incident),
            overrides=tuple(pause_gates.overrides(connection, incidents=[incident])),
            pauses=pauses_in.of_incident(connection, incident),
            dismissals=tuple(dismissals.find(connection, which)),
            stale=(overtaken.id, overtaken.credential) if overtaken is not None else None,
            revisions=tuple(made),
            merged_into=row["merged_into"],
            closed_by=row["closed_by"],
            closed_reason=row["closed_reason"],
            evidence_deleted_at=gone.among(connection, [incident]).get(incident),
            merged=tuple(
                self._incident(connection, each) for each in revisions.merged(connection, incident, directly=True)
            ),
            approvals=approved.standing(connection, incident, self._policy),
        )
