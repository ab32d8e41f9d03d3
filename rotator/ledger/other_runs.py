"""The other runs of a credential, in whatever incident: which saw it die or count it dead, which will stop it again."""

from __future__ import annotations

import json
from collections.abc import Container, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, CursorResult, FromClause, Select, and_, bindparam, func, or_, select

from rotator.flow.playbook_words import Subject, Verb
from rotator.flow.proof import Evidence, Proof
from rotator.flow.run import LET_IN, THROUGH, WHY, Run, Step, StepState
from rotator.flow.step import STOPS
from rotator.flow.undo import Elsewhere
from rotator.ledger import rows, statements, tables
from rotator.ledger.which import Which
from rotator.ports.provider import State


@dataclass(frozen=True, slots=True)
class Stopped:
    """Which step of another run has stopped a credential, and whether that can be taken back."""

    run: str
    step: str
    has_way_back: bool


@dataclass(frozen=True, slots=True)
class Death:
    """The death of a credential as another run of it saw it: how sure that is, and since when, in epoch seconds."""

    run: str
    evidence: Evidence
    at: float


def _is_same(mine: FromClause, other: FromClause) -> ColumnElement[bool]:
    """Match another run of the same credential: of the same connection, or of one that leads to the same account."""
    theirs, ours = tables.branch.alias("theirs"), tables.branch.alias("ours")
    same_account = (
        select(1)
        .where(ours.c.run == mine.c.id, theirs.c.run == other.c.id, ours.c.account == theirs.c.account)
        .where(ours.c.account != "")
        .correlate(mine, other)
        .exists()
    )
    return and_(
        other.c.credential == mine.c.credential,
        other.c.provider == mine.c.provider,
        other.c.generation == mine.c.generation,
        other.c.id != mine.c.id,
        or_(other.c.connection == mine.c.connection, same_account),
    )


# Worded once: to word one costs more than to ask it, and each report asks all three, of an incident or a few runs.
_mine, _other, _third = (tables.run.alias(name) for name in ("mine", "other", "third"))
_step, _back = tables.step, tables.step.alias("back")
_PAIRS = _mine.join(_other, _is_same(_mine, _other))
_DEATHS = (
    select(_mine.c.id.label("of"), _other.c.id, _other.c.evidence, _other.c.dead_at)
    .select_from(_PAIRS)
    .where(_mine.c.evidence == Evidence.NONE.value)
    .where(_mine.c.requested_at.is_not(None), _other.c.dead_at.is_not(None))
    .order_by(_other.c.evidence, _other.c.dead_at)  # proven comes before stated
)
_acted_at = func.coalesce(_step.c.settled_at, _step.c.intended_at)
_RESUMED = (
    select(_mine.c.id.label("of"), _other.c.id, _step.c.facts)
    .select_from(_PAIRS.join(_step, _step.c.run == _other.c.id))
    .where(_mine.c.evidence == Evidence.NONE.value, _acted_at > _mine.c.requested_at)
    .where(_step.c.verb == Verb.RESUME.value, _step.c.subject == Subject.EXPOSED.value)
    .where(_step.c.state != StepState.SKIPPED.value, _step.c.attempts > 0)
    .order_by(_acted_at)
)
_resumed_since = (
    select(1)
    .where(_back.c.run == _third.c.id, or_(_third.c.id == _mine.c.id, _is_same(_mine, _third)))
    .where(_back.c.verb == Verb.RESUME.value, _back.c.subject == Subject.EXPOSED.value)
    .where(_back.c.state == StepState.DONE.value, _back.c.settled_at > _step.c.settled_at)
    .correlate_except(_third, _back)
    .exists()
)
_STOPPED = (
    select(_mine.c.id.label("of"), _other.c.id, _step.c.name, _step.c.undo)
    .select_from(_PAIRS.join(_step, _step.c.run == _other.c.id))
    .where(_step.c.subject == Subject.EXPOSED.value)
    .where(_step.c.verb.in_([each.value for each in STOPS]), _step.c.state == StepState.DONE.value, ~_resumed_since)
    .order_by(_step.c.settled_at)
)
_OF_INCIDENT = _mine.c.incident == bindparam("of_incident")
_OF_RUNS: ColumnElement[bool] = _mine.c.id.in_(bindparam("of_runs", expanding=True))
_WORDED = {query: (query.where(_OF_INCIDENT), query.where(_OF_RUNS)) for query in (_DEATHS, _RESUMED, _STOPPED)}


def _asked(connection: Connection, query: Select[Any], which: Which) -> CursorResult[Any]:
    of_incident, of_runs = _WORDED[query]
    if which.names is None:
        return connection.execute(of_incident, {"of_incident": which.incident})
    return connection.execute(of_runs, {"of_runs": list(which.names)})


