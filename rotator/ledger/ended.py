"""Which credentials are dead by what the ledger knows of them now, whatever incident answered each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from sqlalchemy import Connection, Row, bindparam, func, select

from rotator.credential import CredentialRef
from rotator.flow.proof import Evidence
from rotator.ledger import tables
from rotator.ledger.database import Database
from rotator.ledger.other_runs import Death

_AT_ONCE = 500
_run = tables.run
_ASKED = select(
    *(_run.c[name] for name in ("id", "provider", "connection", "owner", "credential")),
    *(_run.c[name] for name in ("evidence", "dead_at", "replaced_at", "replacement")),
).where(
    _run.c.requested_at.is_not(None),
    _run.c.dismissed.is_(None),
    _run.c.credential.in_(bindparam("ids", expanding=True)),
)
_MARK = select(func.count(_run.c.requested_at), func.count(_run.c.dead_at), func.max(_run.c.dead_at))


def mark(database: Database) -> tuple[object, ...]:
    """Return what is another one once a credential has died, lives again, or is answered anew."""
    with database.read() as connection:
        return tuple(connection.execute(_MARK).one())


def deaths(
    database: Database, refs: Iterable[CredentialRef], account_of: Callable[[str], str]
) -> Mapping[CredentialRef, Death]:
    """Return the death of each of these that is dead, the surest and first that a run of it saw.

    It is none while an approved run of it has seen no death, or where its successor kept its name. Connections that
    lead to one account are one.
    """
    of: dict[tuple[str, ...], list[CredentialRef]] = {}
    for ref in refs:
        if ref.id:
            of.setdefault((ref.provider, account_of(ref.connection), ref.owner, ref.id), []).append(ref)
    seen: dict[tuple[str, ...], list[Row[Any]]] = {}
    with database.read() as connection:
        for row in _runs(connection, sorted({key[-1] for key in of})):
            seen.setdefault((row.provider, account_of(row.connection), row.owner, row.credential), []).append(row)
    found: dict[CredentialRef, Death] = {}
    for key, runs in seen.items():
        if key in of and all(map(_is_over, runs)):
            first = min(runs, key=lambda row: (row.evidence != Evidence.PROVEN.value, row.dead_at))
            found |= dict.fromkeys(of[key], Death(first.id, Evidence(first.evidence), first.dead_at))
    return found


def _runs(connection: Connection, ids: list[str]) -> Iterable[Row[Any]]:
    for start in range(0, len(ids), _AT_ONCE):
        yield from connection.execute(_ASKED, {"ids": ids[start : start + _AT_ONCE]})


def _is_over(row: Row[Any]) -> bool:
    """Tell whether a run has seen the death of what it is about, and nothing lives under that name since."""
    return row.dead_at is not None and row.replacement != row.credential
