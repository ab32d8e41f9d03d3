"""Whether what the ledger has of manifests and of their checks is what their chains tell: gates rest on both.

Of a manifest's lines this says nothing: `Manifests.altered` reads them.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from sqlalchemy import Connection, Table, select

from rotator.ledger import rows, tables
from rotator.ledger.manifests import CHAIN, CHECKED, RECORDED
from rotator.ledger.whole_chain import WholeChain
from rotator.manifests.comparing import Difference

_manifest, _check, _evidence = tables.manifest, tables.manifest_check, tables.evidence
_PLACE = ("source", "host", "connection")
_OF_A_RECORDING = {
    **{each: each for each in (*_PLACE, "digest", "files", "links", "others", "unread", "size")},
    "recorded_at": "at",
    "recorded_by": "by",
}
_OF_A_CHECK = ("at", "by", *_PLACE, "incident", "digest", "same", *(each.value for each in Difference))
_ELSEWHERE = {"read_by": "", "read_at": None}
"""What a check's record has only where it was so."""


def altered(connection: Connection, names: Collection[str] | None = None) -> Iterator[str]:
    """Yield in words what is not as the chains tell it, of all manifests or of these."""
    chains = _chains(connection, names)
    there = {row["name"]: row for row in _rows(connection, _manifest, names) if row["recorded_at"] is not None}
    checks: dict[str, dict[int, Mapping[str, Any]]] = {}
    for row in _rows(connection, _check, names):
        checks.setdefault(row["name"], {})[row["number"]] = row
    for name in sorted({*chains, *there, *checks}):
        chain = chains.get(name, WholeChain())
        if not chain.is_whole:
            yield f"chain {CHAIN}{name}"
            continue
        recorded = next((each for each in chain.records if each["act"] == RECORDED), None)
        if recorded is None or name not in there or not _is_recording(recorded, there[name]):
            yield f"manifest {name}"
        told = dict(enumerate((each for each in chain.records if each["act"] == CHECKED), 1))
        has = checks.get(name, {})
        wrong = (each for each in sorted({*told, *has}) if not _is_check(told.get(each), has.get(each)))
        yield from (f"check {each} of manifest {name}" for each in wrong)


def _is_recording(record: Mapping[str, Any], row: Mapping[str, Any]) -> bool:
    return all(record[said] == row[each] for each, said in _OF_A_RECORDING.items())


def _is_check(record: Mapping[str, Any] | None, row: Mapping[str, Any] | None) -> bool:
    if record is None or row is None:
        return False
    is_as_told = all(record.get(each) == row[each] for each in _OF_A_CHECK)
    is_read_so = all(record.get(each, usual) == row[each] for each, usual in _ELSEWHERE.items())
    return is_as_told and is_read_so and record["named"] == rows.plain(json.loads(row["named"]))


def _rows(connection: Connection, of: Table, names: Collection[str] | None) -> list[Mapping[str, Any]]:
    query = select(of) if names is None else select(of).where(of.c.name.in_(names))
    return [dict(row) for row in connection.execute(query).mappings()]


def _chains(connection: Connection, names: Collection[str] | None) -> dict[str, WholeChain]:
    is_it = _evidence.c.chain.startswith(CHAIN, autoescape=True)
    if names is not None:
        is_it = _evidence.c.chain.in_([CHAIN + each for each in names])
    query = select(_evidence.c.chain, _evidence.c.body, _evidence.c.hash).where(is_it)
    found: dict[str, WholeChain] = {}
    for chain, body, head in connection.execute(query.order_by(_evidence.c.chain, _evidence.c.seq)):
        found.setdefault(chain.removeprefix(CHAIN), WholeChain()).add(body, head)
    return found
