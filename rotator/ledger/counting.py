"""Count how an incident stands, cheaply enough to be asked several times a second. The report says the same.

What was merged into it is counted with it, and a credential that both answer once, as the report tells it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from typing import Any

from sqlalchemy import Connection, and_, select

from rotator.claims import GATE
from rotator.flow.playbook_words import Expect, Subject, Verb
from rotator.flow.run import BranchState, Step, StepState
from rotator.flow.standing import proof_given_up
from rotator.ledger import moving, other_runs, revisions, rows, statements, tables
from rotator.ledger.records import Progress
from rotator.ledger.waits import UNSAFE

_SCHEDULED = "scheduled"
_ITS_TURN = "its turn"
"""Stands for a branch that is held and will go on by itself: no state of the ledger's."""


def progress(connection: Connection, incident: str, now: float) -> Progress:
    """Return the counts of one incident."""
    family = [incident, *revisions.merged(connection, incident)]
    counts = _counts(connection, family, _states(connection, family))
    return Progress(
        dead=counts["dead"],
        stated=counts["stated"],
        settling=counts["settling"],
        pending=counts["pending"],
        held=counts["held"],
        manual=counts["manual"],
        failed=counts["failed"],
        dismissed=counts["dismissed"],
        let_in_again=counts["let_in_again"],
        busy=moving.is_busy(connection, family, now),
        being_replaced=counts["being_replaced"],
        waiting=counts["waiting"],
        asking=counts["asking"],
        stopped=moving.stopped(connection, family),
    )


def _states(connection: Connection, family: Collection[str]) -> dict[str, set[str]]:
    """Return the states of each run's branches."""
    branch = tables.branch
    states: dict[str, set[str]] = {}
    apart = and_(branch.c.due_at.is_not(None), statements.APART)
    query = select(branch.c.run, branch.c.state, branch.c.due_at, branch.c.reason, apart)
    for of_run, state, due_at, reason, is_apart in connection.execute(query.where(branch.c.incident.in_(family))):
        scheduled = state == BranchState.HELD.value and due_at is not None
        if not (scheduled and is_apart):
            states.setdefault(of_run, set()).add(_kept_by(state, reason, scheduled=scheduled))
    return states


def _counts(connection: Connection, family: list[str], states: dict[str, set[str]]) -> Counter[str]:
    """Return how many count as what; of two runs of one credential the first one does, as in the report."""
    proof, run = tables.proof, tables.run
    unrefused = set(
        connection.execute(
            select(proof.c.run)
            .join(run, run.c.id == proof.c.run)
            .where(
                run.c.incident.in_(family),
                proof.c.refused_since.is_(None),
                proof.c.stated_since.is_(None),
                proof.c.dead_at.is_(None),
            )
        ).scalars()
    )
    given_up = _given_up(connection, family)
    named = (run.c.kind, run.c.connection, run.c.owner, run.c.credential)
    query = select(run.c.id, run.c.incident, run.c.priority, run.c.evidence, run.c.dismissed, run.c.let_in_at, *named)
    found: list[Any] = list(connection.execute(query.where(run.c.incident.in_(family))))
    if len(family) > 1:
        found = _in_order(connection, family, found)
    counts: Counter[str] = Counter()
    told: dict[tuple[str, ...], str] = {}
    for row in found:
        name, evidence, dismissed = row.id, row.evidence, row.dismissed
        if told.setdefault(tuple(row)[6:], name) != name:
            continue
        of_run = states.get(name, set()) if dismissed is None else set()
        if evidence != "none" and of_run & {BranchState.FAILED.value, BranchState.HELD.value}:
            counts["asking"] += 1
        elif evidence != "none" and BranchState.OPEN.value in of_run:
            counts["being_replaced"] += 1
        elif evidence != "none" and _ITS_TURN in of_run:
            counts["waiting"] += 1
        count = count_as(evidence, dismissed, of_run, refused=name not in unrefused, given_up=name in given_up)
        is_back = row.let_in_at is not None and _is_let_in(evidence, dismissed, of_run)
        counts["let_in_again" if is_back else count] += 1
    manual = connection.execute(select(tables.manual.c.dismissed).where(tables.manual.c.incident.in_(family)))
    for dismissed in manual.scalars():
        counts["dismissed" if dismissed else "manual"] += 1
    return counts


def _kept_by(state: str, reason: str | None, *, scheduled: bool) -> str:
    """Return a branch's state, its wait told apart: for its time, for its turn, or for a person."""
    if scheduled:
        return _SCHEDULED
    waits = state == BranchState.HELD.value and (reason or "").startswith((UNSAFE, GATE))
    return _ITS_TURN if waits else state


def count_as(evidence: str, dismissed: str | None, states: set[str], *, refused: bool, given_up: bool = False) -> str:
    """Return what a run counts as: the same answer as `flow.standing.state_of`, from a few columns."""
    if dismissed is not None:
        return "dismissed"
    if evidence != "none":
        return {"proven": "dead", "stated": "stated"}[evidence]
    if BranchState.FAILED.value in states:
        return "failed"
    if given_up or states & {BranchState.HELD.value, _ITS_TURN} or states == {BranchState.DONE.value}:
        return "held"
    return "settling" if refused else "pending"


def _is_let_in(evidence: str, dismissed: str | None, states: set[str]) -> bool:
    """Tell whether a run whose vendor got its grant back counts as that: nothing of it failed, or waits."""
    waits = {BranchState.FAILED.value, BranchState.HELD.value, _ITS_TURN}
    return dismissed is None and evidence == "none" and not states & waits


def _in_order(connection: Connection, family: list[str], found: list[Any]) -> list[Any]:
    """Return runs as the report has them; of two of one credential the one that tells how it stands comes first."""
    often = Counter(tuple(row)[6:] for row in found)
    twice = {row.id for row in found if often[tuple(row)[6:]] > 1}
    settled = {name for each in family for name in other_runs.settled(connection, each, twice)} if twice else set[str]()
    place = {name: number for number, name in enumerate(family)}
    return sorted(
        found,
        key=lambda row: (row.dismissed is not None, row.id in settled, place[row.incident], -row.priority, row.id),
    )


def _given_up(connection: Connection, family: Collection[str]) -> set[str]:
    """Return the runs of which a person left out the proof of death, and nothing will bring it soon."""
    run, step = tables.run, tables.step
    skipped = and_(
        step.c.verb == Verb.VERIFY.value,
        step.c.subject == Subject.EXPOSED.value,
        step.c.expect == Expect.REJECTED.value,
        step.c.state == StepState.SKIPPED.value,
    )
    of_incident = select(step.c.run).join(run, run.c.id == step.c.run).where(run.c.incident.in_(family), skipped)
    found: dict[str, list[Step]] = {}
    query = select(step).where(step.c.run.in_(of_incident.distinct())).order_by(step.c.position)
    for row in connection.execute(query).mappings():
        found.setdefault(row["run"], []).append(rows.step_of(row))
    return {name for name, steps in found.items() if proof_given_up(steps)}
