"""Mints of lost claims: a worker that froze in a call made them, and only a comparison with the world settles them.

The comparison has a branch of its own, so that it waits for nobody: a run that failed, or is held for a person, stays
as it is.
"""

from __future__ import annotations

import functools
from collections.abc import Collection, Sequence

from sqlalchemy import Connection, and_, bindparam, insert, select

from rotator.flow.apart import LATE, apart, is_long_after
from rotator.flow.playbook_words import Verb
from rotator.flow.run import THROUGH, Step, StepState
from rotator.flow.step import PERSISTENCE, answered_by
from rotator.ledger import rows, statements, tables
from rotator.ledger.acts import lock
from rotator.ledger.database import Database
from rotator.ledger.run_at_hand import hold, known, move

_run, _noting, _step = tables.run, tables.run.alias("noting"), tables.step
_ASKING = (
    select(_run.c.id)
    .distinct()
    .join(_noting, and_(*(_noting.c[name] == _run.c[name] for name in ("provider", "connection", "owner"))))
    .join(_step, _step.c.run == _run.c.id)
    .where(
        _noting.c.id == bindparam("noted_in"),
        _step.c.verb == Verb.COMPARE.value,
        _step.c.state == StepState.HELD.value,
        _step.c.reason.startswith(PERSISTENCE),
    )
)
"""The runs of an owner of which a comparison asks whose a credential is."""
_NOTED = select(tables.late.c.run, tables.late.c.credential, tables.late.c.at)
"""What nobody has settled; each dispatcher asks for it at each tick."""


def compare_late(database: Database, now: float) -> int:
    """See that every run with such a mint is compared; return how many were given a comparison or look again.

    Comparisons of its owner, in whatever run, that ask a person about nothing but such mints have their answer by now.
    """
    found = 0
    with database.read() as connection:
        noted: dict[str, dict[str, float]] = {}
        for run, credential, at in connection.execute(_NOTED):
            noted.setdefault(run, {})[credential] = at
        asking = {run: connection.execute(_ASKING, {"noted_in": run}).scalars().all() for run in noted}
    for run, mints in noted.items():
        for other in asking[run]:
            found += database.commit(functools.partial(_look_again, run=other, noted=mints, now=now))
        found += database.commit(functools.partial(_compare, run=run, noted_at=max(mints.values())))
    return found


def _look_again(connection: Connection, *, run: str, noted: Collection[str], now: float) -> int:
    held = known(hold(connection, run), run)
    answered = [(step, answered_by(step, noted)) for step in held.steps if step.verb is Verb.COMPARE]
    moves = [(step, to) for step, to in answered if to is not None]
    for step, to in moves:
        move(connection, step, to, now)
    return len(moves)


def _compare(connection: Connection, *, run: str, noted_at: float) -> bool:
    incident = connection.execute(select(tables.run.c.incident).where(tables.run.c.id == run)).scalar_one()
    lock(connection, [incident])  # as an undo does, which counts on from the same segment
    steps = [rows.step_of(row) for row in connection.execute(statements.FIND_STEPS, {"run_id": run}).mappings()]
    added = None if _comes_by_itself(steps, noted_at) else apart(steps, LATE)
    if added is None:
        return False
    branch = tables.branch
    query = select(branch.c.account, branch.c.priority).where(branch.c.run == run, branch.c.target == "")
    account, priority = connection.execute(query.limit(1)).one()
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
        if step.verb is Verb.COMPARE and not is_long_after(step):
            asked_at = step.settled_at if step.state is StepState.FAILED else step.held_at
            if rests and (asked_at or 0.0) >= noted_at:
                return True
            if not rests and (not kept_back or step.name.startswith(LATE)):
                return True
        kept_back = kept_back or rests or step.hold_for_s is not None
    return False
