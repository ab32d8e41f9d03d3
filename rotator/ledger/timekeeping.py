"""Make all processes of a machine go by one clock: a settle time begun by one may be ended by another.

The first process that uses the ledger after the machine started writes down what its wall clock said; the others count
from there, whatever has become of the wall clock since. While nothing is under way or scheduled, a clock that was wrong
is put right.
"""

from __future__ import annotations

from sqlalchemy import and_, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from rotator import clock
from rotator.flow.run import BranchState
from rotator.ledger import tables
from rotator.ledger.database import Database

JUMP_S = 5.0
"""What a wall clock may be off without having been set."""


def keep(database: Database, steady: clock.SteadyClock = clock.now, boot: str | None = None) -> None:
    """Let the process go by the machine's clock, as the ledger keeps it."""
    boot = boot or clock.boot()
    if boot is None:
        return
    machine, branch = tables.machine, tables.branch
    waits = and_(branch.c.state == BranchState.HELD.value, branch.c.due_at.is_not(None))  # a time that must not shrink
    kept = select(machine.c.begins_at).where(machine.c.boot == boot)
    with database.read() as connection:
        begins_at = connection.execute(kept).scalar()
        under_way = connection.execute(
            select(branch.c.id).where(or_(branch.c.state == BranchState.OPEN.value, waits)).limit(1)
        ).first()
    if begins_at is None:
        try:
            with database.write() as connection:
                connection.execute(insert(machine).values(boot=boot, begins_at=steady.begins_at))
        except IntegrityError:  # another process was first
            keep(database, steady, boot)
        return
    steady.begins_at = begins_at
    ahead = steady.wall_is_ahead_s
    if abs(ahead) <= JUMP_S or under_way is not None:
        return
    with database.write() as connection:
        connection.execute(update(machine).where(machine.c.boot == boot).values(begins_at=begins_at + ahead))
    steady.begins_at = begins_at + ahead
