"""Count how an incident stands, cheaply enough to be asked several times a second. The report says the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable, Sequence
from dataclasses import fields

from sqlalchemy import Connection, RowMapping, and_, func, null, select

from rotator.claims import GATE
from rotator.flow.playbook_words import Expect, Subject, Verb
from rotator.flow.run import BranchState, Step, StepState
from rotator.flow.standing import proof_given_up
from rotator.ledger import approved, leak_safe, opening, other_runs, rows, statements, tables
from rotator.ledger import stops as stops_in
from rotator.ledger.records import Listed, Progress
from rotator.ledger.stops import Stop
from rotator.ledger.waits import UNSAFE

SOON_S = 60.0
"""A branch that is due later than this is waiting, not working. An undo that waits for a lost call is at work."""
_SCHEDULED = "scheduled"
ALIVE_AGAIN = "alive again"
"""How an incident stands of which somebody resumed a stolen credential."""
WAITS = "waits for you"
NEWER = "waits for approval"
"""What was added since it was approved is not."""
_ITS_TURN = "its turn"
"""Stands for a branch that is held and will go on by itself: no state of the ledger's."""


def progress(connection: Connection, incident: str, now: float) -> Progress:
    """Return the counts of one incident."""
    branch, proof, run = tables.branch, tables.proof, tables.run
    states: dict[str, set[str]] = {}
    busy = False
    stopped, held_back = _stopped(connection, incident)
    query = select(
        branch.c.id,
        branch.c.run,
        branch.c.state,
        branch.c.due_at,
        branch.c.holder,
        branch.c.reason,
        and_(branch.c.due_at.is_not(None), statements.APART),
    )
    for name, of_run, state, due_at, holder, reason, apart in connection.execute(
        query.where(branch.c.incident == incident)
    ):
        scheduled = state == BranchState.HELD.value and due_at is not None
        if not (scheduled and apart):
            states.setdefault(of_run, set()).add(_kept_by(state, reason, scheduled=scheduled))
        moves = state == BranchState.OPEN.value or (scheduled and due_at < now + SOON_S)
        # What is stopped moves no more, once the worker that is at it has given way.
        busy = busy or (moves and (name not in held_back or holder is not None))
    if not busy:
        waking = select(branch.c.id).where(branch.c.incident == incident, leak_safe.SAFE_AGAIN)
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
    given_up = _given_up(connection, incident)
    counts: Counter[str] = Counter()
    for name, evidence, dismissed in connection.execute(
        select(run.c.id, run.c.evidence, run.c.dismissed).where(run.c.incident == incident)
    ):
        found = states.get(name, set()) if dismissed is None else set()
        if evidence != "none" and found & {BranchState.FAILED.value, BranchState.HELD.value}:
            counts["asking"] += 1
        elif evidence != "none" and BranchState.OPEN.value in found:
            counts["being_replaced"] += 1
        elif evidence != "none" and _ITS_TURN in found:
            counts["waiting"] += 1
        counts[count_as(evidence, dismissed, found, refused=name not in unrefused, given_up=name in given_up)] += 1
    manual = connection.execute(select(tables.manual.c.dismissed).where(tables.manual.c.incident == incident))
    for dismissed in manual.scalars():
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
        waiting=counts["waiting"],
        asking=counts["asking"],
        stopped=stopped,
    )


def together(found: Sequence[Progress]) -> Progress:
    """Return the counts of several incidents that became one."""
    if len(found) == 1:
        return found[0]
    counts = {
        each.name: sum(getattr(one, each.name) for one in found) for each in fields(Progress) if each.type == "int"
    }
    stopped = dict.fromkeys(stop for one in found for stop in one.stopped)
    return Progress(**counts, busy=any(one.busy for one in found), stopped=tuple(stopped))


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


def _given_up(connection: Connection, incident: str) -> set[str]:
    """Return the runs of which a person left out the proof of death, and nothing will bring it soon."""
    run, step = tables.run, tables.step
    skipped = and_(
        step.c.verb == Verb.VERIFY.value,
        step.c.subject == Subject.EXPOSED.value,
        step.c.expect == Expect.REJECTED.value,
        step.c.state == StepState.SKIPPED.value,
    )
    of_incident = select(step.c.run).join(run, run.c.id == step.c.run).where(run.c.incident == incident, skipped)
    found: dict[str, list[Step]] = {}
    query = select(step).where(step.c.run.in_(of_incident.distinct())).order_by(step.c.position)
    for row in connection.execute(query).mappings():
        found.setdefault(row["run"], []).append(rows.step_of(row))
    return {name for name, steps in found.items() if proof_given_up(steps)}


def concerning(stops: Iterable[Stop], incident: str, connections: Container[str]) -> list[Stop]:
    """Return the stops that hold back something of an incident, which has to do with those connections."""
    return [
        each
        for each in stops
        if each.scope == stops_in.ALL
        or (each.scope == stops_in.INCIDENT and each.name == incident)
        or (each.scope == stops_in.CONNECTION and each.name in connections)
    ]


