"""What a pause keeps of each credential that its vendor holds: as its issuer names it.

It is kept beside the runs that cut them: a merge may take such a run back for another, which replaces.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from sqlalchemy import Connection, and_, insert, select

from rotator.credential import CredentialRef
from rotator.ledger import rows, tables

_held = tables.pause_held
_NAMED = (_held.c.provider, _held.c.connection, _held.c.credential)


def keep(  # noqa: PLR0917 - a row
    connection: Connection, vendor: str, number: int, refs: Iterable[CredentialRef], by: str, at: float
) -> str:
    """Keep these for a pause beside those that it has; return a digest of all of them. Who has no id is nobody."""
    of = (_held.c.vendor == vendor, _held.c.number == number)
    there = {tuple(row) for row in connection.execute(select(*_NAMED).where(*of))}
    new = {(each.provider, each.connection, each.id) for each in refs if each.id} - there
    row = {"vendor": vendor, "number": number, "at": at, "by": rows.plain(by)}
    if new:
        names = [dict(zip(("provider", "connection", "credential"), each, strict=True)) for each in sorted(new)]
        connection.execute(insert(_held), [{**row, **each} for each in names])
    return digests(connection, vendor)[vendor, number]


def of(connection: Connection, vendor: str, number: int) -> set[tuple[str, str, str]]:
    """Return what a vendor held as it was paused, by kind, connection and id."""
    is_it = (_held.c.vendor == vendor, _held.c.number == number)
    return {(kind, where, name) for kind, where, name in connection.execute(select(*_NAMED).where(*is_it))}


def of_open(connection: Connection, *, beside: str = "") -> dict[tuple[str, str, str], str]:
    """Return which vendor that is paused now, `beside` one, held each, by its kind, connection and id."""
    pause = tables.pause
    is_open = and_(pause.c.vendor == _held.c.vendor, pause.c.number == _held.c.number, pause.c.restored_at.is_(None))
    query = select(*_NAMED, _held.c.vendor).join(pause, is_open).where(_held.c.vendor != beside)
    return {(kind, where, name): vendor for kind, where, name, vendor in connection.execute(query)}


def digests(connection: Connection, vendor: str | None = None) -> dict[tuple[str, int], str]:
    """Return the digest of what each pause has, of one vendor or of all."""
    pause = tables.pause
    pauses, held = select(pause.c.vendor, pause.c.number), select(_held)
    if vendor is not None:
        pauses, held = pauses.where(pause.c.vendor == vendor), held.where(_held.c.vendor == vendor)
    found: dict[tuple[str, int], list[str]] = {(of, number): [] for of, number in connection.execute(pauses)}
    for row in connection.execute(held).mappings():
        found[row["vendor"], row["number"]].append(repr(tuple(row.values())))
    return {of: hashlib.sha256(repr(sorted(said)).encode()).hexdigest() for of, said in found.items()}
