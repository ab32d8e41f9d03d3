"""Which credentials runs are about that are not done, of whatever incident, approved or not."""

from __future__ import annotations

from sqlalchemy import select

from rotator.credential import CredentialRef
from rotator.flow.run import BranchState
from rotator.ledger import tables
from rotator.ledger.database import Database


def under_way(database: Database) -> set[CredentialRef]:
    """Return them as they were planned: what is answered by now may be made anew yet."""
    run, branch = tables.run, tables.branch
    names = (run.c.provider, run.c.connection, run.c.owner, run.c.credential)
    is_open = select(1).where(branch.c.run == run.c.id, branch.c.state != BranchState.DONE.value).exists()
    query = select(*names).where(is_open, run.c.dismissed.is_(None)).distinct()
    with database.read() as connection:
        return {CredentialRef(*row) for row in connection.execute(query)}
