"""A run as a person has it in hand: all of it, read while nobody else may change it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select, update

from rotator.errors import BadInput
from rotator.flow.proof import Proof
from rotator.flow.run import AT_ONCE, BranchState, Run, Step
from rotator.flow.step import Move, apply
from rotator.ledger import rows, statements, tables
from rotator.ledger.acts import lock


@dataclass(frozen=True, slots=True)
class RunAtHand:
    """A run with its branches, as rows, and all that belongs to it."""

    run: Run
    branches: tuple[dict[str, Any], ...]
    steps: tuple[Step, ...]
    proofs: tuple[Proof, ...]

    def refuse_worker(self, where: str, branches: set[str]) -> None:
        """Raise BadInput while a worker is at one of the branches: it would write over what a person decides."""
        if any(each["holder"] for each in self.branches if each["id"] in branches):
            raise BadInput("a worker is at work on it now", where, "look again in a moment")


def hold(connection: Connection, run: str) -> RunAtHand | None:
    """Lock a run's incident, then its branches as workers do, and read all of it; None when there is no such run."""
    incident = connection.execute(select(tables.run.c.incident).where(tables.run.c.id == run)).scalar()
    if incident is None:
        return None
    lock(connection, [incident])
    return hold_branches(connection, run)


def hold_branches(connection: Connection, run: str) -> RunAtHand | None:
    """Lock a run's branches and read all of it; its incident must be locked before."""
    branch = tables.branch
    connection.execute(select(branch.c.id).where(branch.c.run == run).order_by(branch.c.id).with_for_update()).all()
    return look(connection, run)


def look(connection: Connection, run: str) -> RunAtHand | None:
    """Read all of a run as it is now; None when there is no such run."""
    key = {"run_id": run}
    row = connection.execute(statements.FIND_RUN, key).mappings().one_or_none()
    if row is None:
        return None
    branches = connection.execute(select(tables.branch).where(tables.branch.c.run == run)).mappings()
    return RunAtHand(
        rows.run_of(row),
        tuple(dict(each) for each in branches),
        tuple(rows.step_of(each) for each in connection.execute(statements.FIND_STEPS, key).mappings()),
        tuple(rows.proof_of(each) for each in connection.execute(statements.FIND_PROOFS, key).mappings()),
    )


def in_hand(found: RunAtHand | None, run: str) -> RunAtHand:
    """Return what was found, to act on it. Raises BadInput when there is no such run, or it is dismissed."""
    held = known(found, run)
    if held.run.dismissed is not None:
        mend = f"first open it again: rotator exposure reopen {held.run.incident} {run} --reason …"
        raise BadInput(f"its credential is dismissed ({held.run.dismissed})", run, mend)
    return held


def known(found: RunAtHand | None, run: str) -> RunAtHand:
    """Return what was found. Raises BadInput when there is no such run."""
    if found is None:
        raise BadInput("no such run in this ledger", run, "the report shows them, as INCIDENT.r1: rotator report last")
    return found


def move(connection: Connection, step: Step, to: Move, now: float) -> None:
    """Move a step of a run at hand, and have a worker go on with its branch."""
    moved = apply(step, to, now)
    connection.execute(statements.MOVE_STEP, {"s_id": step.id, **rows.step_progress(moved)})
    connection.execute(
        update(tables.branch)
        .where(tables.branch.c.id == step.branch)
        .values(state=BranchState.OPEN.value, due_at=AT_ONCE, sent_at=None, reason=None)
    )
