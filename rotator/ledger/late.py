"""Mints of lost claims: a worker that froze in a call made them, and only a comparison with the world settles them.

The comparison has a branch of its own, so that it waits for nobody: a run that failed, or is held for a person, stays
as it is.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence

from sqlalchemy import Connection, func, insert, select

from rotator.flow.apart import LATE, apart
from rotator.flow.playbook import Verb
from rotator.flow.run import THROUGH, Step, StepState
from rotator.ledger import rows, statements, tables
from rotator.ledger.database import Database


def compare_late(database: Database) -> int:
    """Give every run with such a mint a comparison, unless one comes by itself soon; return how many were given one."""
    late = tables.late
    with database.read() as connection:
        noted = connection.execute(select(late.c.run, func.max(late.c.at)).group_by(late.c.run)).all()
    return sum(database.commit(functools.partial(_compare, run=run, noted_at=at)) for run, at in noted)


def _compare(connection: Connection, *, run: str, noted_at: float) -> bool:
    connection.execute(select(tables.run.c.id).where(tables.run.c.id == run).with_for_update())
    steps = [rows.step_of(row) for row in connection.execute(statements.FIND_STEPS, {"run_id": run}).mappings()]
    added = None if _comes_by_itself(steps, noted_at) else apart(steps, LATE)
    if added is None:
        return False
    branch = tables.branch
    query = select(branch.c.incident, branch.c.account, branch.c.priority).where(
        branch.c.run == run, branch.c.target == ""
    )
    incident, account, priority = connection.execute(query.limit(1)).one()
    connection.execute(
        statements.ADD_BRANCH, rows.apart_row(added, run=run, incident=incident, account=account, priority=priority)
    )
    connection.execute(insert(tables.step), rows.step_row(added, run))
    return True


def _comes_by_itself(steps: Sequence[Step], noted_at: float) -> bool:
    """Tell whether a comparison is ahead that nothing keeps back, or a person was asked by one that saw the note."""
    kept_back = False
    for step in steps:
        if step.state in THROUGH:
            continue
        rests = step.state is StepState.FAILED or step.waits_for_person
        if step.verb is Verb.COMPARE:
            asked_at = step.settled_at if step.state is StepState.FAILED else step.held_at
            if rests and (asked_at or 0.0) >= noted_at:
                return True
            if not rests and (not kept_back or step.name.startswith(LATE)):
                return True
        kept_back = kept_back or rests or step.hold_for_s is not None
    return False
