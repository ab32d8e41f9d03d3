"""Accounts: their buckets, which the leading dispatcher alone fills and empties, and what workers met there."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import asdict, fields

from sqlalchemy import Connection, bindparam, case, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from rotator.flow.budget import Account
from rotator.flow.run import AT_ONCE
from rotator.ledger import tables
from rotator.ledger.database import Database

_account = tables.account
_LONGEST_NAME = 192
_NAMES = [each.name for each in fields(Account)]
_SAVE = (
    update(_account)
    .where(_account.c.name == bindparam("a_name"))
    .values({name: bindparam(name) for name in _NAMES if name != "name"})
)
# Worded once: each dispatcher asks at each tick.
_FIND = select(_account)
_LOCK = _FIND.where(_account.c.name.in_(bindparam("names", expanding=True))).order_by(_account.c.name).with_for_update()
GIVE_PROBE_BACK = (
    update(_account)
    .where(_account.c.name == bindparam("a_name"), _account.c.probe_at.is_not(None), _account.c.probes > 0)
    .values(probes=_account.c.probes - 1, probe_at=AT_ONCE)
)
"""The next probe of a breaker that is still open is due at once, and the wait after it no longer than it was."""


def note(
    database: Database, name: str, now: float, *, failed: bool, throttled: bool, retry_after: float | None
) -> None:
    """Count a failure or a throttling of the account, or end the row of failures with a success."""
    asked = 0.0 if retry_after is None else retry_after
    longest = case(
        (or_(_account.c.pause_s.is_(None), _account.c.pause_s < asked), asked),
        else_=_account.c.pause_s,
    )
    changed = {
        "failures": _account.c.failures + 1 if failed else 0,
        "throttled": _account.c.throttled + int(throttled),
        "pause_s": _account.c.pause_s if retry_after is None else longest,
    }
    met = {"failures": int(failed), "throttled": int(throttled), "pause_s": retry_after}

    def write(connection: Connection) -> None:
        # One statement, so that what several workers met at once is all counted.
        row = _insert(connection).values(name=name, tokens=0.0, filled_at=now, counted_at=now, **met)
        connection.execute(row.on_conflict_do_update(index_elements=["name"], set_=changed))

    database.commit(write)


def found(connection: Connection) -> dict[str, Account]:
    """Return every account that was ever granted a call."""
    return {row["name"]: Account(**row) for row in connection.execute(_FIND).mappings()}


def locked(connection: Connection, missing: Iterable[Account], names: Collection[str]) -> dict[str, Account]:
    """Return the accounts of those names, made where they are missing, and let nobody else write them meanwhile."""
    if rows := [asdict(each) for each in sorted(missing, key=lambda one: one.name)]:
        connection.execute(_insert(connection).on_conflict_do_nothing(index_elements=["name"]), rows)
    return {row["name"]: Account(**row) for row in connection.execute(_LOCK, {"names": list(names)}).mappings()}


def save(connection: Connection, accounts: Iterable[Account]) -> None:
    """Write accounts that are `locked`."""
    if rows := [{"a_name": each.name, **asdict(each)} for each in accounts]:
        connection.execute(_SAVE, rows)


def _insert(connection: Connection) -> sqlite.Insert | postgresql.Insert:
    return sqlite.insert(_account) if connection.dialect.name == "sqlite" else postgresql.insert(_account)


def named(family: str, account: str | None, connection: str) -> str:
    """Name the account of a connection: two connections of one family and account share its budget."""
    return f"{family}:{account or connection}"[:_LONGEST_NAME]
