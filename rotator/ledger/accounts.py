"""Accounts: what workers met there, which the dispatcher that grants calls goes by."""

from __future__ import annotations

from sqlalchemy import insert, select, update

from rotator.ledger import tables
from rotator.ledger.database import Database


def note(
    database: Database, name: str, now: float, *, failed: bool, throttled: bool, retry_after: float | None
) -> None:
    """Count a failure or a throttling of the account, or end the row of failures with a success."""
    account = tables.account
    with database.write() as connection:
        if connection.execute(select(account.c.name).where(account.c.name == name)).first() is None:
            connection.execute(insert(account).values(name=name, tokens=0.0, filled_at=now))
        changed: dict[str, object] = {"failures": account.c.failures + 1 if failed else 0}
        if throttled:
            changed["throttled"] = account.c.throttled + 1
            if retry_after is not None:
                changed["pause_until"] = now + retry_after
        connection.execute(update(account).where(account.c.name == name).values(changed))
