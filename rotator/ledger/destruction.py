"""What keeps something from being destroyed for good, asked of the ledger: gates of people, and a yes of its own.

Each revision has a gate at which what it destroys waits for its own approval.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, and_, bindparam, literal, or_, select, update

from rotator.claims import GATE, OF
from rotator.flow.playbook_words import DESTRUCTION, GATES, Subject, Until, Verb
from rotator.flow.run import AT_ONCE, BranchState, Run, StepState
from rotator.ledger import statements, tables

_gate, _run, _plan, _step = tables.gate, tables.run, tables.plan, tables.step
FIND_GATE = (
    select(_gate.c.name)
    .join(_run, _run.c.incident == _gate.c.incident)
    .join(_plan, and_(_plan.c.incident == _run.c.incident, _plan.c.number == _run.c.revision))
    .where(
        _run.c.id == bindparam("run_id"),
        _gate.c.name == literal(DESTRUCTION) + _plan.c.digest,
        _gate.c.open == 0,
    )
)
"""The gate of a run's revision, while its destruction is not approved."""
_theirs, _mine = tables.branch.alias("theirs"), tables.branch.alias("mine")
_same_account = (
    select(1)
    .where(_mine.c.run == bindparam("m_run"), _mine.c.account != "")
    .where(_theirs.c.run == _run.c.id, _theirs.c.account == _mine.c.account)
    .correlate(_run)
    .exists()
)
_OTHERS = (
    select(_run.c.id, _run.c.incident, _step.c.hold_until, _step.c.state)
    .join(_step, _step.c.run == _run.c.id)
    .where(
        _run.c.credential == bindparam("m_credential"),
        _run.c.provider == bindparam("m_provider"),
        _run.c.id != bindparam("m_run"),
        or_(_run.c.connection == bindparam("m_connection"), _same_account),
        _run.c.dismissed.is_(None),
        _step.c.verb == Verb.REVOKE.value,
        _step.c.subject == Subject.EXPOSED.value,
        _step.c.state != StepState.DONE.value,
    )
    .order_by(_run.c.id, _step.c.position)
)
"""The other runs that a credential is exposed in and that have not destroyed it, and until what that waits.

Of the same connection, or of another that leads to the same account.
"""
_branch = tables.branch
WAKE_KEPT_BY = (
    update(_branch)
    .where(_branch.c.state == BranchState.HELD.value, _branch.c.due_at.is_(None), _branch.c.reason.startswith(GATE))
    .where(_branch.c.reason.endswith(literal(OF) + bindparam("of_incident")))
    .values(state=BranchState.OPEN.value, due_at=AT_ONCE)
)
"""Has whatever waits at a gate of another incident ask again: a run of that one may keep it no longer."""


def gates_shut(connection: Connection, incident: str) -> set[str]:
    """Return the digests of the revisions of an incident that may not destroy yet."""
    is_it = (_gate.c.incident == incident, _gate.c.name.startswith(DESTRUCTION), _gate.c.open == 0)
    return {name.removeprefix(DESTRUCTION) for name in connection.execute(select(_gate.c.name).where(*is_it)).scalars()}


def is_shut(connection: Connection, incident: str, gate: Until) -> bool:
    """Tell whether the gate keeps steps waiting: a host counts as open until a person says otherwise."""
    found = connection.execute(statements.FIND_GATE, {"of_incident": incident, "gate": gate.value}).scalar()
    return gate is Until.HOST_ISOLATED if found is None else not found


def keeps_exposed(connection: Connection, run: Run) -> str | None:
    """Return the gate at which the destruction of a run's credential waits, its own or another run's; None if at none.

    What one incident keeps no other destroys: whoever shut that gate, or has not said yes, said it of the credential.
    Of another incident its name follows.
    """
    gate = connection.execute(FIND_GATE, {"run_id": run.id}).scalar()
    return _kept_by_others(connection, run, run.ref.id) if gate is None else gate


def keeps_replacement(connection: Connection, run: Run) -> str | None:
    """Return the gate at which a run's replacement waits that has leaked itself, None where it does not.

    Another run is to destroy it then: whoever takes it back does the same. Of another incident its name follows.
    """
    return _kept_by_others(connection, run, run.replacement)


def _kept_by_others(connection: Connection, run: Run, credential: str | None) -> str | None:
    of = {"m_run": run.id, "m_provider": run.ref.provider, "m_connection": run.ref.connection}
    for row in connection.execute(_OTHERS, {**of, "m_credential": credential}).all():
        if (gate := _shut_for(connection, row)) is not None:
            return gate if row.incident == run.incident else f"{gate}{OF}{row.incident}"
    return None


def _shut_for(connection: Connection, row: Row[Any, Any, Any, Any]) -> str | None:
    gates, gate = GATES, None
    if row.state == StepState.SKIPPED.value:
        # It waits for nothing any more. That nothing may be destroyed is said of the incident all the same.
        gates = frozenset({Until.NO_LEGAL_HOLD})
    else:
        gate = connection.execute(FIND_GATE, {"run_id": row.id}).scalar()
    until = next((each for each in gates if each == row.hold_until), None)
    return until.value if gate is None and until is not None and is_shut(connection, row.incident, until) else gate
