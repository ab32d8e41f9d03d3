"""The evidence in the order in which it was committed: whoever follows it misses nothing, and reads nothing twice.

On SQLite one writes at a time, and the rows' numbers are that order. PostgreSQL numbers a row when it is written, and
who wrote first may commit last: a reader would have passed its place. So there the transaction's number comes first,
and only what is older than every transaction under way is told: whatever is committed later stands behind it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, ColumnElement, Connection, Select, Text, cast, func, or_, select, tuple_

from rotator.errors import BadInput
from rotator.ledger import revisions, tables
from rotator.ledger.database import Database
from rotator.ledger.service import CHAIN

_evidence = tables.evidence
_CURSOR = re.compile(r"([0-9a-f]*)\.([0-9]{1,19})\.([0-9]{1,19})", re.ASCII)
_MOST = 2**63 - 1


class _Place(NamedTuple):
    """Where somebody stands: behind this row."""

    tx: int
    number: int


_BEGINNING = _Place(0, 0)


@dataclass(frozen=True, slots=True)
class Record:
    """A record of a chain: `body` as it was hashed, and the `cursor` behind which the next ones stand."""

    cursor: str
    chain: str
    seq: int
    hash: str
    body: str

    @property
    def origin(self) -> str:
        """Return the incident under which it was made, or `service`."""
        return self.chain.partition(".")[0]


class Feed:
    """Read the evidence as it is committed."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def after(self, cursor: str | None, limit: int, incident: str | None = None) -> list[Record]:
        """Return at most `limit` records behind a cursor, of one incident and what was merged into it, or of all.

        None, and a cursor of another ledger, as one is before its restore, is the beginning. `service` is the service's
        own chain. Raises BadInput for what is no cursor.
        """
        found = None if cursor is None else _parsed(cursor)
        with self._database.read() as connection:
            epoch, settled = self._now(connection)
            place = found[1] if found is not None and found[0] == epoch else _BEGINNING
            query = self._ordered(settled)
            if incident is not None:
                family = _family(connection, incident)
                # What is older than their own first words is passed over at once.
                spoken = query.where(_evidence.c.chain.in_(family), _evidence.c.seq == 1).limit(1)
                if (first := connection.execute(spoken).first()) is not None:
                    place = max(place, _Place(first.tx, first.number - 1))
                query = query.where(_of(family))
            rows = connection.execute(query.where(self._behind(place)).limit(limit)).all()
        return [Record(_written(epoch, _Place(*row[:2])), *row[2:]) for row in rows]

    def waiting(self, cursor: str | None, most: int) -> tuple[int, str]:
        """Count the records behind a cursor, up to `most`, and return the first one's body, "" where there is none.

        Also those that are committed and not told yet, as somebody's transaction of before is still under way. Raises
        BadInput for what is no cursor.
        """
        found = None if cursor is None else _parsed(cursor)
        with self._database.read() as connection:
            epoch, settled = self._now(connection)
            place = found[1] if found is not None and found[0] == epoch else _BEGINNING
            behind = self._ordered(None if settled is None else _MOST).where(self._behind(place))
            numbers = behind.with_only_columns(_evidence.c.number).limit(most).subquery()
            count = connection.execute(select(func.count()).select_from(numbers)).scalar_one()
            first = connection.execute(behind.limit(1)).first()
        return count, "" if first is None else str(first.body)

    def chains_behind(self, connection: Connection, cursor: str) -> set[str]:
        """Return the chains of which a record stands behind a cursor, "" for the beginning: as `after` tells them."""
        found = _parsed(cursor) if cursor else ("", _BEGINNING)
        epoch, _ = self._now(connection)
        place = found[1] if found[0] == epoch else _BEGINNING
        query = select(_evidence.c.chain).where(self._behind(place)).distinct()
        return set(connection.execute(query).scalars())

    def newest(self) -> str:
        """Return the cursor behind which everything stands that is not told yet."""
        with self._database.read() as connection:
            epoch, settled = self._now(connection)
            last = select(func.coalesce(func.max(_evidence.c.number), 0))
            place = _Place(settled, 0) if settled is not None else _Place(0, connection.execute(last).scalar_one())
        return _written(epoch, place)

    def family(self, incident: str) -> frozenset[str]:
        """Return an incident with those that were merged into it."""
        with self._database.read() as connection:
            return frozenset(_family(connection, incident))

    def _now(self, connection: Connection) -> tuple[str, int | None]:
        """Return the ledger's epoch, and the first of PostgreSQL's transactions that may still be under way."""
        epoch = select(func.coalesce(func.max(tables.epoch.c.name), ""))
        if self._database.sqlite:
            return connection.execute(epoch).scalar_one(), None
        oldest = cast(cast(func.pg_snapshot_xmin(func.pg_current_snapshot()), Text), BigInteger)
        name, settled = connection.execute(select(epoch.scalar_subquery(), oldest)).one()
        return name, settled

    def _ordered(self, settled: int | None) -> Select[Any]:
        columns = (_evidence.c[name] for name in ("tx", "number", "chain", "seq", "hash", "body"))
        if settled is None:
            return select(*columns).order_by(_evidence.c.number)
        return select(*columns).where(_evidence.c.tx < settled).order_by(_evidence.c.tx, _evidence.c.number)

    def _behind(self, place: _Place) -> ColumnElement[bool]:
        if self._database.sqlite:
            return _evidence.c.number > place.number
        return tuple_(_evidence.c.tx, _evidence.c.number) > tuple_(*place)


def is_cursor(text: str) -> bool:
    """Tell whether this may be a cursor, of whichever ledger."""
    found = _CURSOR.fullmatch(text)
    return found is not None and max(int(found[2]), int(found[3])) <= _MOST


def has_passed(cursor: str, other: str) -> bool:
    """Tell whether who stands at a cursor has read what stands at the other, in the same ledger."""
    (epoch, place), (of, there) = _parsed(cursor), _parsed(other)
    return epoch == of and there <= place


def _family(connection: Connection, incident: str) -> list[str]:
    return [incident, *(revisions.merged(connection, incident) if incident != CHAIN else ())]


def _of(family: list[str]) -> ColumnElement[bool]:
    """Ask whether a chain is of one of these incidents: a branch's name begins with its incident's."""
    chain = _evidence.c.chain
    return or_(*(or_(chain == each, func.substr(chain, 1, len(each) + 1) == f"{each}.") for each in family))


def _written(epoch: str, place: _Place) -> str:
    return f"{epoch}.{place.tx}.{place.number}"


def _parsed(cursor: str) -> tuple[str, _Place]:
    if not is_cursor(cursor):
        raise BadInput("this is no place in the evidence", "the cursor", "give one as it was told, or none")
    epoch, tx, number = cursor.split(".")
    return epoch, _Place(int(tx), int(number))
