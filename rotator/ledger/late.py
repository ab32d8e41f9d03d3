"""Mints of lost claims: a worker that froze in a call made them, and only a comparison with the world settles them.

The comparison has a branch of its own, so that it waits for nobody: a run that failed, or is held for a person, stays
as it is.
"""

from __future__ import annotations

import functools
from collections.abc import Collection, Sequence

from sqlalchemy import Connection, insert, select

from rotator.flow.apart import LATE, apart
from rotator.flow.playbook_words import Verb
from rotator.flow.run import THROUGH, Step, StepState
from rotator.flow.step import Move, surplus_accepted
from rotator.ledger import rows, statements, tables
from rotator.ledger.database import Database
from rotator.ledger.run_at_hand import hold, known, move


def compare_late(database: Database, now: float) -> int:
    """See that every run with such a mint is compared; return how many were given a comparison or are asked again.

    A comparison that keeps nobody but a person waiting, and only about such mints, has its answer by now: it looks
    again by itself.
    """
    with database.read() as connection:
        runs = connection.execute(select(tables.late.c.run).distinct()).scalars().all()
    return sum(database.commit(functools.partial(_compare, run=run, now=now)) for run in runs)


def _compare(connection: Connection, *, run: str, now: float) -> bool:
    held = known(hold(connection, run), run)
    late = tables.late
    noted = {row.credential: row.at for row in connection.execute(select(late).where(late.c.run == run))}
    if not noted:
        return False
    if answered := next((each for each in held.steps if _is_answered(each, noted)), None):
        names = ", ".join(sorted(surplus_accepted(answered)))
        move(connection, answered, Move(StepState.PENDING, reason=f"{names} was minted under a lost claim"), now)
        return True
    added = None if _comes_by_itself(held.steps, max(noted.values())) else apart(held.steps, LATE)
    if added is None:
        return False
    first = next(each for each in held.branches if not each["target"])
    row = rows.apart_row(
        added, run=run, incident=first["incident"], account=first["account"], priority=first["priority"]
    )
    connection.execute(statements.ADD_BRANCH, row)
    connection.execute(insert(tables.step), rows.step_row(added, run))
    return True


def _is_answered(step: Step, noted: Collection[str]) -> bool:
    """Tell whether a person is asked about nothing but what was noted since."""
    asked = surplus_accepted(step)
    return step.verb is Verb.COMPARE and step.state is StepState.HELD and bool(asked) and asked <= set(noted)


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
