"""How far the checkpoints were witnessed outside of the ledger: which are kept where, and which were time-stamped.

A cursor of each witness moves once what it stands for was proven, so that what failed, or was cut off, is done again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, Select, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from rotator import clock
from rotator.evidence.checkpoint import Checkpoint
from rotator.evidence.timestamp import Stamp
from rotator.ledger import tables
from rotator.ledger.database import Database

AT_ONCE = 100
"""Checkpoints that are read in one go."""
_witness, _checkpoint, _stamp = tables.witness, tables.checkpoint, tables.stamp


@dataclass(frozen=True, slots=True)
class Standing:
    """How a witness stands: the number of the last checkpoint that it has, 0 for none, and how many are newer.

    `since` is when the oldest of these was signed, `failing_since` when it first failed and has not done since, both
    in epoch seconds. `forked` is the first checkpoint of which it has another than the ledger: that was rewritten.
    """

    name: str
    until: int
    behind: int
    since: float | None
    failing_since: float | None
    why: str
    forked: int | None


class Witnesses:
    """What one ledger knows of its witnesses, each called by its address."""

    def __init__(self, database: Database, clock: Callable[[], float] = clock.now) -> None:
        self._database, self._clock = database, clock

    def standing(self, names: Iterable[str]) -> list[Standing]:
        """Return how each of these stands now."""
        with self._database.read() as connection:
            return [self._standing(connection, name) for name in names]

    def unkept(self, name: str) -> list[Checkpoint]:
        """Return the checkpoints that a keeper lacks, the first ones first, some at a time.

        Where the ledger's own are no longer those that were kept, that is noted for good, and all are kept anew
        beside the others.
        """
        with self._database.read() as connection:
            row = connection.execute(_of(name)).first()
            is_forked = row is not None and bool(row.number) and _hash(connection, row.number) != row.hash
        if is_forked:
            self._parted(name)
        with self._database.read() as connection:
            until = 0 if row is None or is_forked else row.number
            query = select(_checkpoint.c.body, _checkpoint.c.signature).where(_checkpoint.c.number > until)
            found = connection.execute(query.order_by(_checkpoint.c.number).limit(AT_ONCE))
            return [Checkpoint(each.body, each.signature) for each in found]

    def kept(self, name: str, each: Checkpoint) -> None:
        """Note that a keeper has a checkpoint, and all before it."""
        self._moved(name, _witness.c.number, {"number": each.told["number"], "hash": each.hash})

    def unkept_stamps(self, name: str) -> list[Stamp]:
        """Return the time stamps that a keeper lacks, the first ones first, some at a time."""
        with self._database.read() as connection:
            row = connection.execute(_of(name)).first()
            query = _stamps().where(_stamp.c.number > (0 if row is None else row.stamp)).limit(AT_ONCE)
            return [_read(each) for each in connection.execute(query)]

    def kept_stamp(self, name: str, each: Stamp) -> None:
        """Note that a keeper has a time stamp, and all before it."""
        self._moved(name, _witness.c.stamp, {"stamp": each.number})

    def to_stamp(self, every_s: float) -> Checkpoint | None:
        """Return the newest checkpoint where no stamp was given for so long, None where it has one.

        One stamp is for all before it too: each checkpoint names the one before.
        """
        with self._database.read() as connection:
            newest = connection.execute(select(_checkpoint).order_by(_checkpoint.c.number.desc()).limit(1)).first()
            last = connection.execute(select(_stamp).order_by(_stamp.c.number.desc()).limit(1)).first()
        if newest is None or (last is not None and newest.number <= last.number):
            return None
        # A last one that is still to come was asked for by a clock that was ahead.
        is_early = last is not None and 0 <= self._clock() - last.asked_at < every_s
        return None if is_early else Checkpoint(newest.body, newest.signature)

    def stamped(self, name: str, each: Stamp) -> None:
        """Note a time stamp, which was verified, and by whom it was given."""
        values = {"number": each.number, "hash": each.hash, "answer": each.answer, "asked_at": self._clock()}
        with self._database.write() as connection:
            there = connection.execute(select(_stamp.c.number).where(_stamp.c.number == each.number)).first()
            if there is None:
                connection.execute(insert(_stamp).values(**values))
        self._moved(name, _witness.c.number, {"number": each.number, "hash": each.hash})

    def stamps(self, until: int) -> list[Stamp]:
        """Return the time stamps of the checkpoints up to this number."""
        with self._database.read() as connection:
            return [_read(each) for each in connection.execute(_stamps().where(_stamp.c.number <= until))]

    def failed(self, name: str, why: str) -> None:
        """Note that a witness did not do its part, and why."""
        with self._database.write() as connection:
            self._met(connection, name)
            since = func.coalesce(_witness.c.failing_since, self._clock())
            connection.execute(update(_witness).where(_witness.c.name == name).values(failing_since=since, why=why))

    def well(self, name: str) -> None:
        """Note that a witness has done its part."""
        with self._database.read() as connection:
            row = connection.execute(_of(name)).first()
        if row is None or row.failing_since is None:
            return
        with self._database.write() as connection:
            connection.execute(update(_witness).where(_witness.c.name == name).values(failing_since=None, why=""))

    def _standing(self, connection: Connection, name: str) -> Standing:
        row = connection.execute(_of(name)).first()
        until = 0 if row is None else row.number
        newer = select(func.count(), func.min(_checkpoint.c.at)).where(_checkpoint.c.number > until)
        behind, since = connection.execute(newer).one()
        if row is None:
            return Standing(name, 0, behind, since, None, "", None)
        return Standing(name, until, behind, since, row.failing_since, row.why, row.forked)

    def _parted(self, name: str) -> None:
        values = {"number": 0, "hash": "", "forked": func.coalesce(_witness.c.forked, _witness.c.number)}
        with self._database.write() as connection:
            connection.execute(update(_witness).where(_witness.c.name == name).values(**values))

    def _moved(self, name: str, cursor: Any, values: dict[str, Any]) -> None:
        """Move a cursor on, never back: another process may have come further."""
        with self._database.write() as connection:
            self._met(connection, name)
            of_it = update(_witness).where(_witness.c.name == name, cursor < values[cursor.name])
            connection.execute(of_it.values(**values))

    def _met(self, connection: Connection, name: str) -> None:
        adding = (sqlite if self._database.sqlite else postgresql).insert(_witness)
        connection.execute(adding.values(name=name).on_conflict_do_nothing())


def _of(name: str) -> Select[Any]:
    return select(_witness).where(_witness.c.name == name)


def _hash(connection: Connection, number: int) -> str:
    query = select(_checkpoint.c.body, _checkpoint.c.signature).where(_checkpoint.c.number == number)
    row = connection.execute(query).first()
    return "" if row is None else Checkpoint(row.body, row.signature).hash


def _stamps() -> Select[Any]:
    return select(_stamp).order_by(_stamp.c.number)


def _read(row: Row[Any]) -> Stamp:
    return Stamp(row.number, row.hash, row.answer)
