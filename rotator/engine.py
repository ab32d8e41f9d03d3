"""The engine advances one branch: the only place where a decision meets an effect.

Intent is committed before every effect and its outcome after it; one commit holds outcome n and intent n+1. A step
found RUNNING belongs to a worker that died or froze, so it is UNCERTAIN: looked at before anything is done again.
"""

from __future__ import annotations

import contextlib
import functools
import time
import traceback
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

import structlog

from rotator import clock
from rotator.claims import GATE, LEAK_SAFE, STOPPED, Draft, Ledger, LedgerFailed, LostClaim
from rotator.comparison import compare
from rotator.credential import CredentialRef
from rotator.effects import Outcome, Unstaged, World, in_use, perform
from rotator.errors import THROTTLED, RotatorError, Unavailable, Uncertain
from rotator.flow.playbook import GATES, Expect, Subject, Until, Verb
from rotator.flow.proof import Proof, knocked, mispaired, revived, seen, shut, stated
from rotator.flow.run import AT_ONCE, BranchState, Step, StepState, Work
from rotator.flow.step import (
    DISCARDED,
    SEND_MARGIN_S,
    UNRESOLVED,
    WORKER_LOST,
    Move,
    after_asking_consumers,
    after_error,
    after_knock_exposed,
    after_knock_replacement,
    after_look,
    after_look_error,
    after_statement,
    apply,
    discarded,
    hold_before,
    spread_before,
)
from rotator.lost_issue import look_for_issued
from rotator.ports import Answer, State

log = structlog.get_logger()
T = TypeVar("T")

DELIVERS = frozenset({Verb.ISSUE, Verb.GENERATE, Verb.PROMOTE})
"""What brings a new secret to where somebody may read it."""
ONE_AT_A_TIME = frozenset({Verb.ISSUE, Verb.COMPARE})
"""What only one run of an owner does at a time: a comparison would take another's fresh mint for a stranger."""


FILLED = "filled"
"""The fact of an `issue` that found no room after an earlier attempt: what that left behind has been looked for."""

BUDGET = "its account's budget is used up"


class Engine:
    """Advance branches. One engine serves all threads of a worker process."""

    def __init__(self, ledger: Ledger, world: World, worker: str, clock: Callable[[], float] = clock.now) -> None:
        self._ledger, self._world, self._worker, self._clock = ledger, world, worker, clock
        self._unnoted: deque[tuple[str, str]] = deque()

    def advance(self, branch: str) -> None:
        """Take the branch as far as it goes now: to its end, a wait, or another lane. Safe to call at any time."""
        try:
            self._note_late()
            work = self._ledger.claim(branch, self._worker)
            if work is not None:
                self._advance(work)
        except LedgerFailed as error:
            # Its message is lost, or its claim runs out: either way it is sent again.
            log.warning("ledger_failed", branch=branch, error=str(error))
            with contextlib.suppress(LedgerFailed):  # perhaps only this connection was lost; else before the next claim
                self._note_late()

    def _advance(self, work: Work) -> None:
        branch = work.branch.id
        advance = _Advance(self._ledger, self._world, self._clock, work)
        try:
            advance.run()
        except LostClaim:
            log.warning("claim_lost", branch=branch)
            self._remember(advance)
            self._note_late()
        except LedgerFailed:
            self._remember(advance)
            raise
        except Exception as error:  # noqa: BLE001 - told without its words; the claim runs out and another tries
            log.error("internal_error", branch=branch, error=type(error).__name__, where=_places(error))  # noqa: TRY400

    def _remember(self, advance: _Advance) -> None:
        if advance.minted is not None:
            self._unnoted.append((advance.run_id, advance.minted))

    def _note_late(self) -> None:
        """Tell the ledger what was minted and is not in it; a note of what it learned otherwise does no harm."""
        while self._unnoted:
            self._ledger.note_late(*self._unnoted[0])
            self._unnoted.popleft()