def _stopped(connection: Connection, incident: str) -> tuple[tuple[Stop, ...], set[str]]:
    """Return the stops of an incident, and the unfinished branches that they hold back."""
    in_force = stops_in.find(connection)
    if not in_force:
        return (), set()
    run, branch, delivery = tables.run, tables.branch, tables.delivery
    unfinished = and_(branch.c.incident == incident, branch.c.state != BranchState.DONE.value)
    held_back = set(
        connection.execute(select(branch.c.id).where(unfinished, statements.stopped().is_not(None))).scalars()
    )
    if not held_back:
        return (), set()
    at = select(run.c.connection).join(branch, branch.c.run == run.c.id).where(unfinished)
    into = select(delivery.c.connection).join(branch, branch.c.run == delivery.c.run).where(unfinished)
    connections = set(connection.execute(at.union(into)).scalars())
    return tuple(concerning(in_force, incident, connections)), held_back


def listed(connection: Connection) -> list[Listed]:
    """Return every incident, the newest first, and how each stands."""
    branch, incident, manual, run = tables.branch, tables.incident, tables.manual, tables.run
    stopped = statements.stopped() if stops_in.find(connection) else null()
    states: dict[str, set[str]] = {}
    kinds = (
        select(branch.c.incident, branch.c.state, branch.c.due_at.is_not(None).label("timed"), stopped.label("stopped"))
        .join(run, run.c.id == branch.c.run)
        .where(run.c.dismissed.is_(None))
    )
    for name, state, timed, by in connection.execute(kinds.distinct()):
        at_work = state == BranchState.OPEN.value
        waits = state == BranchState.HELD.value and timed
        kept = _SCHEDULED if waits else "stopped" if at_work and by else state
        states.setdefault(name, set()).add(kept)
    credentials: Counter[str] = Counter()
    dead: Counter[str] = Counter()
    stated: Counter[str] = Counter()
    of_runs = select(run.c.incident, run.c.evidence, func.count()).where(run.c.dismissed.is_(None))
    for name, evidence, count in connection.execute(of_runs.group_by(run.c.incident, run.c.evidence)):
        credentials[name] += count
        dead[name] += count if evidence == "proven" else 0
        stated[name] += count if evidence == "stated" else 0
    for name, count in connection.execute(
        select(manual.c.incident, func.count()).where(manual.c.dismissed.is_(None)).group_by(manual.c.incident)
    ):
        credentials[name] += count
    answer, reviews = [], approved.to_review(connection)
    found = connection.execute(select(incident).order_by(incident.c.declared_at.desc())).mappings().all()
    _tell_once(found, (credentials, dead, stated), states)
    plan, newer = tables.plan, set[str]()
    newer |= set(
        connection.execute(select(plan.c.incident).where(plan.c.approved_at.is_(None), plan.c.number > 1)).scalars()
    )
    for row in found:
        name = row["id"]
        if row["merged_into"] is not None:
            answer.append(Listed(rows.incident_of(row), f"merged into {row['merged_into']}", 0, 0))
            continue
        alive = credentials[name] - dead[name] - stated[name]
        is_approved = row["approved_at"] is not None
        words = _in_words(states.get(name, set()), approved=is_approved, alive=alive, stated=stated[name])
        if words == WAITS:
            words = NEWER if name in newer else _since(connection, name, states.get(name, set()), alive)
        answer.append(Listed(rows.incident_of(row), words, credentials[name], dead[name], reviews.get(name, 0)))
    return answer


def _tell_once(found: Sequence[RowMapping], counts: Iterable[Counter[str]], states: dict[str, set[str]]) -> None:
    """Count what was merged into another incident there, and nowhere else."""
    into = {row["id"]: row["merged_into"] for row in found if row["merged_into"] is not None}
    for name in into:
        last = name
        while last in into:
            last = into[last]
        for each in counts:
            each[last] += each.pop(name, 0)
        states.setdefault(last, set()).update(states.pop(name, set()))


def _since(connection: Connection, incident: str, states: set[str], alive: int) -> str:
    """Return what has become of an incident that waits for a person: an undo, or deaths that other incidents saw."""
    settled = other_runs.deaths(connection, incident)
    step, run = tables.step, tables.run
    resumed = (
        select(step.c.run)
        .join(run, run.c.id == step.c.run)
        .where(run.c.incident == incident, run.c.evidence == "none")
        .where(step.c.verb == Verb.RESUME.value, step.c.subject == Subject.EXPOSED.value)
        .where(step.c.state != StepState.SKIPPED.value, step.c.attempts > 0)
    )
    alive_again = {*connection.execute(resumed).scalars(), *other_runs.resumed(connection, incident)}
    if alive_again - settled.keys():
        return ALIVE_AGAIN
    through = states <= {BranchState.DONE.value, _SCHEDULED}
    return f"dead, {alive:,} settled elsewhere" if through and alive == len(settled) else WAITS


def _in_words(states: set[str], *, approved: bool, alive: int, stated: int) -> str:
    """Return how an incident stands: what moves comes first, then what keeps it from moving."""
    if not approved:
        return "not approved"
    if BranchState.OPEN.value in states:
        return "at work"
    if "stopped" in states:
        return "stopped"
    if alive or not states <= {BranchState.DONE.value, _SCHEDULED}:
        return WAITS
    return f"dead, {stated:,} only stated" if stated else "all dead"
