"""The statements that every step of every run repeats, built once: to build one costs more than to run it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BindParameter,
    and_,
    bindparam,
    delete,
    insert,
    literal,
    or_,
    select,
    update,
)

from rotator.claims import GATE, OF
from rotator.flow.apart import SORTS
from rotator.flow.playbook_words import Until, Verb
from rotator.flow.run import AT_ONCE, BranchState, StepState
from rotator.ledger import tables, why_stopped

_branch = tables.branch
_OWNER = ("provider", "connection", "owner")


def _given(*names: str) -> dict[str, BindParameter[Any]]:
    """Return columns whose values come as parameters of the same names."""
    return {name: bindparam(name) for name in names}


CLAIM = (
    update(_branch)
    .where(
        _branch.c.id == bindparam("b_id"),
        _branch.c.holder.is_(None),
        # A branch that was not sent is not due: a message that comes twice, or late, finds nothing to take.
        _branch.c.sent_at.between(bindparam("sent_from"), bindparam("sent_until")),
        _branch.c.state.in_([BranchState.OPEN.value, BranchState.HELD.value]),
    )
    .values(
        holder=bindparam("worker"),
        state=BranchState.OPEN.value,
        fence=_branch.c.fence + 1,
        beat=_branch.c.beat + 1,
        sent_at=None,
        reason=None,
    )
    .returning(*_branch.c)
)
FIND_SENT = select(_branch.c.sent_at).where(_branch.c.id == bindparam("b_id"), _branch.c.holder.is_(None))
_UNDER_THE_FENCE = (
    update(_branch)
    .where(
        _branch.c.id == bindparam("b_id"),
        _branch.c.fence == bindparam("b_fence"),
        _branch.c.length == bindparam("b_length"),
        _branch.c.holder.is_not(None),
    )
    .values(beat=_branch.c.beat + 1, **_given("length", "head"))
)
FIND_CLAIM = (
    select(_branch.c.id)
    .where(_branch.c.id == bindparam("b_id"), _branch.c.fence == bindparam("b_fence"), _branch.c.holder.is_not(None))
    .with_for_update()
)
BEAT = _UNDER_THE_FENCE.returning(
    # With parameters: SQLite 3.40 takes another row's value where a subquery of RETURNING looks at the row outside.
    why_stopped.of(*(bindparam(name) for name in ("of_incident", "of_connection", "of_run", "of_lane"))).label(
        "stopped"
    )
)
RELEASE = _UNDER_THE_FENCE.values(
    holder=None, sent_at=None, granted=None, probe=0, **_given("state", "due_at", "reason")
)
RELEASE_TO_LANE = RELEASE.values(_given("lane", "calls"))
FIND_STEPS = (
    select(tables.step)
    .where(tables.step.c.run == bindparam("run_id"))
    .order_by(tables.step.c.position, tables.step.c.target)
)
FIND_PROOFS = select(tables.proof).where(tables.proof.c.run == bindparam("run_id"))
FIND_OURS = select(
    *(tables.run.c[name] for name in ("id", "credential", "replacement", "deliver", "requested_at"))
).where(*(tables.run.c[name] == bindparam(name) for name in _OWNER))
FIND_PROMOTED = select(tables.step.c.facts).where(
    tables.step.c.run.in_(bindparam("by_runs", expanding=True)),
    tables.step.c.verb == Verb.PROMOTE.value,
    tables.step.c.state == StepState.DONE.value,
    tables.step.c.settled_at >= bindparam("since"),
)
"""What runs have put where consumers read, since that time."""
FIND_LATE = (
    select(tables.late.c.credential)
    .join(tables.run, tables.run.c.id == tables.late.c.run)
    .where(*(tables.run.c[name] == bindparam(name) for name in _OWNER))
)
FIND_CANARIES = select(tables.trial.c.credential).where(
    tables.trial.c.kind == bindparam("provider"),
    *(tables.trial.c[name] == bindparam(name) for name in ("connection", "owner")),
    tables.trial.c.credential.is_not(None),
)
"""The canaries of certifications that may be alive: no comparison takes one for somebody else's."""
GIVE_BACK = (
    update(tables.account)
    .where(tables.account.c.name == bindparam("a_name"))
    .values(tokens=tables.account.c.tokens + bindparam("unspent"))
)
SETTLE_LATE = delete(tables.late).where(
    tables.late.c.credential == bindparam("l_credential"),
    tables.late.c.run.in_(
        select(tables.run.c.id).where(*(tables.run.c[name] == bindparam(f"l_{name}") for name in _OWNER))
    ),
)
FIND_GATE = select(tables.gate.c.open).where(
    tables.gate.c.incident == bindparam("of_incident"), tables.gate.c.name == bindparam("gate")
)
FIND_RUN = (
    select(
        tables.run,
        tables.sealed.c.blob,
        why_stopped.of(
            tables.run.c.incident,
            tables.run.c.connection,
            tables.run.c.id,
            bindparam("of_lane", ""),
            outside=(tables.run,),
        ).label("stopped"),
    )
    .outerjoin(tables.sealed, tables.sealed.c.run == tables.run.c.id)
    .where(tables.run.c.id == bindparam("run_id"))
)
UNDER_LEGAL_HOLD = (
    select(1)
    .where(
        tables.gate.c.incident == tables.run.c.incident,
        tables.gate.c.name == Until.NO_LEGAL_HOLD.value,
        tables.gate.c.open == 0,
        tables.run.c.id == tables.sealed.c.run,
    )
    .correlate(tables.sealed)
    .exists()
)
"""Sealed secrets that nobody may destroy yet."""
FORGET_MATERIAL = delete(tables.sealed).where(tables.sealed.c.run == bindparam("run_id"), ~UNDER_LEGAL_HOLD)
MOVE_STEP = (
    update(tables.step)
    .where(tables.step.c.id == bindparam("s_id"))
    .values(_given("state", "attempts", "started_at", "intended_at", "settled_at", "held_at", "reason", "facts"))
)
ADD_BRANCH = insert(tables.branch)
ADD_STEP = insert(tables.step)
PROVE = (
    update(tables.proof)
    .where(tables.proof.c.run == bindparam("p_run"), tables.proof.c.target == bindparam("p_target"))
    .values(
        _given(
            "known_at",
            "accepted_at",
            "mismatch",
            "refused_since",
            "stated_since",
            "dead_at",
            "contained_at",
            "evidence",
        )
    )
)
ADD_EVIDENCE = insert(tables.evidence)
GIVE_MINT = delete(tables.mint).where(
    tables.mint.c.owner == bindparam("m_owner"), tables.mint.c.branch == bindparam("m_branch")
)
GROW = update(tables.branch).where(tables.branch.c.id == bindparam("b_id")).values(_given("length", "head"))
"""Let a branch's chain be longer, for who holds it."""

