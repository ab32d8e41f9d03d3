"""What a pack is made of, all as it stood at one moment: who signs, deletes or writes meanwhile changes none of it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, or_, select, tuple_

from rotator.evidence.checkpoint import Checkpoint, is_of
from rotator.ledger import gone, revisions, service, tables
from rotator.ledger.database import Database

AT_ONCE = 1_000
"""Records that are read in one go."""
_checkpoint, _evidence = tables.checkpoint, tables.evidence


@dataclass(frozen=True, slots=True)
class Covered:
    """The checkpoints, the first one first, and as pairs of chain and body what they cover of the incidents `of`.

    Of everything where it is empty. The records come chain by chain, and once: what is not signed is not among them.
    """

    of: list[str]
    checkpoints: list[Checkpoint]
    records: Iterator[tuple[str, str]]


@contextlib.contextmanager
def covered(database: Database, incidents: Sequence[str] = ()) -> Iterator[Covered]:
    """Give what the checkpoints cover of these incidents and of all merged into them, or of everything.

    Raises BadInput for one whose evidence was deleted.
    """
    with database.picture() as connection:
        of = family(connection, incidents)
        under = every(connection)
        yield Covered(of, under, _records(connection, under, of))


def family(connection: Connection, incidents: Sequence[str]) -> list[str]:
    """Return the incidents with all merged into them. Raises BadInput for one whose evidence was deleted."""
    gone.refuse(connection, *incidents)
    merged = [each for one in incidents for each in revisions.merged(connection, one)]
    return list(dict.fromkeys([*incidents, *merged]))


def every(connection: Connection) -> list[Checkpoint]:
    """Return every checkpoint, the first one first."""
    query = select(_checkpoint.c.body, _checkpoint.c.signature).order_by(_checkpoint.c.number)
    return [Checkpoint(row.body, row.signature) for row in connection.execute(query)]


def _records(connection: Connection, under: Sequence[Checkpoint], of: Sequence[str]) -> Iterator[tuple[str, str]]:
    ends = {name: length for each in under for name, length, _ in each.told["chains"] if is_of(name, of)}
    at = ("", 0)
    while True:
        place = tuple_(_evidence.c.chain, _evidence.c.seq)
        query = (
            _mine(select(_evidence.c.chain, _evidence.c.seq, _evidence.c.body), of)
            .where(place > tuple_(*at))
            .order_by(_evidence.c.chain, _evidence.c.seq)
            .limit(AT_ONCE)
        )
        found = connection.execute(query).all()
        yield from ((row.chain, row.body) for row in found if row.seq <= ends.get(row.chain, 0))
        if len(found) < AT_ONCE:
            return
        at = (found[-1].chain, found[-1].seq)


def _mine(query: Select[Any], of: Sequence[str]) -> Select[Any]:
    """Ask for little more than the chains of these incidents: a database may take small letters for large ones."""
    if not of:
        return query
    chain = _evidence.c.chain
    return query.where(or_(chain.in_([*of, service.CHAIN]), *(chain.startswith(f"{each}.") for each in of)))