class _Advance:
    """One claim's way through its steps."""

    def __init__(self, ledger: Ledger, world: World, clock: Callable[[], float], work: Work) -> None:
        self._ledger, self._world, self._clock = ledger, world, clock
        self._work, self._draft = work, Draft()
        self._committed = time.monotonic()
        self._calls_left = work.branch.granted
        self._failed_before = work.branch.probe
        self.minted: str | None = None
        """What was minted and is not in the ledger yet."""

    @property
    def run_id(self) -> str:
        """Return whose work it is."""
        return self._work.run.id

    def run(self) -> None:
        lane = None
        while True:
            step = self._work.next_step
            if step is None:
                self._release(BranchState.DONE)
                return
            if lane is not None and step.lane is not lane:
                self._release(BranchState.OPEN, AT_ONCE)
                return
            lane = step.lane
            if self._work.branch.stopped is not None:
                self._release(BranchState.OPEN, AT_ONCE, STOPPED + self._work.branch.stopped)
                return
            move = self._advance(step)
            if move.state not in {StepState.DONE, StepState.SKIPPED}:
                self._rest(move)
                return

    def _is_granted(self, step: Step) -> bool:
        """Take the calls of a step from what its account allowed with this claim; False when that is used up."""
        if self._calls_left is None:
            return True
        granted = self._calls_left >= step.calls
        self._calls_left -= step.calls if granted else 0
        return granted

    def _rest(self, move: Move) -> None:
        """Give way: due again later, held for a person or a condition, or failed for all to see."""
        if move.state is StepState.FAILED:
            self._release(BranchState.FAILED, None, move.reason)
        elif move.state is StepState.HELD:
            self._release(BranchState.HELD, move.due_at, move.reason)
        else:
            self._release(BranchState.OPEN, move.due_at if move.due_at is not None else AT_ONCE, move.reason)

    def _advance(self, step: Step) -> Move:
        if step.state is StepState.RUNNING:
            step = self._record(step, Move(StepState.UNCERTAIN, reason=WORKER_LOST))
        if step.state is StepState.UNCERTAIN:
            return self._look(step)
        if step.state is StepState.PENDING and step.facts.get(UNRESOLVED) is True:
            return self._look(
                self._record(step, Move(StepState.UNCERTAIN, reason="looked for before it is tried again"))
            )
        if step.state is StepState.HELD:
            step = self._record(step, Move(StepState.PENDING))
        if (held := self._gate(step)) is not None:
            if held.state is not step.state:
                self._record(step, held)
            return held
        return self._act(step)

    def _gate(self, step: Step) -> Move | None:
        """Return why the step may not start now, or None."""
        now = self._clock()
        if (held := hold_before(step, now)) is not None:
            return held
        if step.hold_until in GATES and self._ledger.is_shut(self._work.run.incident, step.hold_until):
            return Move(StepState.HELD, reason=GATE + step.hold_until)
        spreading = spread_before(step, self._work.steps, self._world.provider(self._work.run.ref).propagation_s, now)
        if spreading is not None:
            return spreading
        if step.verb in DELIVERS and self._ledger.has_open_readers(self._work.run):
            return Move(StepState.HELD, reason=LEAK_SAFE)
        if step.verb in ONE_AT_A_TIME and not self._ledger.take_mint(self._work):
            return Move(StepState.PENDING, due_at=now + 1.0, reason="one mint per owner at a time")
        return None

    def _act(self, step: Step) -> Move:
        if not self._is_granted(step):
            return Move(StepState.PENDING, AT_ONCE, BUDGET)
        try:
            facts = self._before_minting(step)
        except RotatorError as error:
            running = self._record(step, Move(StepState.RUNNING))
            return self._settle(running, after_error(running, error, self._clock()))
        step = self._record(step, Move(StepState.RUNNING, facts=facts))
        self._commit()
        if self._work.branch.stopped is not None:
            return self._settle(step, Move(StepState.PENDING, AT_ONCE, STOPPED + self._work.branch.stopped))
        if time.monotonic() - self._committed > SEND_MARGIN_S:
            raise LostClaim
        try:
            if step.verb is Verb.COMPARE:
                return self._settle(step, self._compare(step))
            outcome = self._perform(step)
        except RotatorError as error:
            return self._failed(step, error)
        if step.verb is Verb.ISSUE:
            self.minted = str(outcome.facts["replacement"])
        return self._settle(step, self._decide(step, outcome))

    def _compare(self, step: Step) -> Move:
        ours = self._ledger.ours(self._work.run)
        found = self._ask(step, lambda: compare(self._world, self._work, step, ours))
        self._discard(step, found.left_over)
        self._draft.settled_late = found.settles
        return found.move

    def _before_minting(self, step: Step) -> Mapping[str, object]:
        """Note who the siblings were before the first attempt, so that a lost answer can be settled by comparing."""
        if step.verb is not Verb.ISSUE or "siblings_before" in step.facts:
            return {}
        self._commit()
        ref = self._work.run.ref
        siblings = self._ask(step, lambda: self._world.provider(ref).siblings(ref))
        return {"siblings_before": sorted(each.id for each in siblings)}

    def _perform(self, step: Step) -> Outcome:
        material = None
        if step.verb is Verb.VERIFY and step.subject is Subject.EXPOSED:
            material = self._ledger.material(self._work)
        outcome = self._ask(step, lambda: perform(self._world, self._work, step, material, self._pulse))
        if self._is_unpaired(step, outcome):
            said = self._ask(step, lambda: perform(self._world, self._work, step, None))
            return replace(outcome, status=said.status)
        return outcome

    def _is_unpaired(self, step: Step, outcome: Outcome) -> bool:
        """Tell whether the door refused material that it never took: then only the issuer can say if the id is shut."""
        verdict = outcome.verdict
        if verdict is None or step.subject is not Subject.EXPOSED or step.expect is not Expect.REJECTED:
            return False
        return verdict.answer is Answer.REJECTED and not self._proof(step.target).shuts(verdict)

    def _lived(self, step: Step) -> bool:
        """Tell whether the issuer itself is knocked at, and called the exposed credential active before any effect."""
        said = self._work.preserved().get("issuer_says")
        return not step.target and said == State.ACTIVE.value and self._work.run.contained_at is None

    def _ask(self, step: Step, question: Callable[[], T]) -> T:
        """Let nothing but the three errors come of an exchange."""
        try:
            answer = question()
        except (LostClaim, LedgerFailed):
            raise
        except RotatorError as error:
            self._meet(step, error)
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, the branch must not be lost
            # A defect of ours. Its words may hold material, so only its type and place are told.
            log.error("internal_error", step=step.name, error=type(error).__name__, where=_places(error))  # noqa: TRY400
            raise Uncertain("internal_error", type(error).__name__) from None
        self._meet(step, None)
        return answer

    def _meet(self, step: Step, error: RotatorError | None) -> None:
        """Let every worker know how the account answered: it is slowed down, or left alone for a while, as a whole."""
        if self._work.branch.account == "" or step.target or (error is not None and error.elsewhere):
            return  # one host of many is not its account, and a store or a consumer has another
        if step.subject is Subject.CONSUMERS or step.verb in {Verb.PROMOTE, Verb.DEMOTE, Verb.GENERATE}:
            return
        throttled = isinstance(error, Unavailable) and error.reason == THROTTLED
        retry_after = error.retry_after if isinstance(error, Unavailable) else None
        failed = isinstance(error, Unavailable) and not throttled and retry_after is None
        if isinstance(error, Uncertain):  # it hung, or broke down in the middle
            failed = not isinstance(error, Unstaged) and error.reason != "internal_error"
        if failed or throttled or self._failed_before:
            self._ledger.met(self._work.branch.account, failed=failed, throttled=throttled, retry_after=retry_after)
        self._failed_before = failed

    def _discard(self, step: Step, minted: Sequence[CredentialRef]) -> None:
        """Revoke what was minted in vain.

        That is written under the claim before: a worker that lost it could else revoke what its successor has found
        staged and delivered, and a successor could take for the replacement what is about to be revoked.
        """
        if not minted:
            return
        current = self._current(step)
        names = {DISCARDED: sorted({*discarded(current), *(each.id for each in minted)})}
        self._write(
            current, replace(current, facts={**current.facts, **names}), "discards what was minted in vain", names
        )
        self._commit()
        self._heed_stop()
        for each in minted:
            self._ask(step, functools.partial(self._world.provider(each).revoke, each))

    def _withdraw(self, step: Step, error: Unstaged) -> RotatorError:
        """Revoke what could not be staged; return what became of the mint."""
        self.minted = error.ref.id
        try:
            self._discard(step, [error.ref])
        except RotatorError:
            return error
        return error.once_revoked

    def _failed(self, step: Step, error: RotatorError) -> Move:
        if isinstance(error, Unstaged):
            error = self._withdraw(step, error)
        if step.verb is Verb.ISSUE and error.reason == "quota":
            if (move := self._make_room(step)) is not None:
                self._record(step, move)  # the reservation is kept: another run of this owner would take the room
                return move
            if step.attempts > 1 and not step.facts.get(FILLED):
                # An earlier attempt, given up for lost, may have landed after all.
                return self._settle(step, Move(StepState.UNCERTAIN, AT_ONCE, str(error), {FILLED: True}))
        return self._settle(step, after_error(step, error, self._clock()))

    def _make_room(self, step: Step) -> Move | None:
        """When exposed, refused keys fill the quota, destroy this run's own before issuing."""
        run = self._work.run
        if run.dead_at is None or any(each.name == "make_room" for each in self._work.mine):
            return None
        before = [each.position for each in self._work.mine if each.position < step.position]
        self._draft.added.append(
            replace(
                step,
                id=f"{step.branch}.make_room",
                position=(max(before, default=0) + step.position) // 2,
                name="make_room",
                verb=Verb.REVOKE,
                subject=Subject.EXPOSED,
                state=StepState.PENDING,
                expect=None,
                hold_for_s=None,
                hold_until=Until.NO_LEGAL_HOLD,  # it destroys, however early
                undo=None,
                attempts=0,
                started_at=None,
                intended_at=None,
                facts={},
            )
        )
        return Move(StepState.PENDING, due_at=AT_ONCE, reason="quota: the exposed, dead one is destroyed first")

    def _decide(self, step: Step, outcome: Outcome) -> Move:
        now = self._clock()
        proof = self._proof(step.target)
        if step.verb is Verb.PRESERVE and outcome.status is not None:
            for target in [step.target] if step.target in self._work.proofs else list(self._work.proofs):
                self._prove(seen(self._proof(target), outcome.status.state, now))
            return Move(StepState.DONE, facts=outcome.facts)
        if step.verb is Verb.RESUME or (step.verb is Verb.INSTALL and step.subject is Subject.EXPOSED):
            self._prove(revived(proof))
        settle_s = self._world.provider(self._work.run.ref).settle_s
        if outcome.verdict is not None and step.subject is Subject.EXPOSED:
            proof = knocked(proof, outcome.verdict, settle_s, now)
            if step.expect is None and outcome.verdict.answer is Answer.REJECTED and self._lived(step):
                proof = mispaired(proof, outcome.verdict)
            if outcome.status is not None:
                proof = shut(proof, outcome.status.state, settle_s, now)
            self._prove(proof)
            return after_knock_exposed(step, outcome.verdict, proof, settle_s, now)
        if outcome.verdict is not None:
            return after_knock_replacement(step, outcome.verdict, now)
        if outcome.status is not None:
            proof = stated(proof, outcome.status.state, settle_s, now)
            self._prove(proof)
            return after_statement(step, proof, settle_s, now)
        if outcome.using is not None:
            held = in_use(self._work)
            return after_asking_consumers(step, outcome.using, None if held is None else held.id, now)
        return Move(StepState.DONE, facts=outcome.facts)

    def _look(self, step: Step) -> Move:
        """Find out what became of a step whose answer nobody has; that is never put off for a budget."""
        if step.verb is not Verb.ISSUE:
            # Every other verb may be done again: already done counts as done.
            return self._settle(step, Move(StepState.PENDING, due_at=AT_ONCE, reason=step.reason))
        now = self._clock()
        self._calls_left = max(0, self._calls_left - step.calls) if self._calls_left is not None else None
        try:
            ours = self._ledger.ours(self._work.run)
            found = self._ask(step, lambda: look_for_issued(self._world, self._work, step, ours, now))
            self._discard(step, found.left_over)
        except RotatorError as error:
            return self._settle(step, after_look_error(step, error, now))
        return self._settle(step, after_look(step, found.move, now))

    def _proof(self, target: str) -> Proof:
        return self._work.proofs.get(target) or Proof(target)

    def _prove(self, proof: Proof) -> None:
        self._draft.proofs[proof.target] = proof
        self._work = replace(self._work, proofs={**self._work.proofs, proof.target: proof})

    def _settle(self, step: Step, move: Move) -> Move:
        self._record(step, move)
        made_room = any(each.name == "make_room" for each in self._work.mine)
        keeps = {StepState.UNCERTAIN, StepState.PENDING} if made_room else {StepState.UNCERTAIN}
        if step.verb in ONE_AT_A_TIME and move.state not in keeps:
            self._draft.gives_mint = True  # not before, or another run of this owner takes the room that was made
        return move

    def _current(self, step: Step) -> Step:
        """Return the step as it stands by now: facts may have been added since it was looked at."""
        return next(each for each in self._work.steps if each.id == step.id)

    def _record(self, step: Step, move: Move) -> Step:
        """Put a move into the draft, with its evidence."""
        current = self._current(step)
        moved = apply(current, move, self._clock())
        self._write(current, moved, moved.reason, move.facts)
        return moved

    def _write(self, before: Step, after: Step, reason: str | None, facts: Mapping[str, object]) -> None:
        self._draft.steps[after.id] = after
        self._draft.records.append(
            {
                "at": self._clock(),
                "step": after.name,
                "do": after.do,
                "target": after.target,
                "attempt": after.attempts,
                "from": before.state.value,
                "state": after.state.value,
                "reason": reason,
                "facts": dict(facts),
            }
        )
        steps = (after if each.id == after.id else each for each in self._work.steps)
        self._work = replace(self._work, steps=tuple(steps))

    def _pulse(self) -> None:
        """Keep the claim, and heed a stop, between the calls of a step that makes many."""
        self._work = self._ledger.commit(self._work, self._draft)
        self._draft = Draft()
        self._heed_stop()

    def _heed_stop(self) -> None:
        if self._work.branch.stopped is not None:
            raise Unavailable("stopped", self._work.branch.stopped)

    def _commit(self) -> None:
        if not (self._draft.steps or self._draft.records):
            return
        asked = time.monotonic()  # not the moment after: whoever freezes in between must know it
        self._work = self._ledger.commit(self._work, self._draft)
        self._draft, self._committed, self.minted = Draft(), asked, None

    def _release(self, state: BranchState, due_at: float | None = None, reason: str | None = None) -> None:
        self._draft.unspent_calls = self._calls_left or 0
        self._ledger.release(self._work, self._draft, state, due_at, reason)


def _places(error: Exception) -> list[str]:
    """Return where an exception came from, without its words and values: they may hold material."""
    return [f"{frame.filename}:{frame.lineno}" for frame in traceback.extract_tb(error.__traceback__)[-3:]]