SUMMARISE = (
    update(tables.run)
    .where(tables.run.c.id == bindparam("run_id"))
    .values(
        _given(
            "acknowledged_at",
            "dead_at",
            "contained_at",
            "evidence",
            "replaced_at",
            "replacement",
            "converged_at",
            "destroyed_at",
            "let_in_at",
        )
        | {"told": tables.run.c.told + 1}
    )
    .returning(tables.run.c.told)
)
REF = ("provider", "connection", "owner", "credential", "generation")
"""The columns that name a run's exposed credential."""
CLOSE_REACH = update(tables.reach).where(tables.reach.c.run == bindparam("run_id")).values(open=bindparam("still_open"))
_same = {name: tables.run.c[name] == bindparam(f"r_{name}") for name in REF}
CLOSE_REACH_EVERYWHERE = (
    update(tables.reach)
    .where(tables.reach.c.open > 0, tables.reach.c.run.in_(select(tables.run.c.id).where(*_same.values())))
    .values(open=0)
    .returning(tables.reach.c.connection)
)
"""Of every run of a credential, whatever its incident: one that was undone lives until another stops it."""

_beside = tables.step.alias("beside")
APART = (
    select(1)
    .where(
        _beside.c.run == _branch.c.run,  # by which steps are found: no index has their branch
        _beside.c.branch == _branch.c.id,
        _beside.c.verb == Verb.COMPARE.value,
        or_(*(_beside.c.name.startswith(each) for each in SORTS)),
    )
    .correlate(_branch)
    .exists()
)
"""Branches of comparisons that nothing hangs on: see `flow/apart.py`."""
_WAITS_AT_GATE = and_(
    _branch.c.state == BranchState.HELD.value,
    _branch.c.due_at.is_(None),
    or_(
        select(1)
        .where(
            tables.gate.c.incident == _branch.c.incident,
            tables.gate.c.open == 1,
            _branch.c.reason == literal(GATE) + tables.gate.c.name,
        )
        .correlate(_branch)
        .exists(),
        # That of another incident, in which its replacement has leaked; told apart first, as there are many gates.
        and_(
            _branch.c.reason.contains(OF),
            select(1)
            .where(
                tables.gate.c.open == 1,
                _branch.c.reason == literal(GATE) + tables.gate.c.name + literal(OF) + tables.gate.c.incident,
            )
            .correlate(_branch)
            .exists(),
        ),
    ),
)
AT_OPEN_GATE = select(_branch.c.id).where(_WAITS_AT_GATE).limit(1)
WAKE_AT_OPEN_GATES = update(_branch).where(_WAITS_AT_GATE).values(state=BranchState.OPEN.value, due_at=AT_ONCE)
