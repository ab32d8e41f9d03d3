"""What the doctor asks of the ledger: its clock, who leads, and whether our key opens what was sealed."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, select, text

from rotator import clock
from rotator.errors import BadInput
from rotator.ledger import tables
from rotator.ledger.database import Database
from rotator.seal import Seal


@dataclass(frozen=True, slots=True)
class Beat:
    """Who led the dispatchers at one moment, and how often it had beaten then."""

    holder: str
    count: int


def clock_ahead_s(database: Database) -> float:
    """Return how far the clock by which the ledger is kept is ahead of this process's (behind: below zero), in seconds.

    Of PostgreSQL that is the server's, as it was when its answer began; of SQLite this machine's own, which may have
    been set since the machine started.
    """
    if database.sqlite:
        return clock.now.wall_is_ahead_s
    with database.read() as connection:
        return (
            float(connection.execute(text("SELECT extract(epoch FROM clock_timestamp())")).scalar_one()) - clock.now()
        )


def beat(database: Database) -> Beat | None:
    """Return the leading dispatcher's beat; it moves every second while one leads. None where none ever did."""
    leader = tables.leader
    with database.read() as connection:
        row = connection.execute(select(leader.c.holder, leader.c.beat)).first()
    return None if row is None else Beat(row[0], row[1])


def sealed_by_another(database: Database, seal: Seal) -> int:
    """Return how many of the sealed secrets that are kept this key does not open."""
    with database.read() as connection:
        return unopened(connection, seal)


def unopened(connection: Connection, seal: Seal) -> int:
    """Return the same in a transaction: each is tried, as a ledger that was restored may have some of both keys."""
    found = 0
    for run, blob in connection.execute(select(tables.sealed.c.run, tables.sealed.c.blob)):
        try:
            seal.open(blob, run)
        except BadInput:
            found += 1
    return found
