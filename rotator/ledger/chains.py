"""Evidence, read as it is stored: whoever has the bytes of a chain can compute its hashes again."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select, tuple_

from rotator.ledger import tables
from rotator.ledger.database import Database

BEGINNING = ("", 0)


class Chains:
    """Read the chains of an incident: its own, and one for each branch."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, incident: str, after: tuple[str, int] = BEGINNING, most: int = 100) -> list[dict[str, Any]]:
        """Return records behind `after`, a chain's name and a number in it, in that order; `body` as it was hashed."""
        evidence, branch = tables.evidence, tables.branch
        mine = select(branch.c.id).where(branch.c.incident == incident)
        place = tuple_(evidence.c.chain, evidence.c.seq)
        query = (
            select(evidence)
            .where((evidence.c.chain == incident) | evidence.c.chain.in_(mine), place > after)
            .order_by(evidence.c.chain, evidence.c.seq)
            .limit(most)
        )
        with self._database.read() as connection:
            return [dict(row) for row in connection.execute(query).mappings()]
