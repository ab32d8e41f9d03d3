"""A person's hand on one run: do a step again, leave it out, end a wait early, take steps back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, insert, select, update

from rotator import clock
from rotator.errors import BadInput
from rotator.flow.proof import Proof, revived
from rotator.flow.run import AT_ONCE, BranchState, Run, Step, StepState, calls_ahead, summarise
from rotator.flow.step import RELEASED, Move, apply, surplus_accepted
from rotator.flow.undo import Stretch, Undo, may_have_ended_it, undo
from rotator.ledger import opening, rows, statements, tables
from rotator.ledger.acts import act, said
from rotator.ledger.database import Database
from rotator.ledger.moves_on import is_gated, moved_on_by
from rotator.ledger.waits import is_unsafe

WAITING = (StepState.FAILED, StepState.HELD)


@dataclass(frozen=True, slots=True)
class _Held:
    """A run as it stands while its branches are locked."""

    run: Run
    branches: tuple[dict[str, Any], ...]
    steps: tuple[Step, ...]
    proofs: tuple[Proof, ...]

    def refuse_worker(self, where: str, branches: set[str]) -> None:
        """Raise BadInput while a worker is at one of the branches: it would write over what a person decides."""
        if any(each["holder"] for each in self.branches if each["id"] in branches):
            raise BadInput("a worker is at work on it now", where, "look again in a moment")


class Hands:
    """What people do to a run. Every act demands a reason and is evidence."""

    def __init__(self, database: Database, clock: Callable[[], float] = clock.now) -> None:
        self._database, self._clock = database, clock

    def decide(self, run: str, name: str, *, skip: bool, by: str, reason: str) -> int:
        """Do a failed or held step of a run again, or go on without it; return how many steps it was.

        To do a step again that was held for unknown siblings, or for another's value in a store, accepts those.

        Raises BadInput when no such step waits for a person, a worker has just taken it in hand, or no reason is given.
        """
        why, where = said(by, reason), f"{run} {name}"
        wanted = StepState.SKIPPED if skip else StepState.PENDING
        with self._database.write() as connection:
            held = _hold(connection, run)
            found = [step for step in held.steps if step.name == name and _may_decide(step, skip)] if held else []
            if held is None or not found:
                raise BadInput("no failed or held step of that name", where, "the report shows the steps")
            if not skip:
                found = [step for step in found if not _waits_by_itself(step)] or _refuse_retry(held.run, found[0])
            held.refuse_worker(where, {step.branch for step in found})
            for step in found:
                self._move(connection, step, Move(wanted, reason=why))
            accepted = sorted({each for step in found for each in surplus_accepted(step)})
            self._note(
                connection,
                held.run,
                by,
                reason,
                act="skipped" if skip else "retried",
                step=name,
                **({"accepts": accepted} if accepted and not skip else {}),
            )
        return len(found)

    def release(self, run: str, name: str, by: str, reason: str) -> str:
        """End the wait of a held step, or of a run that has not begun, early; return what that meant.

        A step that waits for its time comes at once. One that waits because a living stolen credential may read the
        new secret goes on too: whoever releases it accepts that risk, and the report names them. So it is with the
        first step of a run that waits for the rotator's own credential to be replaced. Raises BadInput for whatever
        waits for something else.
        """
        why, where = said(by, reason), f"{run} {name}"
        with self._database.write() as connection:
            without = opening.go_ahead(connection, run, name)
            held = _hold(connection, run)
            if held is not None and without:
                self._note(connection, held.run, by, reason, act="released", step=name, goes_without=without)
                return f"it no longer waits until the rotator's own credential ({', '.join(without)}) is replaced"
            found = [each for each in held.steps if each.name == name and each.state is StepState.HELD] if held else []
            if held is None or not found:
                raise BadInput("no held step of that name", where, "the report shows what is held")
            timed = [step for step in found if step.waits_for_time]
            exposed = [step for step in found if is_unsafe(step)]
            if not timed and not exposed:
                raise BadInput(
                    f"it does not wait for its time ({found[0].reason})", where, moved_on_by(held.run, found[0])
                )
            held.refuse_worker(where, {step.branch for step in timed + exposed})
            for step in timed:
                self._move(connection, step, Move(StepState.PENDING, reason=why, facts={RELEASED: why}))
            for step in exposed:
                self._move(connection, step, Move(StepState.PENDING, reason=why))
            readers: list[str] = []
            if exposed:
                connection.execute(update(tables.run).where(tables.run.c.id == run).values(risk_accepted=why))
                readers = list(connection.execute(statements.FIND_READERS, _key(held.run)).scalars())
            risk = {"accepts_risk_of": readers} if exposed else {}
            self._note(connection, held.run, by, reason, act="released", step=name, **risk)
        return "it no longer waits for its time" if timed else "the risk that a thief reads its new secret is accepted"

    def undoing(self, run: str, name: str) -> Undo:
        """Return what an undo would do now; change nothing. Raises BadInput as `undo` does."""
        with self._database.read() as connection:
            return _undo(_known(_look(connection, run), run), name, "")

    def undo(self, run: str, name: str, by: str, reason: str, shown: Undo) -> Undo:
        """Append the steps that take back what was done from the step on, and skip what was still to come.

        Raises BadInput where nothing can be taken back, a worker is at the run, or it is no longer what was `shown`.
        """
        why, where = said(by, reason), f"{run} {name}"
        with self._database.write() as connection:
            held = _known(_hold(connection, run), run)
            held.refuse_worker(where, {each["id"] for each in held.branches})
            found = _undo(held, name, why)
            if found.in_words != shown.in_words:
                raise BadInput("the run has moved on meanwhile", where, "look again, then say it again")
            now = self._clock()
            skipped = [
                apply(each, Move(StepState.SKIPPED, reason=f"undone from {name} on: {why}"), now)
                for each in found.skipped
            ]
            for step in skipped:
                connection.execute(statements.MOVE_STEP, {"s_id": step.id, **rows.step_progress(step)})
            connection.execute(
                update(tables.branch)
                .where(tables.branch.c.run == run, tables.branch.c.state != BranchState.DONE.value)
                .values(state=BranchState.DONE.value, due_at=None, sent_at=None, reason=None)
            )
            connection.execute(insert(tables.branch), _branch_rows(held, found.stretches))
            added = [step for stretch in found.stretches for step in stretch.steps]
            connection.execute(statements.ADD_STEP, [rows.step_row(step, run) for step in added])
            after = {step.id: step for step in (*held.steps, *skipped, *added)}
            self._summarise(connection, held, list(after.values()), resumes=found.resumes)
            self._note(
                connection,
                held.run,
                by,
                reason,
                act="undone",
                step=name,
                takes_back=[step.id for step in found.takes_back],
                appended=[step.id for step in added],
                skipped=[step.id for step in skipped],
            )
        return found

    def _summarise(self, connection: Connection, held: _Held, steps: Sequence[Step], *, resumes: bool) -> None:
        """Stop claiming what is being taken back. A credential that is to be resumed counts as a living reader now."""
        proofs = held.proofs
        if resumes:
            proofs = tuple(revived(proof) for proof in proofs)
            for proof in proofs:
                of_door = {"p_run": held.run.id, "p_target": proof.target}
                connection.execute(statements.PROVE, {**of_door, **rows.proof_row(proof)})
            connection.execute(statements.CLOSE_REACH, {"run_id": held.run.id, "still_open": 1})
        summary = rows.run_summary(summarise(held.run, steps, proofs))
        connection.execute(statements.SUMMARISE, {"run_id": held.run.id, **summary})

    def _move(self, connection: Connection, step: Step, move: Move) -> None:
        """Move a step, and have a worker go on with its branch."""
        moved = apply(step, move, self._clock())
        connection.execute(statements.MOVE_STEP, {"s_id": step.id, **rows.step_progress(moved)})
        connection.execute(
            update(tables.branch)
            .where(tables.branch.c.id == step.branch)
            .values(state=BranchState.OPEN.value, due_at=AT_ONCE, sent_at=None, reason=None)
        )

    def _note(self, connection: Connection, run: Run, by: str, reason: str, **what: object) -> None:
        act(connection, run.incident, {"at": self._clock(), "by": by, "run": run.id, "reason": reason, **what})


def _may_decide(step: Step, skip: bool) -> bool:
    """Tell whether a person may decide on it: also to leave out what was tried, is pending, and may have no way back.

    Nobody could else say that it was not done, while a stop keeps it from being settled.
    """
    return step.state in WAITING or (skip and may_have_ended_it(step))


def _waits_by_itself(step: Step) -> bool:
    """Tell whether it goes on by itself: when its time has come, a gate opens, or the last thief is out."""
    return step.waits_for_time or is_unsafe(step) or is_gated(step)


def _refuse_retry(run: Run, step: Step) -> list[Step]:
    means = "accepts the risk" if is_unsafe(step) else "ends the wait"
    raise BadInput(
        f"there is nothing to do again: it waits ({step.reason})",
        f"{run.id} {step.name}",
        f"{moved_on_by(run, step)} {means}",
    )


def _undo(held: _Held, name: str, why: str) -> Undo:
    return undo(held.run, held.steps, [proof.target for proof in held.proofs], name, why)


def _known(held: _Held | None, run: str) -> _Held:
    if held is None:
        raise BadInput("no such run", run, "the report shows them: rotator report last")
    return held


def _key(run: Run) -> dict[str, str]:
    return {"run_id": run.id}


def _hold(connection: Connection, run: str) -> _Held | None:
    """Lock a run's branches, then read all of it: the order in which workers write, so that nobody waits for ever."""
    connection.execute(
        select(tables.branch.c.id).where(tables.branch.c.run == run).order_by(tables.branch.c.id).with_for_update()
    ).all()
    return _look(connection, run)


