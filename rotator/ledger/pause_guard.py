"""For which vendor a run would make something new while that is paused, asked of the ledger: a plan may be older."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, String, and_, bindparam, cast, func, literal, or_, select

from rotator.ledger import tables

A_PAUSE = "pause"
"""What a person accepted, who has something made for a vendor all the same: its name and the pause's number."""
IS_OPEN = tables.pause.c.restored_at.is_(None)
_BEGUN = 491286123
"""The advisory lock of PostgreSQL that what is begun shares, and that a pause takes alone."""
_SHARE = select(func.pg_advisory_xact_lock_shared(_BEGUN))


def see_pauses(connection: Connection) -> None:
    """Have what the transaction asks next know each pause that is committed before it: the last lock that it takes.

    On SQLite one transaction writes at a time.
    """
    if connection.dialect.name != "sqlite":
        connection.execute(_SHARE)


def end_what_begins(connection: Connection) -> None:
    """Let all that asked before it was paused commit before this transaction, and the rest ask after it.

    It is the last lock that a transaction takes: whoever begins something waits for it, with rows in his hand.
    """
    if connection.dialect.name != "sqlite":
        connection.execute(select(func.pg_advisory_xact_lock(_BEGUN)))


def keeping(run: ColumnElement[str]) -> Select[Any]:
    """Select the vendor and the pause's number that keep a run from making anything new, as the run's row is `run`.

    That is the vendor which the run's plan names, or one that held this very credential as it was paused: several may.
    What a person accepted for that pause keeps nothing.
    """
    pause, mine, kept, taken = tables.pause, tables.run.alias("mine"), tables.pause_held, tables.accepted
    is_kept = select(1).where(
        kept.c.vendor == pause.c.vendor,
        kept.c.number == pause.c.number,
        *(kept.c[name] == mine.c[name] for name in ("provider", "connection", "credential")),
    )
    said = select(1).where(
        taken.c.run == mine.c.id,
        taken.c.what == A_PAUSE,
        taken.c.name == pause.c.vendor + literal(" ") + cast(pause.c.number, String),
    )
    held = or_(mine.c.vendor == pause.c.vendor, is_kept.correlate(pause, mine).exists())
    return (
        select(pause.c.vendor, pause.c.number)
        .join(mine, and_(mine.c.id == run, held))
        .where(IS_OPEN, ~said.correlate(pause, mine).exists())
        .order_by(pause.c.vendor)
        .limit(1)
        .correlate_except(pause, mine)
    )


def is_kept(run: ColumnElement[str]) -> ColumnElement[bool]:
    """Match a run that a pause keeps from making anything new."""
    return keeping(run).exists()


_OF_RUN = keeping(bindparam("run_id"))


def vendor_of(connection: Connection, run: str) -> str | None:
    """Return the vendor whose pause keeps a run from making anything new, None where none does."""
    vendor: str | None = connection.execute(_OF_RUN, {"run_id": run}).scalar()
    return vendor
