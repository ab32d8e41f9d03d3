"""The checkpoints of the ledger: each signs what has grown since the one before, and nothing that was altered."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, and_, case, func, insert, literal, select, text
from sqlalchemy.dialects import postgresql, sqlite

from rotator import clock
from rotator.errors import BadInput
from rotator.evidence import checkpoint
from rotator.evidence.checkpoint import Checkpoint, Following, Grown
from rotator.evidence.signing import SigningKey, fingerprint
from rotator.ledger import tables
from rotator.ledger.covered import every
from rotator.ledger.database import Database

_SIGNING = 491286121
"""The advisory lock of PostgreSQL under which one signs."""
_evidence, _signed, _checkpoint = tables.evidence, tables.signed, tables.checkpoint


@dataclass(frozen=True, slots=True)
class Altered:
    """A chain whose record of this number is not the one that was signed."""

    chain: str
    number: int


class Checkpoints:
    """Sign how the chains of one ledger stand, and read what was signed."""

    def __init__(self, database: Database, clock: Callable[[], float] = clock.now) -> None:
        self._database, self._clock = database, clock

    def sign(self, key: SigningKey, following: Following | None = None) -> tuple[Checkpoint | None, list[Altered]]:
        """Sign what has grown; return the checkpoint, and what is not as it was signed.

        None where nothing has grown since the last. Of a chain that was altered nothing more is signed. Later ones are
        signed by the key that is `following`, if one is. Raises BadInput where another key than this is to sign.
        """
        with self._database.write() as connection:
            return self._sign(connection, key, following, {})

    def sign_deletion(self, connection: Connection, key: SigningKey, chains: Mapping[str, Grown]) -> Checkpoint:
        """Sign that these chains are deleted, each as it was signed last; the caller deletes them in one with that.

        Raises BadInput where another key than this is to sign.
        """
        made, _ = self._sign(connection, key, None, chains)
        assert made is not None, "what is deleted is told in the chain `service`"  # noqa: S101
        return made

    def _sign(
        self, connection: Connection, key: SigningKey, following: Following | None, deleted: Mapping[str, Grown]
    ) -> tuple[Checkpoint | None, list[Altered]]:
        if not self._database.sqlite:
            connection.execute(select(func.pg_advisory_xact_lock(_SIGNING)))
        row = connection.execute(_newest()).mappings().first()
        previous = Checkpoint(row["body"], row["signature"]) if row is not None else None
        _refuse_other(key.public, previous)
        epoch = _epoch(connection)
        seen = self._seen(connection)
        found = connection.execute(self._grown(row, epoch)).all()
        is_whole = [each.head_there == each.head_signed and each.deleted is None for each in found]
        altered = [Altered(each.chain, each.known) for each, holds in zip(found, is_whole, strict=True) if not holds]
        grown = {
            each.chain: Grown(each.length, each.hash) for each, holds in zip(found, is_whole, strict=True) if holds
        }
        # A key that was passed on to signs at once: until then packs are signed by one that no checkpoint knows.
        is_first_of_key = previous is not None and "next_key" in previous.told
        if previous is not None and not grown and following is None and not is_first_of_key:
            return None, altered
        now = self._clock()
        made = checkpoint.make(key, previous, grown, now, following, deleted)
        number = made.told["number"]
        values = {"number": number, "at": now, "body": made.body, "signature": made.signature}
        connection.execute(insert(_checkpoint).values(**values, epoch=epoch, seen=seen))
        self._keep(connection, grown)
        return made, altered

    def _grown(self, newest: RowMapping | None, epoch: str) -> Select[Any]:
        """Ask what has grown since a checkpoint; of a restored ledger its numbers say nothing."""
        since = newest["seen"] if newest is not None and newest["epoch"] == epoch else None
        return _grown(since, of_sqlite=self._database.sqlite)

    def _seen(self, connection: Connection) -> int:
        """Return how far the order of commits is known: all before it was seen, and nothing more comes there."""
        if self._database.sqlite:
            return int(connection.execute(select(func.coalesce(func.max(_evidence.c.number), 0))).scalar_one())
        horizon = text("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint")
        return int(connection.execute(horizon).scalar_one())

    def _keep(self, connection: Connection, grown: dict[str, Grown]) -> None:
        if not grown:
            return
        adding = (sqlite if self._database.sqlite else postgresql).insert(_signed)
        new = adding.excluded
        connection.execute(
            adding.on_conflict_do_update(
                index_elements=[_signed.c.chain], set_={"length": new.length, "head": new.head}
            ),
            [{"chain": name, "length": each.length, "head": each.head} for name, each in grown.items()],
        )

    def all(self) -> list[Checkpoint]:
        """Return every checkpoint, the first one first."""
        with self._database.read() as connection:
            return every(connection)

    def first_key(self) -> str:
        """Return the public key that signed first, "" where nothing is signed."""
        query = select(_checkpoint.c.body).order_by(_checkpoint.c.number).limit(1)
        with self._database.read() as connection:
            body = connection.execute(query).scalar()
        return "" if body is None else str(json.loads(body)["key"])

    def must_sign(self, public: str) -> None:
        """Raise BadInput where another key than this public one is to sign."""
        newest = self.newest()
        _refuse_other(public, None if newest is None else newest[0])

    def grown(self, connection: Connection) -> list[str]:
        """Return the chains of which something is not signed yet."""
        row = connection.execute(_newest()).mappings().first()
        return [each.chain for each in connection.execute(self._grown(row, _epoch(connection)))]

    def has_grown(self) -> bool:
        """Tell whether anything came since the last checkpoint."""
        with self._database.read() as connection:
            row = connection.execute(_newest()).mappings().first()
            return connection.execute(self._grown(row, _epoch(connection)).limit(1)).first() is not None

    def altered(self) -> Iterator[Altered]:
        """Return each chain whose record is not the one that was signed last, or is not there.

        Of one that was deleted none may be there.
        """
        is_left = _signed.c.deleted.is_(None)
        number, head = case((is_left, _signed.c.length), else_=1), case((is_left, _signed.c.head), else_=literal(""))
        there = and_(_evidence.c.chain == _signed.c.chain, _evidence.c.seq == number)
        query = (
            select(_signed.c.chain, number.label("number"))
            .outerjoin(_evidence, there)
            .where(func.coalesce(_evidence.c.hash, literal("")) != head)
            .order_by(_signed.c.chain)
        )
        with self._database.read() as connection:
            yield from (Altered(row.chain, row.number) for row in connection.execute(query))

    def newest(self) -> tuple[Checkpoint, float] | None:
        """Return the last checkpoint and when it was made, in epoch seconds; None where there is none."""
        with self._database.read() as connection:
            row = connection.execute(_newest()).mappings().first()
        return None if row is None else (Checkpoint(row["body"], row["signature"]), row["at"])


def _epoch(connection: Connection) -> str:
    return str(connection.execute(select(tables.epoch.c.name)).scalar_one())


def _newest() -> Select[Any]:
    return select(_checkpoint).order_by(_checkpoint.c.number.desc()).limit(1)


def _grown(since: int | None, *, of_sqlite: bool) -> Select[Any]:
    """Ask for each chain that was added to since then, or ever: how it stands, how it was signed, what is there now."""
    names = select(_evidence.c.chain).distinct()
    if since is not None:
        names = names.where(_evidence.c.number > since if of_sqlite else _evidence.c.tx >= since)
    ends = (
        select(_evidence.c.chain, func.max(_evidence.c.seq).label("length"))
        .where(_evidence.c.chain.in_(names))
        .group_by(_evidence.c.chain)
        .subquery()
    )
    there = _evidence.alias("there")
    last = and_(_evidence.c.chain == ends.c.chain, _evidence.c.seq == ends.c.length)
    return (
        select(
            ends.c.chain,
            ends.c.length,
            _evidence.c.hash,
            _signed.c.length.label("known"),
            _signed.c.deleted,
            func.coalesce(_signed.c.head, literal("")).label("head_signed"),
            func.coalesce(there.c.hash, literal("")).label("head_there"),
        )
        .join(_evidence, last)
        .outerjoin(_signed, _signed.c.chain == ends.c.chain)
        .outerjoin(there, and_(there.c.chain == ends.c.chain, there.c.seq == _signed.c.length))
        .where(ends.c.length > func.coalesce(_signed.c.length, 0))
    )


def _refuse_other(public: str, previous: Checkpoint | None) -> None:
    if previous is None:
        return
    told = previous.told
    wanted = told.get("next_key", told["key"])
    if public != wanted:
        raise BadInput(
            f"checkpoints are signed by the key {fingerprint(wanted)}, and this one is {fingerprint(public)}",
            "evidence.signing_key",
            "bring that key back, or pass it on by `rotator evidence new-key`",
        )
