"""Which credentials of some kinds runs are or were about, of whatever incident: as their issuers named them."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import select

from rotator.credential import CredentialRef
from rotator.ledger import tables
from rotator.ledger.database import Database


def answered(database: Database, kinds: Collection[str]) -> list[CredentialRef]:
    """Return them by name."""
    run = tables.run
    query = select(run.c.provider, run.c.connection, run.c.owner, run.c.credential).distinct()
    with database.read() as connection:
        return sorted(CredentialRef(*row) for row in connection.execute(query.where(run.c.provider.in_(sorted(kinds)))))
