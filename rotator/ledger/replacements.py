"""Which credentials are our own work: what an issuer shows as new may be what a run has put in an old one's place."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select

from rotator.ledger import tables
from rotator.ledger.database import Database

_AT_ONCE = 500


def ours(database: Database, ids: Iterable[str]) -> frozenset[str]:
    """Return which of these ids our runs minted as replacements."""
    asked, replacement, found = sorted(set(ids)), tables.run.c.replacement, set[str]()
    with database.read() as connection:
        for start in range(0, len(asked), _AT_ONCE):
            query = select(replacement).where(replacement.in_(asked[start : start + _AT_ONCE]))
            found.update(connection.execute(query).scalars())
    return frozenset(found)