def deaths(connection: Connection, which: Which) -> dict[str, Death]:
    """Return the death that another run saw, for each of these that is approved and has seen none: the surest."""
    found: dict[str, Death] = {}
    for row in _asked(connection, _DEATHS, which):
        found.setdefault(row.of, Death(row.id, Evidence(row.evidence), row.dead_at))
    return found


def unless_alive(death: Death | None, steps: Sequence[Step], proofs: Sequence[Proof]) -> Death | None:
    """Return the death that another run saw, unless this one has seen the credential live, or resumed it, since."""
    if death is None:
        return None
    signs = [proof.accepted_at for proof in proofs if proof.accepted_at is not None]
    signs += [
        step.settled_at or step.intended_at or death.at
        for step in steps
        if step.subject is Subject.EXPOSED
        and (
            (step.verb is Verb.RESUME and step.state is not StepState.SKIPPED)
            or (step.verb is Verb.PRESERVE and step.facts.get("issuer_says") == State.ACTIVE.value)
        )
    ]
    return death if death.at > max(signs, default=0.0) else None


def settled(connection: Connection, incident: str, runs: Container[str]) -> set[str]:
    """Return those of some runs of an incident that have not seen a death which another run has."""
    found = set()
    for run, death in deaths(connection, Which(incident)).items():
        if run in runs:
            proofs, steps = _told(connection, run)
            found |= {run} if unless_alive(death, steps, proofs) is not None else set()
    return found


def resumed(connection: Connection, which: Which) -> dict[str, tuple[str, str]]:
    """Return, for each of these runs, the other one that has resumed its credential since, who did and why.

    Not where the last one that did gave a vendor its grant back as it was let in again.
    """
    last = {row.of: (row.id, json.loads(row.facts)) for row in _asked(connection, _RESUMED, which)}
    return {of: (run, str(facts.get(WHY, ""))) for of, (run, facts) in last.items() if LET_IN not in facts}


def stopped(connection: Connection, which: Which) -> dict[str, Stopped]:
    """Return, for each of these runs, another that stopped its credential, where nobody has resumed it since."""
    found = _asked(connection, _STOPPED, which)
    # The last one: a destruction, which nothing takes back, comes after a suspension.
    return {row.of: Stopped(row.id, row.name, row.undo == Verb.RESUME.value) for row in found}


def find(connection: Connection, mine: Run) -> list[Elsewhere]:
    """Return the approved ones of the same provider, account and id that count it dead, or will stop it; by name."""
    found = []
    for row in connection.execute(_same(mine)).all():
        proofs, steps = _told(connection, row.id)
        dead = _count_dead(proofs)
        ahead = [
            each
            for each in steps
            if each.subject is Subject.EXPOSED and each.verb in STOPS and each.state not in THROUGH
        ]
        if not dead and not ahead:
            continue
        step = ahead[0] if ahead else None
        at = None
        if step is not None and step.waits_for_time and step.held_at is not None:
            at = step.held_at + (step.hold_for_s or 0.0)
        found.append(Elsewhere(row.id, row.incident, dead, step.name if step is not None else None, at))
    return found


def answering(connection: Connection, mine: Run, since: float) -> list[str]:
    """Return the approved ones that count it dead now, or were approved since then, by name."""
    found = connection.execute(_same(mine)).all()
    return [row.id for row in found if row.requested_at > since or _count_dead(_told(connection, row.id)[0])]


def _told(connection: Connection, run: str) -> tuple[list[Proof], list[Step]]:
    """Return what the doors of a run said, and its steps."""
    key = {"run_id": run}
    return (
        [rows.proof_of(each) for each in connection.execute(statements.FIND_PROOFS, key).mappings()],
        [rows.step_of(each) for each in connection.execute(statements.FIND_STEPS, key).mappings()],
    )


def _count_dead(proofs: Sequence[Proof]) -> bool:
    return any(each.settling or each.dead_at is not None or each.contained_at is not None for each in proofs)


def _same(mine: Run) -> Select[Any]:
    """Ask for them: of the same connection, or of another that leads to the same account."""
    run, branch = tables.run, tables.branch
    account = select(branch.c.account).where(branch.c.run == mine.id, branch.c.account != "")
    same_account = select(1).where(branch.c.run == run.c.id, branch.c.account.in_(account)).correlate(run).exists()
    return (
        select(run.c.id, run.c.incident, run.c.requested_at)
        .where(
            run.c.id != mine.id,
            run.c.requested_at.is_not(None),
            run.c.provider == mine.ref.provider,
            run.c.credential == mine.ref.id,
            run.c.generation == mine.ref.generation,
            or_(run.c.connection == mine.ref.connection, same_account),
        )
        .order_by(run.c.id)
    )
