"""Mints of lost claims: a worker that froze in a call made them, and only a comparison with the world settles them.

The comparison has a branch of its own, so that it waits for nobody: a run that failed, or is held for a person, stays
as it is.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import Connection, func, insert, select

from rotator.flow.plan import Lane
from rotator.flow.playbook import Verb
from rotator.flow.run import AT_ONCE, THROUGH, BranchState, Step, StepState
from rotator.ledger import rows, statements, tables
from rotator.ledger.database import Database

NAME = "compare_late"


def compare_late(database: Database) -> int:
    """Give every run with such a mint a comparison, unless one comes by itself soon; return how many were given one."""
    late = tables.late
    with database.read() as connection:
        noted = connection.execute(select(late.c.run, func.max(late.c.at)).group_by(late.c.run)).all()
    return sum(database.commit(functools.partial(_compare, run=run, noted_at=at)) for run, at in noted)


def _compare(connection: Connection, *, run: str, noted_at: float) -> bool:
    connection.execute(select(tables.run.c.id).where(tables.run.c.id == run).with_for_update())
    steps = [rows.step_of(row) for row in connection.execute(statements.FIND_STEPS, {"run_id": run}).mappings()]
    planned = next((step for step in steps if step.verb is Verb.COMPARE), None)
    if planned is None or _comes_by_itself(steps, noted_at):
        return False
    branches = connection.execute(select(tables.branch).where(tables.branch.c.run == run)).mappings().all()
    segment = 1 + max(row["segment"] for row in branches)
    number = sum(step.name.startswith(NAME) for step in steps)
    name = f"{NAME}_{number + 1}" if number else NAME
    branch = f"{run}.{segment}.0"
    added = replace(
        planned,
        id=f"{branch}.{name}",
        branch=branch,
        position=segment * 10_000 + 100,
        name=name,
        state=StepState.PENDING,
        hold_for_s=None,
        attempts=0,
        started_at=None,
        intended_at=None,
        settled_at=None,
        held_at=None,
        reason=None,
        facts={},
    )
    like = next(row for row in branches if row["id"] == planned.branch)
    kept = {column: like[column] for column in ("run", "incident", "account", "priority")}
    connection.execute(
        insert(tables.branch).values(
            **kept,
            id=branch,
            segment=segment,
            target="",
            quorum=100,
            state=BranchState.OPEN.value,
            due_at=AT_ONCE,
            lane=Lane.REPLACE.value,
            calls=added.calls,
        )
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
            if not rests and (not kept_back or step.name.startswith(NAME)):
                return True
        kept_back = kept_back or rests or step.hold_for_s is not None
    return False
