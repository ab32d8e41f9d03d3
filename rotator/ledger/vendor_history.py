"""What was done of vendors: whether that is still as it was, and the newest of it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, select

from rotator.ledger import tables
from rotator.ledger.database import Database

_vendor, _dataset, _evidence = tables.vendor, tables.dataset, tables.evidence


def mark(database: Database) -> tuple[object, ...]:
    """Return what is another one once something was done of a vendor, or said of a dataset."""
    with database.read() as connection:
        of_vendors = connection.execute(select(func.count(), func.sum(_vendor.c.length))).one()
        described = connection.execute(select(_dataset.c.name, _dataset.c.sensitivity, _dataset.c.manifest)).all()
        return (*of_vendors, frozenset(map(tuple, described)))


def newest(database: Database, chain: str, most: int) -> list[dict[str, Any]]:
    """Return the newest records of a chain, so many, the newest first."""
    query = select(_evidence).where(_evidence.c.chain == chain).order_by(_evidence.c.seq.desc()).limit(most)
    with database.read() as connection:
        return [dict(row) for row in connection.execute(query).mappings()]
