"""Whether what the ledger has of vendors is what their chains tell: a row that was written past the service is found.

The registry, lists of software, terms, pauses, gates and datasets are made anew from the records of what was done, and
held against the rows. Chains are signed: who alters both is told by the checkpoints.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from sqlalchemy import Connection, Table, select

from rotator.errors import BadInput
from rotator.ledger import advisory_chain, manifest_chains, pause_held, service, tables, vendor_uses
from rotator.ledger.database import Database
from rotator.ledger.vendor_replay import Rows, dataset_said, replay
from rotator.ledger.vendors import CHAIN, DATASET, one
from rotator.ledger.whole_chain import WholeChain

_evidence = tables.evidence
_KEYS = {
    tables.vendor: ("name",),
    tables.software: ("vendor", "source"),
    tables.vendor_log: ("vendor",),
    tables.term: ("vendor", "notice", "name"),
    tables.pause: ("vendor", "number"),
    tables.pause_held: ("vendor", "number"),
    tables.pause_gate: ("vendor", "number", "nth", "gate"),
}
_WORDS = {
    tables.vendor: "vendor {0}",
    tables.software: "list {1} of {0}",
    tables.vendor_log: "what logs told of {0}",
    tables.term: "term {2} of {0} for {1}",
    tables.pause: "pause {1} of {0}",
    tables.pause_held: "what was held at pause {1} of {0}",
    tables.pause_gate: "gate {3} of pause {1} of {0}",
}


def altered(database: Database) -> list[str]:
    """Return in words what is not as the chains tell it, of all vendors, datasets, their checks, and advisories."""
    with database.picture() as connection:
        of_datasets = [*_of_datasets(connection), *manifest_chains.altered(connection)]
        return [*_of_vendors(connection, None), *of_datasets, *advisory_chain.altered(connection)]


def refuse_altered(connection: Connection, vendor: str, manifests: Collection[str] = ()) -> None:
    """Raise BadInput where what the ledger has of a vendor is not what its chain tells: no gate can stand on that.

    Nor on an advisory for which it is paused, or on one of these `manifests` or a check of it, where that was altered.
    The vendor is locked until the transaction ends, so that nobody adds to either meanwhile.
    """
    one(connection, vendor, software=False, lock=True)
    notices = _notices(connection, vendor)
    of_notices = advisory_chain.altered(connection, notices) if notices else []
    of_manifests = manifest_chains.altered(connection, manifests) if manifests else []
    if found := [*_of_vendors(connection, vendor), *of_notices, *of_manifests]:
        what = f"somebody altered it in the ledger: {', '.join(found)}"
        raise BadInput(what, vendor, "compare it with a backup; the records of its chain say what was so")


def _notices(connection: Connection, vendor: str) -> set[str]:
    """Return for what a vendor is paused now."""
    pause = tables.pause
    query = select(pause.c.notices).where(pause.c.vendor == vendor, pause.c.restored_at.is_(None))
    try:
        return {each for told in connection.execute(query).scalars() for each in json.loads(told)}
    except (ValueError, TypeError):
        return set()  # what nobody can read is told as altered with the pause


def _of_vendors(connection: Connection, vendor: str | None) -> Iterator[str]:
    told: Rows = {table: {} for table in _KEYS}
    unknown = set()
    for name, chain in sorted(_chains(connection, vendor).items()):
        if not chain.is_whole:
            yield f"chain {CHAIN}{name}"
            unknown.add(name)
            continue
        for table, rows in replay(name, chain.records, chain.head).items():
            told[table] |= rows
    for table, keys in _KEYS.items():
        there = _rows(connection, table, keys, vendor)
        known = {key: row for key, row in there.items() if key[0] not in unknown}
        yield from _compared(table, told[table], known)


def _compared(table: Table, told: Mapping[Any, Any], there: Mapping[Any, Any]) -> Iterator[str]:
    for key in sorted({*told, *there}):
        says, has = told.get(key), there.get(key)
        if says is None or has is None or not all(same(has) for same in says):
            yield _WORDS[table].format(*(each or "every notice" for each in key))


def _chains(connection: Connection, vendor: str | None) -> dict[str, WholeChain]:
    """Return the chains of vendors by their names."""
    is_it = _evidence.c.chain.startswith(CHAIN, autoescape=True)
    if vendor is not None:
        is_it = _evidence.c.chain == CHAIN + vendor
    query = select(_evidence.c.chain, _evidence.c.body, _evidence.c.hash).where(is_it)
    found: dict[str, WholeChain] = {}
    for chain, body, head in connection.execute(query.order_by(_evidence.c.chain, _evidence.c.seq)):
        found.setdefault(chain.removeprefix(CHAIN), WholeChain()).add(body, head)
    return found


def _rows(
    connection: Connection, table: Table, keys: tuple[str, ...], vendor: str | None
) -> dict[tuple[Any, ...], Mapping[str, Any]]:
    if table is tables.pause_held:  # thousands of rows, of which the chain has one digest
        return {of: {"digest": digest} for of, digest in pause_held.digests(connection, vendor).items()}
    if table is tables.vendor_log:
        return {(of,): {"digest": digest} for of, digest in vendor_uses.digests(connection, vendor).items()}
    query = select(table) if vendor is None else select(table).where(table.c[keys[0]] == vendor)
    return {tuple(row[key] for key in keys): dict(row) for row in connection.execute(query).mappings()}


def _of_datasets(connection: Connection) -> Iterator[str]:
    query = select(_evidence.c.body).where(
        _evidence.c.chain == service.CHAIN, _evidence.c.body.contains(f'"{DATASET}"', autoescape=True)
    )
    bodies: Iterable[str] = connection.execute(query.order_by(_evidence.c.seq)).scalars()
    told = dataset_said(map(json.loads, bodies))
    there = {row["name"]: dict(row) for row in connection.execute(select(tables.dataset)).mappings()}
    yield from (f"dataset {name}" for name in sorted({*told, *there}) if told.get(name) != there.get(name))
