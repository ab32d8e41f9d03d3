"""What keeps something from being destroyed for good, asked of the ledger: gates of people, and a yes of its own.

Each revision has a gate at which what it destroys waits for its own approval.
"""

from __future__ import annotations

from sqlalchemy import Connection, and_, bindparam, literal, select

from rotator.claims import OF
from rotator.flow.playbook_words import DESTRUCTION, GATES, Subject, Until, Verb
from rotator.flow.run import THROUGH, Run
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
_DESTROY_IT = (
    select(_run.c.id, _run.c.incident, _step.c.hold_until)
    .join(_step, _step.c.run == _run.c.id)
    .where(
        *(_run.c[name] == bindparam(f"m_{name}") for name in ("provider", "connection", "owner", "credential")),
        _run.c.dismissed.is_(None),
        _step.c.verb == Verb.REVOKE.value,
        _step.c.subject == Subject.EXPOSED.value,
        _step.c.state.not_in([each.value for each in THROUGH]),
    )
    .order_by(_run.c.id, _step.c.position)
)
"""The runs that are still to destroy a credential, and until what that waits."""


def gates_shut(connection: Connection, incident: str) -> set[str]:
    """Return the digests of the revisions of an incident that may not destroy yet."""
    is_it = (_gate.c.incident == incident, _gate.c.name.startswith(DESTRUCTION), _gate.c.open == 0)
    return {name.removeprefix(DESTRUCTION) for name in connection.execute(select(_gate.c.name).where(*is_it)).scalars()}


def is_shut(connection: Connection, incident: str, gate: Until) -> bool:
    """Tell whether the gate keeps steps waiting: a host counts as open until a person says otherwise."""
    found = connection.execute(statements.FIND_GATE, {"of_incident": incident, "gate": gate.value}).scalar()
    return gate is Until.HOST_ISOLATED if found is None else not found


def keeps_replacement(connection: Connection, run: Run) -> str | None:
    """Return the gate at which a run's replacement waits that has leaked itself, None where it does not.

    Another run is to destroy it then: whoever takes it back does the same. Of another incident its name follows.
    """
    ref = run.ref
    of = {"m_provider": ref.provider, "m_connection": ref.connection, "m_owner": ref.owner}
    for row in connection.execute(_DESTROY_IT, {**of, "m_credential": run.replacement}).all():
        gate = connection.execute(FIND_GATE, {"run_id": row.id}).scalar()
        until = next((each for each in GATES if each == row.hold_until), None)
        if gate is None and until is not None and is_shut(connection, row.incident, until):
            gate = until.value
        if gate is not None:
            return gate if row.incident == run.incident else f"{gate}{OF}{row.incident}"
    return None
