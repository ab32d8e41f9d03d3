"""Make all processes of a machine go by one clock: a settle time begun by one may be ended by another.

The first process that uses the ledger after the machine started writes down what its wall clock said; the others count
from there, whatever has become of the wall clock since. While nothing is under way or scheduled, a clock that was wrong
is put right.
"""

from __future__ import annotations

from sqlalchemy import and_, bindparam, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from rotator import clock
from rotator.flow.run import BranchState
from rotator.ledger import tables
from rotator.ledger.database import Database

JUMP_S = 5.0
"""What a wall clock may be off without having been set."""

_machine, _branch = tables.machine, tables.branch
# Worded once: a dispatcher asks at each tick.
_KEPT = select(_machine.c.begins_at).where(_machine.c.boot == bindparam("this"))
_WAITS = and_(_branch.c.state == BranchState.HELD.value, _branch.c.due_at.is_not(None))
"""A time that must not shrink."""
_UNDER_WAY = select(_branch.c.id).where(or_(_branch.c.state == BranchState.OPEN.value, _WAITS)).limit(1)


def keep(database: Database, steady: clock.SteadyClock = clock.now, boot: str | None = None) -> None:
    """Let the process go by the machine's clock, as the ledger keeps it."""
    boot = boot or clock.boot()
    if boot is None:
        return
    with database.read() as connection:
        begins_at = connection.execute(_KEPT, {"this": boot}).scalar()
        under_way = connection.execute(_UNDER_WAY).first()
    if begins_at is None:
        try:
            with database.write() as connection:
                connection.execute(insert(_machine).values(boot=boot, begins_at=steady.begins_at))
        except IntegrityError:  # another process was first
            keep(database, steady, boot)
        return
    steady.begins_at = begins_at
    ahead = steady.wall_is_ahead_s
    if abs(ahead) <= JUMP_S or under_way is not None:
        return
    with database.write() as connection:
        connection.execute(update(_machine).where(_machine.c.boot == boot).values(begins_at=begins_at + ahead))
    steady.begins_at = begins_at + ahead
