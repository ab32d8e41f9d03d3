"""The service's own chain of evidence: what belongs to no one incident, such as who may call it and who was sent away.

Whoever appends takes its lock last, after every incident's: so nobody waits for a chain while another waits for him.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, func, insert, select

from rotator.ledger import rows, tables
from rotator.ledger.evidence import chained

CHAIN = "service"
_NOTING = 491286118
"""The advisory lock of PostgreSQL under which it grows."""


def note(connection: Connection, record: Mapping[str, Any]) -> None:
    """Append what was done, once the caller's transaction commits."""
    if connection.dialect.name != "sqlite":
        connection.execute(select(func.pg_advisory_xact_lock(_NOTING)))
    append(connection, CHAIN, record)


def append(connection: Connection, chain: str, record: Mapping[str, Any]) -> None:
    """Append to a chain of which no row tells how long it is. The caller holds the lock under which it grows."""
    evidence = tables.evidence
    last = select(evidence.c.seq, evidence.c.hash).where(evidence.c.chain == chain).order_by(evidence.c.seq.desc())
    length, head = connection.execute(last.limit(1)).first() or (0, "")
    added, _, _ = chained(chain, length, head, [rows.plain(record)])
    connection.execute(insert(evidence), added)
