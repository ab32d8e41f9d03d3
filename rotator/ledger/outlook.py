"""What hygiene looks ahead by: whether that is still as it was, and what of it has been replaced since."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import bindparam, func, select

from rotator.credential import CredentialRef
from rotator.ledger import tables
from rotator.ledger.database import Database

_AT_ONCE = 500
_history, _listed, _run = tables.inventory_history, tables.listed, tables.run
_MARKS = (
    select(func.max(_listed.c.last_seen_at), func.count(), func.count(_listed.c.gone_at)),
    select(func.max(_history.c.id), func.count()).select_from(_history),
)
_COUNTED = (_listed, tables.inventory, tables.vendor)
_REPLACED = select(_run.c.provider, _run.c.connection, _run.c.owner, _run.c.credential).where(
    _run.c.replaced_at >= bindparam("since"),
    _run.c.dismissed.is_(None),
    _run.c.credential.in_(bindparam("ids", expanding=True)),
)


def mark(database: Database) -> tuple[object, ...]:
    """Return what is another one once people, or the issuers' lists, say something else of credentials."""
    with database.read() as connection:
        return tuple(value for query in _MARKS for value in connection.execute(query).one())


def size(database: Database) -> int:
    """Return how much there is: credentials that issuers list, entries of people, and vendors."""
    with database.read() as connection:
        return sum(connection.execute(select(func.count()).select_from(each)).scalar_one() for each in _COUNTED)


def replaced(database: Database, refs: Sequence[CredentialRef], since: float) -> set[CredentialRef]:
    """Return those of which a replacement was delivered from a moment on, in epoch seconds.

    What was replaced earlier may have kept its name, and be old again.
    """
    found = set[CredentialRef]()
    with database.read() as connection:
        for start in range(0, len(refs), _AT_ONCE):
            ids = [each.id for each in refs[start : start + _AT_ONCE]]
            found.update(CredentialRef(*row) for row in connection.execute(_REPLACED, {"ids": ids, "since": since}))
    return found & set(refs)
