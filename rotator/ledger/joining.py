"""What one branch's commit opens for others: its run's next segment, and who waited for a thief to be shut out."""

from __future__ import annotations

from sqlalchemy import Connection, bindparam, select, update

from rotator.flow.run import AT_ONCE, Branch, BranchState, Run
from rotator.ledger import leak_safe, statements, tables

_branch = tables.branch
# Worded once: each branch that is through says it.
_SISTERS = select(_branch.c.state, _branch.c.quorum).where(
    _branch.c.run == bindparam("of_run"), _branch.c.segment == bindparam("through")
)
_OPEN_NEXT = (
    update(_branch)
    .where(
        _branch.c.run == bindparam("of_run"),
        _branch.c.segment == bindparam("next"),
        _branch.c.state == BranchState.WAITING.value,
    )
    .values(state=BranchState.OPEN.value, due_at=AT_ONCE)
)
_LOCK_RUN = select(tables.run.c.id).where(tables.run.c.id == bindparam("run_id")).with_for_update()


def close_reach(connection: Connection, run: Run) -> None:
    """Note that a credential reads no more (or again), and wake what waited for the last such reader."""
    # It LIVES again, also under replace_first, where it once lived on: who brought it back may be the thief, and
    # its own replacement is out by now, so that no two can wait for each other.
    if run.contained_at is None:
        connection.execute(statements.CLOSE_REACH, {"run_id": run.id, "still_open": tables.LIVES})
        return
    ref = run.ref
    named = zip(statements.REF, (ref.provider, ref.connection, ref.owner, ref.id, ref.generation), strict=True)
    closed = connection.execute(statements.CLOSE_REACH_EVERYWHERE, {f"r_{name}": value for name, value in named})
    connections = closed.scalars().all()
    of_incident = {"of_incident": run.incident}
    for at in connections:
        # Nobody waits for one reader alone while there are two: whoever waits is at most one of them itself.
        # Who waits in other incidents is woken by the dispatcher.
        if len(connection.execute(leak_safe.FIND_TWO_READERS, {"at": at}).all()) < 2:  # noqa: PLR2004
            connection.execute(leak_safe.WAKE_INCIDENT, of_incident)
            return


def join(connection: Connection, branch: Branch) -> None:
    """Open the next segment of its run where enough of its own is through; the caller has written this branch."""
    lock_run(connection, branch.run)
    sisters = connection.execute(_SISTERS, {"of_run": branch.run, "through": branch.segment}).all()
    through = sum(state == BranchState.DONE.value for state, _ in sisters)
    if through * 100 >= sisters[0].quorum * len(sisters):
        connection.execute(_OPEN_NEXT, {"of_run": branch.run, "next": branch.segment + 1})


def lock_run(connection: Connection, run: str) -> None:
    """Make sisters write one after the other, as SQLite's writers do anyway."""
    if connection.dialect.name != "sqlite":
        connection.execute(_LOCK_RUN, {"run_id": run})
