"""What one claim writes, under its fence: its draft's rows, and what follows of them for its run."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from sqlalchemy import Connection, Update

from rotator.claims import PAUSED, Draft, LostClaim
from rotator.flow.apart import is_apart
from rotator.flow.run import Branch, Run, Step, StepState, Work
from rotator.flow.standing import lets_in
from rotator.flow.summary import summarise
from rotator.ledger import clocks, joining, loading, pause_guard, rows, statements
from rotator.ledger.database import Database
from rotator.ledger.evidence import chained
from rotator.ledger.written import Written

_TOGETHER = 100
"""Claims written in one transaction: others wait for it."""
Answer = TypeVar("Answer")


def write(
    connection: Connection,
    written: Written,
    statement: Update,
    given: Mapping[str, object],
    clock: Callable[[], float],
) -> Work:
    """Write a draft with `statement`, which moves the branch; return what the claim sees from now on.

    Raises LostClaim, with nothing written, where another has the branch by now.
    """
    work, draft = written.work, written.draft
    answer = connection.execute(statement, {**written.branch, **given})
    if statement is statements.BEAT:
        kept = answer.one_or_none()
        if kept is None:
            raise LostClaim
        work = replace(work, branch=replace(work.branch, stopped=kept.stopped))
    elif answer.rowcount != 1:
        raise LostClaim
    at_hand = work.next_step
    for each, values in written.rows:
        connection.execute(each, values)
    # A comparison beside the main branch says nothing of the summary, and what it read of the run may be old.
    if draft.proofs or any(each.state is StepState.DONE and not is_apart(each) for each in draft.steps.values()):
        work = _summarise(connection, work, clock)
    if statement is statements.BEAT and work.branch.stopped is None and _begins(at_hand, draft):
        work = replace(work, branch=replace(work.branch, stopped=_paused(connection, work.run)))
    return work


def write_each(database: Database, writes: Sequence[Callable[[Connection], Answer]]) -> list[Answer | None]:
    """Write under each of many claims, so many in one transaction; None for each that was lost."""
    found: list[Answer | None] = []
    for start in range(0, len(writes), _TOGETHER):
        found += database.commit(functools.partial(_each_kept, writes[start : start + _TOGETHER]))
    return found


def _summarise(connection: Connection, work: Work, clock: Callable[[], float]) -> Work:
    """Bring the run's clocks up to date; sisters may have written since this branch was claimed."""
    run, steps, proofs = work.run, work.steps, work.proofs
    if len(proofs) > 1:
        joining.lock_run(connection, run.id)
        run, steps, proofs, _, _ = loading.load(connection, run.id)
    summary = summarise(run, steps, list(proofs.values()))
    if summary != run:
        work = replace(work, branch=_change_clocks(connection, work.branch, summary, clock()))
    if (summary.contained_at is None) != (run.contained_at is None):
        joining.close_reach(connection, summary)
    return replace(work, run=summary, steps=steps, proofs=proofs)


def _change_clocks(connection: Connection, branch: Branch, run: Run, now: float) -> Branch:
    """Write the run's clocks, and append them as they are from now on: a report's figures follow from that."""
    told = rows.plain({"at": now, **clocks.change(connection, run)})
    evidence, length, head = chained(branch.id, branch.length, branch.head, [told])
    connection.execute(statements.ADD_EVIDENCE, evidence)
    connection.execute(statements.GROW, {"b_id": branch.id, "length": length, "head": head})
    return replace(branch, length=length, head=head)


def _begins(step: Step | None, draft: Draft) -> bool:
    """Tell whether a step may let somebody in; who only looks whether it was done is not kept from finding that out."""
    return step is not None and lets_in(step) and draft.steps.get(step.id, step).state is not StepState.UNCERTAIN


def _paused(connection: Connection, run: Run) -> str | None:
    """Return why what is about to let its vendor in may not: that may have been paused since the step asked."""
    pause_guard.see_pauses(connection)
    vendor = pause_guard.vendor_of(connection, run.id)
    return None if vendor is None else PAUSED + vendor


def _each_kept(writes: Sequence[Callable[[Connection], Answer]], connection: Connection) -> list[Answer | None]:
    """Write under each of several claims; a lost one has written nothing, and takes nobody along."""
    found: list[Answer | None] = []
    for write in writes:
        try:
            found.append(write(connection))
        except LostClaim:
            found.append(None)
    return found