def _look(connection: Connection, run: str) -> _Held | None:
    key = {"run_id": run}
    row = connection.execute(statements.FIND_RUN, key).mappings().one_or_none()
    if row is None:
        return None
    branches = connection.execute(select(tables.branch).where(tables.branch.c.run == run)).mappings()
    return _Held(
        rows.run_of(row),
        tuple(dict(each) for each in branches),
        tuple(rows.step_of(each) for each in connection.execute(statements.FIND_STEPS, key).mappings()),
        tuple(rows.proof_of(each) for each in connection.execute(statements.FIND_PROOFS, key).mappings()),
    )


def _branch_rows(held: _Held, stretches: Sequence[Stretch]) -> list[dict[str, Any]]:
    """Return the branches to append, each under the account of its target's earlier ones; the first segment starts."""
    accounts = {each["target"]: each["account"] for each in held.branches}
    first = stretches[0].segment
    return [
        {
            "id": each.id,
            "run": held.run.id,
            "incident": held.run.incident,
            "segment": each.segment,
            "target": each.target,
            "quorum": 100,
            "state": (BranchState.OPEN if each.segment == first else BranchState.WAITING).value,
            "due_at": AT_ONCE if each.segment == first else None,
            "lane": each.steps[0].lane.value,
            "calls": calls_ahead(each.steps),
            "account": accounts.get(each.target, ""),
            "priority": held.run.priority,
            "fence": 0,
            "beat": 0,
            "length": 0,
            "head": "",
        }
        for each in stretches
    ]
