"""The gate of each revision at which what it destroys waits for its own approval, asked of the ledger."""

from __future__ import annotations

from sqlalchemy import Connection, and_, bindparam, literal, select

from rotator.flow.playbook_words import DESTRUCTION
from rotator.ledger import tables

_gate, _run, _plan = tables.gate, tables.run, tables.plan
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


def gates_shut(connection: Connection, incident: str) -> set[str]:
    """Return the digests of the revisions of an incident that may not destroy yet."""
    is_it = (_gate.c.incident == incident, _gate.c.name.startswith(DESTRUCTION), _gate.c.open == 0)
    return {name.removeprefix(DESTRUCTION) for name in connection.execute(select(_gate.c.name).where(*is_it)).scalars()}
