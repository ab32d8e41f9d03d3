"""The chain of advisories: which records are kept, and which arrived; whether the ledger's rows are what it tells.

Each record of it has the digest of the row that it left. Who appends holds its lock until the transaction ends, and
takes it before any vendor's: two names may be one event.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Table, func, select

from rotator.ledger import rows, service, tables
from rotator.ledger.whole_chain import WholeChain

CHAIN = "advisories"
KEPT = "advisory_kept"
ARRIVED = "advisory_arrived"
ESCALATED = "advisory_escalated"
_GROWING = 491286125
"""The advisory lock of PostgreSQL under which it grows."""
_kept, _arrived, _evidence = tables.kept_advisory, tables.arrived_advisory, tables.evidence
_COLUMNS = {
    _kept: ("name", "how", "at", "record"),
    _arrived: (
        *("name", "names", "title", "sender", "at", "published_at", "touched", "unknown"),
        *("nature", "told_by", "escalated_by", "escalated_why"),
    ),
}
_WORDS = {_kept: "the record of {}", _arrived: "what arrived as {}"}
_UNSAID = {"nature": "unknown", "told_by": "", "escalated_by": "", "escalated_why": ""}
"""What a row says that nobody has settled since these are told."""
_LOOKS = 2
"""Who commits between two readings, of the chain and of its rows, has altered nothing: it is looked at once more."""


def alone(connection: Connection) -> None:
    """Let nobody else add to it until the transaction ends; on SQLite every writer is alone."""
    if connection.dialect.name != "sqlite":
        connection.execute(select(func.pg_advisory_xact_lock(_GROWING)))


def note_kept(connection: Connection, row: Mapping[str, Any], by: str, at: float) -> None:
    """Append that a record is kept, as this row. The caller is `alone`."""
    told = {"act": KEPT, "at": at, "by": by, "advisory": row["name"], "how": row["how"]}
    service.append(connection, CHAIN, {**told, "kept": _digest(row, _COLUMNS[_kept])})


def note_arrived(
    connection: Connection, row: Mapping[str, Any], told: Mapping[str, Any], *, is_escalated: bool
) -> None:
    """Append what is told of one that arrived, or that somebody escalated, since when this is its row. As above."""
    act = {"act": ESCALATED if is_escalated else ARRIVED, "advisory": row["name"]}
    service.append(connection, CHAIN, {**told, **act, "kept": _digest(row, _COLUMNS[_arrived])})


def length(connection: Connection) -> int:
    """Return how many records it has: another number once anything was kept, or arrived."""
    query = select(func.coalesce(func.max(_evidence.c.seq), 0)).where(_evidence.c.chain == CHAIN)
    return int(connection.execute(query).scalar_one())


def altered(connection: Connection, names: Collection[str] | None = None) -> list[str]:
    """Return in words what is not as it tells, of all advisories or of these."""
    found: list[str] = []
    for _ in range(_LOOKS):
        found = list(_altered(connection, names))
        if not found:
            break
    return found


def _altered(connection: Connection, names: Collection[str] | None) -> Iterator[str]:
    chain = WholeChain()
    query = select(_evidence.c.body, _evidence.c.hash).where(_evidence.c.chain == CHAIN).order_by(_evidence.c.seq)
    for body, head in connection.execute(query):
        chain.add(body, head)
    if not chain.is_whole:
        yield f"chain {CHAIN}"
        return
    for table, acts in ((_kept, (KEPT,)), (_arrived, (ARRIVED, ESCALATED))):
        told = {each["advisory"]: each for each in chain.records if each["act"] in acts}
        there = {row["name"]: dict(row) for row in connection.execute(select(table)).mappings()}
        wrong = {name for name in told.keys() | there.keys() if not _is_as(told.get(name), there.get(name), table)}
        if names is not None:
            wrong &= set(names)
        earlier = _told_before(connection) if table is _arrived and wrong else {}
        for name in sorted(wrong):
            if not _is_as_told_before(there.get(name), earlier.get(name), told.get(name)):
                yield _WORDS[table].format(name)


def _is_as(record: Mapping[str, Any] | None, row: Mapping[str, Any] | None, table: Table) -> bool:
    return record is not None and row is not None and record["kept"] == _digest(row, _COLUMNS[table])


def _told_before(connection: Connection) -> dict[str, Mapping[str, Any]]:
    """Return what the service's own chain tells of those that arrived when it told of them, by name."""
    is_one = _evidence.c.body.contains(f'"{ARRIVED}"', autoescape=True)
    query = select(_evidence.c.body).where(_evidence.c.chain == service.CHAIN, is_one).order_by(_evidence.c.seq)
    return {each["advisory"]: each for each in map(json.loads, connection.execute(query).scalars())}


def _is_as_told_before(
    row: Mapping[str, Any] | None, record: Mapping[str, Any] | None, since: Mapping[str, Any] | None
) -> bool:
    """Tell whether a row is as a record without a digest says: of whom it touches that has the names alone.

    An earlier release, which may work beside this one, writes such; one that is older than what is told `since` counts
    for nothing.
    """
    if row is None or record is None or (since is not None and since["at"] > record["at"]):
        return False
    known = {"at": "arrived_at", "sender": "by", "published_at": "published_at", "unknown": "unknown"}
    touched: Sequence[Mapping[str, Any]] = json.loads(row["touched"])
    return (
        all(row[mine] == record[its] for mine, its in known.items())
        and (since is not None or all(row[name] == usual for name, usual in _UNSAID.items()))
        and json.loads(row["names"]) == record["names"]
        and [each["vendor"] for each in touched] == record["touches"]
    )


def _digest(row: Mapping[str, Any], columns: Sequence[str]) -> str:
    return hashlib.sha256(rows.text({name: row[name] for name in columns}).encode()).hexdigest()
