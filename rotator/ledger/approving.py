"""The approval of a plan, inside a transaction: the newest revision with every earlier one that nobody approved."""

from __future__ import annotations

from sqlalchemy import Connection, func, select

from rotator.errors import BadInput
from rotator.ledger import beginning, notices, plans, preempting, revisions, tables
from rotator.ledger.acts import act
from rotator.notices.event import Event

APPROVING = 491286115
"""The advisory lock of PostgreSQL under which plans are approved, one after the other."""


def one_at_a_time(connection: Connection) -> None:
    """Let nobody else approve until the transaction ends: two at once would each miss what the other is to replace."""
    if connection.dialect.name != "sqlite":  # which has one writer anyway
        connection.execute(select(func.pg_advisory_xact_lock(APPROVING)))


def approve(  # noqa: PLR0917 - a yes, and what it is measured by
    connection: Connection, incident: str, digest: str, by: str, now: float, basis: plans.Basis
) -> bool:
    """Approve a plan by its digest, at `now`; False where that was done before.

    Raises BadInput when the plan is not the one that was shown, or is stale.
    """
    one_at_a_time(connection)
    of_incident = select(tables.incident).where(tables.incident.c.id == incident)
    row = connection.execute(of_incident.with_for_update()).mappings().first()
    if row is None:
        raise BadInput("no such incident", incident, "rotator incident list shows them")
    known = {each.digest: each for each in revisions.find(connection, incident)}
    asked = known.get(digest)
    if asked is not None and asked.approved_at is not None:
        return False
    if row["merged_into"] is not None:
        raise BadInput(f"it was merged into {row['merged_into']}", incident, f"rotator plan {row['merged_into']}")
    revisions.refuse_closed(connection, incident)
    if row["plan_digest"] != digest:
        newer = f"revision {asked.number} was added to: " if asked else ""
        raise BadInput(
            f"{newer}the plan is {row['plan_digest']}, not {digest}",
            incident,
            f"look again: rotator plan {incident}",
        )
    preempting.preempt(connection, incident, now)
    plans.refuse_stale(connection, incident, basis)
    numbers = [each.number for each in known.values() if each.approved_at is None]
    beginning.let_begin(connection, row, numbers, by, now)
    told = {"revisions": numbers} if numbers != [1] else {}
    act(connection, incident, {"at": now, "act": "approved", "by": by, "plan": digest, **told})
    notices.tell(connection, incident, Event.APPROVED, {"by": by}, now)
    return True
