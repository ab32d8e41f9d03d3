"""A person's hand on one run: do a step again, leave it out, end a wait early, take steps back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import NoReturn

from sqlalchemy import Connection

from rotator import clock
from rotator.errors import BadInput
from rotator.flow.planned import SAID_DONE
from rotator.flow.run import LET_IN, ORDERED_AT, THROUGH, Run, Step, StepState
from rotator.flow.standing import LANDS_AFTER, may_land_after, resumes
from rotator.flow.step import RELEASED, Move, surplus_accepted
from rotator.flow.undo import Undo, Unsettled, may_have_ended_it
from rotator.ledger import destruction, opening, reservation, stops, undoing
from rotator.ledger.acts import act, said, said_for_good
from rotator.ledger.database import Database
from rotator.ledger.gates import find_gates
from rotator.ledger.moves_on import is_gated, moved_on_by, ways_on
from rotator.ledger.risk import Accepted, accept, accept_paused
from rotator.ledger.run_at_hand import RunAtHand, hold, in_hand, move
from rotator.ledger.waits import SAFE_NOW, few, is_paused, is_unsafe, vendor_of

WAITING = (StepState.FAILED, StepState.HELD)


class Hands:
    """What people do to a run. Every act demands a reason and is evidence."""

    def __init__(self, database: Database, clock: Callable[[], float] = clock.now) -> None:
        self._database, self._clock = database, clock

    def decide(self, run: str, name: str, *, skip: bool, by: str, reason: str) -> int:
        """Do a failed or held step of a run again, or go on without it; return how many steps it was.

        To do a step again that was held for unknown siblings, or for another's value in a store, accepts those; a
        resume that was held since other runs stopped that credential again has those count it as living.

        Raises BadInput when no such step waits for a person, a worker has just taken it in hand, or no reason is given.
        """
        why, where = said(by, reason), f"{run} {name}"
        wanted = StepState.SKIPPED if skip else StepState.PENDING
        with self._database.write() as connection:
            others = None if skip else undoing.hold_answering(connection, run, name)
            held = in_hand(hold(connection, run), run)
            found = [step for step in held.steps if step.name == name and _may_decide(step, skip)]
            if not found:
                _refuse_name(connection, held, name)
            if skip:
                _refuse_paused(held.run, [step for step in found if not resumes(step)])  # who skips that leaves it dead
            else:
                found = [step for step in found if not _waits_by_itself(step)] or _refuse_retry(held.run, found[0])
            held.refuse_worker(where, {step.branch for step in found})
            now = self._clock()
            said_so = {} if others is None else {ORDERED_AT: now}
            for step in found:
                move(connection, step, Move(wanted, reason=why, facts=said_so), now)
            if skip:
                connection.execute(destruction.WAKE_KEPT_BY, {"of_incident": held.run.incident})
            if others is not None:
                told = {"at": now, "by": by, "run": run, "reason": reason, "step": name}
                undoing.resume_all_the_same(connection, held, others, told)
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

    def done(self, run: str, name: str, by: str, reason: str) -> None:
        """Say that what a step asked a person to do is done; its branch then goes on, and a machine proves what it can.

        Raises BadInput when no such step asks a person for anything now, or no reason is given.
        """
        why, where = said(by, reason), f"{run} {name}"
        with self._database.write() as connection:
            held = in_hand(hold(connection, run), run)
            found = [step for step in held.steps if step.name == name]
            if not found:
                raise BadInput("no step of that name", where, "the report shows the steps")
            asked = [step for step in found if step.asks]
            if not asked:
                raise BadInput(
                    f"it asks nothing of a person: it is {found[0].state}",
                    where,
                    "what a machine does, or has yet to come to, is not said to be done",
                )
            held.refuse_worker(where, {step.branch for step in asked})
            for step in asked:
                move(connection, step, Move(StepState.PENDING, reason=why, facts={SAID_DONE: why}), self._clock())
            self._note(connection, held.run, by, reason, act="done_by_hand", step=name, asked=asked[0].by_hand)

    def release(self, run: str, name: str, by: str, reason: str) -> str:
        """End the wait of a held step, or of a run that has not begun, early; return what that meant.

        A step that waits for its time comes at once. One that waits because a living stolen credential may read the
        new secret goes on too: whoever releases it accepts that risk, of those who may read it now, and the report
        names them; for whoever may read it later it waits again. So goes on the first step of a run that waits for the
        rotator's own credential to be replaced. Raises BadInput for whatever waits for something else.
        """
        why, where = said(by, reason), f"{run} {name}"
        with self._database.write() as connection:
            without = opening.go_ahead(connection, run, name)
            held = in_hand(hold(connection, run), run)
            if without:
                self._note(connection, held.run, by, reason, act="released", step=name, goes_without=without)
                return f"it no longer waits until the rotator's own credential ({', '.join(without)}) is replaced"
            found = [each for each in held.steps if each.name == name and each.state is StepState.HELD]
            if not found:
                raise BadInput("no held step of that name", where, "the report shows what is held")
            timed = [step for step in found if step.waits_for_time]
            exposed = [step for step in found if is_unsafe(step)]
            _refuse_paused(held.run, found)
            if not timed and not exposed:
                mend = moved_on_by(held.run, found[0], reservation.behind(connection, held.run.ref, found))
                raise BadInput(f"it does not wait for its time ({found[0].reason})", where, mend)
            held.refuse_worker(where, {step.branch for step in timed + exposed})
            for step in timed:
                move(connection, step, Move(StepState.PENDING, reason=why, facts={RELEASED: why}), self._clock())
            for step in exposed:
                move(connection, step, Move(StepState.PENDING, reason=why), self._clock())
            taken = accept(connection, held.run, why) if exposed else Accepted()
            shut = _shut(connection, held.run.incident, timed)
            self._note(connection, held.run, by, reason, act="released", step=name, **taken.evidence)
        if not timed and not taken:
            return SAFE_NOW
        if not timed:
            return f"the risk that a thief reads its new secret is accepted, of {few(taken.names)} and of nobody later"
        kept = f"; it still waits for {', '.join(shut)}" if shut else ""
        lands = f"; {LANDS_AFTER}" if any(may_land_after(step) for step in timed) else ""
        return f"it no longer waits for its time{kept}{lands}"

    def release_paused(self, run: str, name: str, by: str, reason: str, vendor: str) -> str:
        """Have something made for a vendor that is paused, or resumed, in this pause; return what that meant.

        Raises BadInput where the step does not wait for that, or a secret seems to stand in the reason.
        """
        why, where = said_for_good(by, reason), f"{run} {name}"
        with self._database.write() as connection:
            held = in_hand(hold(connection, run), run)
            found = [step for step in held.steps if step.name == name and is_paused(step)]
            if not found or any(vendor_of(step) != vendor for step in found):
                raise BadInput(f"it does not wait until {vendor} is let in again", where, "the report shows what waits")
            held.refuse_worker(where, {step.branch for step in found})
            for step in found:
                move(connection, step, Move(StepState.PENDING, reason=why), self._clock())
            taken = accept_paused(connection, held.run, vendor, why)
            self._note(connection, held.run, by, reason, act="released", step=name, **taken.evidence)
        if any(map(resumes, found)):
            return f"it is resumed although {vendor} is paused"
        return f"it is made although {vendor} is paused, which may read it then"

    def undoing(self, run: str, name: str) -> Undo:
        """Return what an undo would do now; change nothing. Raises BadInput as `undo` does."""
        with self._database.read() as connection, _stops_told(connection, run):
            return undoing.undoing(connection, run, name)

    def undo(self, run: str, name: str, by: str, reason: str, shown: Undo, let_in: str = "") -> Undo:  # noqa: PLR0917
        """Append the steps that take back what was done from the step on, and skip what was still to come.

        `let_in` says by which restore its vendor gets the grant back, where that is so.

        Raises BadInput where nothing can be taken back, a worker is at the run, or it is no longer what was `shown`.
        """
        why = said(by, reason)
        told = {"at": self._clock(), "by": by, "run": run, "reason": reason, "act": "undone", "step": name}
        told |= {LET_IN: let_in} if let_in else {}
        with self._database.write() as connection, _stops_told(connection, run):
            return undoing.carry_out(connection, shown, told, why)

    def _note(self, connection: Connection, run: Run, by: str, reason: str, **what: object) -> None:
        act(connection, run.incident, {"at": self._clock(), "by": by, "run": run.id, "reason": reason, **what})


@contextmanager
def _stops_told(connection: Connection, run: str) -> Iterator[None]:
    """Say what lets a step settle that an undo waits for, where a stop keeps it from that: no moment does."""
    try:
        yield
    except Unsettled as refused:
        first = _continued_by(connection, run)
        if not first:
            raise
        raise BadInput(refused.what, refused.where, f"it is stopped: first {first}, which lets it settle") from None


def _continued_by(connection: Connection, run: str) -> str:
    """Return what lets a run go on, "" where nobody stopped it."""
    return ", ".join(each.lifted_by for each in stops.over(connection, run.rpartition(".")[0], run))


def _may_decide(step: Step, skip: bool) -> bool:
    """Tell whether a person may decide on it: also to leave out what was tried, is pending, and may have no way back.

    Nobody could else say that it was not done, while a stop keeps it from being settled.
    """
    return step.state in WAITING or (skip and (may_have_ended_it(step) or _may_call_off(step)))


def _may_call_off(step: Step) -> bool:
    """Tell whether it would resume the exposed credential and was not tried: a stop may keep it so for long."""
    return resumes(step) and step.state is StepState.PENDING and not step.attempts


def _refuse_name(connection: Connection, held: RunAtHand, name: str) -> NoReturn:
    """Say that no step of that name waits for a person, and how those of it stand."""
    named, where = [step for step in held.steps if step.name == name], f"{held.run.id} {name}"
    if not named:
        raise BadInput("no failed or held step of that name", where, "the report shows the steps")
    stands = f"{named[0].state} ({named[0].reason})" if named[0].reason else str(named[0].state)
    mend = "it goes on by itself; the report says until when" if named[0].attempts else "its turn has not come"
    if first := _continued_by(connection, held.run.id):
        mend = f"it is stopped: first {first}"
    mend = "nothing to do" if named[0].state in THROUGH else mend
    raise BadInput(f"no failed or held step of that name: it is {stands}", where, mend)


def _waits_by_itself(step: Step) -> bool:
    """Tell whether a retry would find it as it is: it waits for its time, a gate, the last thief, a person's work."""
    return step.waits_for_time or is_unsafe(step) or is_paused(step) or is_gated(step) or step.asks


def _refuse_paused(run: Run, steps: Sequence[Step]) -> None:
    """Raise BadInput where one of these waits for a vendor's pause: that is ended by its gates, or answered for."""
    for step in filter(is_paused, steps):
        vendor, (wait, makes) = vendor_of(step), ways_on(run, step)
        mend = f"{wait.command} {wait.means}; {makes.command} {makes.means}"
        what = f"{vendor} is paused: nothing new is made for it, and nothing it had is resumed"
        raise BadInput(what, f"{run.id} {step.name}", mend)


def _refuse_retry(run: Run, step: Step) -> list[Step]:
    _refuse_paused(run, [step])
    means = "accepts the risk" if is_unsafe(step) else "ends the wait"
    raise BadInput(
        f"there is nothing to do again: it waits ({step.reason})",
        f"{run.id} {step.name}",
        f"{moved_on_by(run, step)} {means}",
    )


def _shut(connection: Connection, incident: str, steps: Sequence[Step]) -> list[str]:
    """Return the gates that keep steps waiting when their time is over."""
    gates = {each.name for each in find_gates(connection, incident) if not each.is_open}
    return sorted({step.hold_until.value for step in steps if step.hold_until} & gates)
