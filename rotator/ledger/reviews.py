"""What went through without the approval that it wanted, and somebody has still to look at."""

from __future__ import annotations

from sqlalchemy import Connection, func, or_, select

from rotator.ledger import tables


def to_review(connection: Connection) -> dict[str, int]:
    """Return how many approvals of each incident somebody has still to look at."""
    table = tables.approval
    alone = or_(table.c.glass != "", table.c.standing_order != "")
    query = select(table.c.incident, func.count()).where(alone, table.c.reviewed_at.is_(None))
    return {incident: count for incident, count in connection.execute(query.group_by(table.c.incident))}  # noqa: C416
