"""What reports, boards and the command line read of the ledger."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, FromClause, Select, Table, and_, func, or_, select

from rotator.credential import CredentialRef
from rotator.errors import BadInput
from rotator.flow.choice import MINTING
from rotator.flow.incident import Incident
from rotator.flow.order import Elsewhere
from rotator.flow.playbook import Strategy, Verb
from rotator.flow.proof import Proof
from rotator.flow.run import BranchState, Run, Step, StepState
from rotator.ledger import gates as gates_in
from rotator.ledger import opening, rows, statements, tables, waits
from rotator.ledger import stops as stops_in
from rotator.ledger.database import Database
from rotator.ledger.gates import Foothold, Gate
from rotator.ledger.stops import Stop
from rotator.ports import Place


@dataclass(frozen=True, slots=True)
class ManualTask:
    """An exposed credential that no machine can answer."""

    id: str
    kind: str | None
    key: str
    reason: str
    mend: str
    dismissed: str | None
    exposures: int


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One run with everything that belongs to it."""

    run: Run
    steps: tuple[Step, ...]
    proofs: tuple[Proof, ...]
    exposures: int
    awaits: tuple[str, ...] = ()
    gone_ahead: str | None = None
    """Which of those it did not wait for, who said so, and why."""


@dataclass(frozen=True, slots=True)
class IncidentRecord:
    """An incident as the ledger holds it now."""

    incident: Incident
    plan_digest: str
    approved_at: float | None
    runs: tuple[RunRecord, ...]
    manual: tuple[ManualTask, ...]
    stops: tuple[Stop, ...] = ()
    gates: tuple[Gate, ...] = ()
    footholds: tuple[Foothold, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Progress:
    """What a live display counts: a partition of the credentials, and `busy`: something still moves by itself.

    Of the dead ones, `being_replaced` are still at work, and `stuck` wait for a person with what comes after death.
    `stopped` are the stops that hold back something of the incident.
    """

    dead: int
    stated: int
    settling: int
    pending: int
    held: int
    manual: int
    failed: int
    dismissed: int
    busy: bool
    being_replaced: int = 0
    stuck: int = 0
    stopped: tuple[Stop, ...] = ()

    @property
    def credentials(self) -> int:
        """Return how many there are."""
        counts = (self.dead, self.stated, self.settling, self.pending, self.held, self.manual)
        return sum(counts) + self.failed + self.dismissed


SOON_S = 60.0
"""A branch that is due later than this is waiting, not working."""


class Reading:
    """Read-only views."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def incidents(self) -> list[Incident]:
        """Return every incident, the newest first."""
        with self._database.read() as connection:
            query = select(tables.incident).order_by(tables.incident.c.declared_at.desc())
            return [rows.incident_of(row) for row in connection.execute(query).mappings()]

    def named(self, incident: str) -> str:
        """Return the id that a person meant: itself, or the newest one for `last`. Raises BadInput for no incident."""
        known = select(tables.incident.c.id).order_by(tables.incident.c.declared_at.desc()).limit(1)
        if incident != "last":
            known = known.where(tables.incident.c.id == incident)
        with self._database.read() as connection:
            found = connection.execute(known).scalar()
        if found is None and incident == "last":
            raise BadInput("there is no incident yet", "last", "rotator respond FILE declares one")
        if found is None:
            raise BadInput("no such incident", incident, "rotator incident list shows them")
        return str(found)

    def answered(self, deliver: Mapping[CredentialRef, tuple[Place, ...]]) -> dict[CredentialRef, str]:
        """Return, for each credential whose replacement an earlier run has made or is about to, that run's id.

        That is a run for the same credential, or one that delivered for the same owner to the same places: consumers
        hold what came with it, unless that has leaked too.
        """
        run, names = tables.run, {each.id for each in deliver}
        asked = {(each.provider, each.connection, each.owner) for each in deliver}
        found: dict[CredentialRef, str] = {}
        with self._database.read() as connection:
            by_owner: dict[tuple[str, str, str], list[Run]] = {}
            for owners in _by_500(sorted({owner for _, _, owner in asked})):
                query = select(run).where(run.c.owner.in_(owners), replaces(run)).order_by(run.c.requested_at)
                for row in connection.execute(query).mappings():
                    earlier = rows.run_of(row)
                    by_owner.setdefault((earlier.ref.provider, earlier.ref.connection, earlier.ref.owner), []).append(
                        earlier
                    )
        for ref, places in deliver.items():
            for earlier in by_owner.get((ref.provider, ref.connection, ref.owner), []):
                held = bool(places) and set(places) <= set(earlier.deliver)
                if earlier.ref == ref or (held and earlier.replacement not in {ref.id, *names}):
                    found[ref] = earlier.id
        return found

    def elsewhere(self) -> Elsewhere:
        """Return what runs that are replaced first still have before them, in every approved incident."""
        run, reach, delivery = tables.run, tables.reach, tables.delivery
        first = and_(run.c.strategy == Strategy.REPLACE_FIRST.value, run.c.requested_at.is_not(None))
        passed = select(delivery.c.connection).join(run, run.c.id == delivery.c.run)
        read = select(reach.c.connection).join(run, run.c.id == reach.c.run)
        with self._database.read() as connection:
            return Elsewhere(
                frozenset(connection.execute(passed.where(first, run.c.replaced_at.is_(None)).distinct()).scalars()),
                frozenset(connection.execute(read.where(first, reach.c.open == tables.LIVES).distinct()).scalars()),
            )

    def totals(self) -> list[tuple[str, str, int]]:
        """Return (kind, evidence, count) over all incidents."""
        run = tables.run
        with self._database.read() as connection:
            query = select(run.c.kind, run.c.evidence, func.count()).group_by(run.c.kind, run.c.evidence)
            return [(kind, evidence, count) for kind, evidence, count in connection.execute(query)]

    def incident(self, incident: str) -> IncidentRecord:
        """Return one incident whole, from one consistent state. Raises BadInput when there is none."""
        with self._database.read() as connection:
            row = connection.execute(select(tables.incident).where(tables.incident.c.id == incident)).mappings().first()
            if row is None:
                raise BadInput("no such incident", incident, "rotator incident list shows them")
            runs = [rows.run_of(each) for each in connection.execute(_of(tables.run, incident)).mappings()]
            steps: dict[str, list[Step]] = {}
            query = (
                select(tables.step)
                .join(tables.run, tables.run.c.id == tables.step.c.run)
                .where(tables.run.c.incident == incident)
                .order_by(tables.step.c.position, tables.step.c.target)
            )
            for each in connection.execute(query).mappings():
                steps.setdefault(each["run"], []).append(rows.step_of(each))
            said = waits.said(connection, row, steps)
            proofs: dict[str, list[Proof]] = {}
            of_runs = (
                select(tables.proof)
                .join(tables.run, tables.run.c.id == tables.proof.c.run)
                .where(tables.run.c.incident == incident)
            )
            for each in connection.execute(of_runs).mappings():
                proofs.setdefault(each["run"], []).append(rows.proof_of(each))
            counted = (
                select(func.coalesce(tables.exposure.c.run, tables.exposure.c.manual), func.count())
                .where(tables.exposure.c.incident == incident)
                .group_by(func.coalesce(tables.exposure.c.run, tables.exposure.c.manual))
            )
            exposures = {name: count for name, count in connection.execute(counted)}  # noqa: C416 - rows are not pairs
            manual = [
                ManualTask(
                    id=each["id"],
                    kind=each["kind"],
                    key=each["key"],
                    reason=each["reason"],
                    mend=each["mend"],
                    dismissed=each["dismissed"],
                    exposures=exposures.get(each["id"], 0),
                )
                for each in connection.execute(_of(tables.manual, incident)).mappings()
            ]
            stops = _concerning(stops_in.find(connection), incident, {run.ref.connection for run in runs})
            gates = gates_in.find_gates(connection, incident)
            footholds = gates_in.find_footholds(connection, incident)
            awaits = waits.lifelines(connection, incident)
            gone_ahead = waits.gone_ahead(connection, incident)
            warnings = waits.warned(connection, incident)
        return IncidentRecord(
            incident=rows.incident_of(row),
            plan_digest=row["plan_digest"],
            approved_at=row["approved_at"],
            runs=tuple(
                RunRecord(
                    run,
                    tuple(said.get(run.id, ())),
                    tuple(proofs.get(run.id, ())),
                    exposures.get(run.id, 0),
                    awaits.get(run.id, ()),
                    gone_ahead.get(run.id),
                )
                for run in sorted(runs, key=lambda each: (-each.priority, each.id))
            ),
            manual=tuple(manual),
            stops=tuple(stops),
            gates=tuple(gates),
            footholds=tuple(footholds),
            warnings=warnings,
        )

    def progress(self, incident: str, now: float) -> Progress:
        """Return the counts of one incident, cheaply enough to be asked several times a second."""
        branch, proof, run = tables.branch, tables.proof, tables.run
        with self._database.read() as connection:
            states: dict[str, set[str]] = {}
            busy = False
            stopped, held_back = _stopped(connection, incident)
            query = select(branch.c.run, branch.c.state, branch.c.due_at, branch.c.holder)
            for name, state, due_at, holder in connection.execute(query.where(branch.c.incident == incident)):
                scheduled = state == BranchState.HELD.value and due_at is not None
                states.setdefault(name, set()).add("scheduled" if scheduled else state)
                moves = state == BranchState.OPEN.value or (scheduled and due_at < now + SOON_S)
                # What is stopped moves no more, once the worker that is at it has given way.
                busy = busy or (moves and (name not in held_back or holder is not None))
            if not busy:
                waking = select(branch.c.run).where(branch.c.incident == incident, statements.SAFE_AGAIN).distinct()
                busy = bool(set(connection.execute(waking).scalars()) - held_back) or opening.will_move(connection)
            unrefused = set(
                connection.execute(
                    select(proof.c.run)
                    .join(run, run.c.id == proof.c.run)
                    .where(
                        run.c.incident == incident,
                        proof.c.refused_since.is_(None),
                        proof.c.stated_since.is_(None),
                        proof.c.dead_at.is_(None),
                    )
                ).scalars()
            )
            counts: Counter[str] = Counter()
            for name, evidence, dismissed in connection.execute(
                select(run.c.id, run.c.evidence, run.c.dismissed).where(run.c.incident == incident)
            ):
                if evidence != "none" and states.get(name, set()) & {BranchState.FAILED.value, BranchState.HELD.value}:
                    counts["stuck"] += 1
                elif evidence != "none" and BranchState.OPEN.value in states.get(name, set()):
                    counts["being_replaced"] += 1
                counts[_count_as(evidence, dismissed, states.get(name, set()), refused=name not in unrefused)] += 1
            manual = connection.execute(
                select(tables.manual.c.dismissed).where(tables.manual.c.incident == incident)
            ).scalars()
            for dismissed in manual:
                counts["dismissed" if dismissed else "manual"] += 1
        return Progress(
            dead=counts["dead"],
            stated=counts["stated"],
            settling=counts["settling"],
            pending=counts["pending"],
            held=counts["held"],
            manual=counts["manual"],
            failed=counts["failed"],
            dismissed=counts["dismissed"],
            busy=busy,
            being_replaced=counts["being_replaced"],
            stuck=counts["stuck"],
            stopped=stopped,
        )


def _concerning(stops: Iterable[Stop], incident: str, connections: Container[str]) -> list[Stop]:
    """Return the stops that hold back something of an incident."""
    return [
        each
        for each in stops
        if each.scope == stops_in.ALL
        or (each.scope == stops_in.INCIDENT and each.name == incident)
        or (each.scope == stops_in.CONNECTION and each.name in connections)
    ]


def _stopped(connection: Connection, incident: str) -> tuple[tuple[Stop, ...], set[str]]:
    """Return the stops of an incident, and the unfinished runs that they hold back."""
    in_force = stops_in.find(connection)
    if not in_force:
        return (), set()
    run, branch = tables.run, tables.branch
    unfinished = select(branch.c.id).where(branch.c.run == run.c.id, branch.c.state != BranchState.DONE.value)
    query = select(run.c.id, run.c.connection).where(run.c.incident == incident, unfinished.exists())
    runs = {name: at for name, at in connection.execute(query)}  # noqa: C416 - rows are not pairs
    found = _concerning(in_force, incident, set(runs.values()))
    whole = any(each.scope != stops_in.CONNECTION for each in found)
    at = {each.name for each in found}
    held_back = {name for name, on in runs.items() if whole or on in at}
    return (tuple(found) if held_back else ()), held_back


def _count_as(evidence: str, dismissed: str | None, states: set[str], *, refused: bool) -> str:
    """Return what a run counts as: the same answer as `flow.run.state_of`, from a few columns."""
    if dismissed is not None:
        return "dismissed"
    if evidence != "none":
        return {"proven": "dead", "stated": "stated"}[evidence]
    if BranchState.FAILED.value in states:
        return "failed"
    if BranchState.HELD.value in states or states == {BranchState.DONE.value}:
        return "held"
    return "settling" if refused else "pending"


def replaces(run: FromClause) -> ColumnElement[bool]:
    """Ask whether a run has replaced its credential, or is about to: approved, and no branch of it has failed.

    One that a person took back, or that made none since a person went on without, replaces nothing.
    """
    branch, step = tables.branch, tables.step
    failed = select(branch.c.id).where(branch.c.run == run.c.id, branch.c.state == BranchState.FAILED.value)
    minting = run.c.strategy.in_(["contain_first", "replace_first"])
    given_up = select(step.c.id).where(
        step.c.run == run.c.id,
        or_(
            # A demotion comes of an undo alone.
            and_(step.c.verb == Verb.DEMOTE.value, step.c.state != StepState.SKIPPED.value),
            and_(step.c.verb.in_([each.value for each in MINTING]), step.c.state == StepState.SKIPPED.value),
        ),
    )
    made = or_(run.c.replacement.is_not(None), and_(run.c.requested_at.is_not(None), minting, ~failed.exists()))
    return and_(made, ~given_up.exists())


def _of(table: Table, incident: str) -> Select[Any]:
    return select(table).where(table.c.incident == incident)


def _by_500(names: Sequence[str]) -> Iterator[Sequence[str]]:
    """Give long lists in pieces that every database takes."""
    for start in range(0, len(names), 500):
        yield names[start : start + 500]
