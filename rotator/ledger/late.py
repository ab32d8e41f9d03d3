"""Mints of lost claims: a worker that froze in a call made them, and only a comparison with the world settles them."""

from __future__ import annotations

import functools
from dataclasses import replace

from sqlalchemy import Connection, insert, select, update

from rotator.claims import GATE, LEAK_SAFE
from rotator.flow.plan import Lane
from rotator.flow.playbook import Verb
from rotator.flow.run import AT_ONCE, THROUGH, BranchState, Step, StepState
from rotator.ledger import rows, statements, tables
from rotator.ledger.database import Database

NAME = "compare_late"


def reopen_for_late(database: Database) -> int:
    """Give every run with such a mint a comparison, unless one comes by itself soon; return how many were given one.

    A branch that a worker holds, or that waits for a person, keeps its order: it is looked at again later.
    """
    with database.read() as connection:
        runs = list(connection.execute(select(tables.late.c.run).distinct()).scalars())
    return sum(database.commit(functools.partial(_reopen, run=run)) for run in runs)


def _reopen(connection: Connection, *, run: str) -> int:
    steps = [rows.step_of(row) for row in connection.execute(statements.FIND_STEPS, {"run_id": run}).mappings()]
    done = [step for step in steps if step.verb is Verb.COMPARE and step.state in THROUGH]
    if not done or _compares_soon(steps):
        return 0
    last = done[-1]
    mine = [step for step in steps if step.branch == last.branch]
    ahead = next((step for step in mine if step.state not in THROUGH), None)
    if ahead is not None and not _rests_safely(ahead):
        return 0
    number = sum(step.name.startswith(NAME) for step in mine)
    name = f"{NAME}_{number + 1}" if number else NAME
    added = replace(
        last,
        id=f"{last.branch}.{name}",
        position=last.position + 1,
        name=name,
        state=StepState.PENDING,
        attempts=0,
        started_at=None,
        intended_at=None,
        settled_at=None,
        held_at=None,
        reason=None,
        facts={},
    )
    branch = tables.branch
    opened = connection.execute(
        update(branch)
        .where(branch.c.id == last.branch, branch.c.holder.is_(None))
        .values(state=BranchState.OPEN.value, due_at=AT_ONCE, reason=None, lane=Lane.REPLACE.value, calls=added.calls)
    )
    if opened.rowcount:
        connection.execute(insert(tables.step), rows.step_row(added, run))
    return opened.rowcount


def _compares_soon(steps: list[Step]) -> bool:
    """Tell whether a comparison is ahead that no scheduled wait keeps back."""
    for step in steps:
        if step.state in THROUGH:
            continue
        if step.verb is Verb.COMPARE:
            return True
        if step.hold_for_s is not None:
            return False
    return False


def _rests_safely(step: Step) -> bool:
    """Tell whether a worker that comes by leaves the step as it is: to take up another's hold is to answer for it."""
    if step.state is StepState.HELD:
        return step.waits_for_time or str(step.reason).startswith((GATE, LEAK_SAFE))
    return step.state is StepState.PENDING
