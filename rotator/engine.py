"""The engine advances one branch: the only place where a decision meets an effect.

Intent is committed before every effect and its outcome after it; one commit holds outcome n and intent n+1. A step
found RUNNING belongs to a worker that died or froze, so it is UNCERTAIN: looked at before anything is done again.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from dataclasses import replace

import structlog

from rotator import clock
from rotator.batch import Batches
from rotator.claims import BUDGET, STOPPED, Ledger, LedgerFailed, LostClaim
from rotator.effects import Outcome, Unstaged, perform
from rotator.errors import THROTTLED, Rejected, RotatorError
from rotator.exchange import Exchange, places
from rotator.flow.dismissal import DISMISSED
from rotator.flow.outcome import after_error
from rotator.flow.playbook_words import Subject, Verb
from rotator.flow.proof import testified
from rotator.flow.run import AT_ONCE, BranchState, Step, StepState, Work
from rotator.flow.step import UNRESOLVED, WORKER_LOST, Move
from rotator.holding import Holding, resting
from rotator.judgement import NO_VIEW, is_unpaired, move_after, proof_at, proven, proven_without, stays_proven
from rotator.minting import Minting
from rotator.waiting import ONE_AT_A_TIME, wait_before
from rotator.world import World

log = structlog.get_logger()

QUOTA = "quota"


class Engine:
    """Advance branches. One engine serves all threads of a worker process."""

    def __init__(self, ledger: Ledger, world: World, worker: str, clock: Callable[[], float] = clock.now) -> None:
        self._ledger, self._world, self._worker, self._clock = ledger, world, worker, clock
        self._batches = Batches(ledger, world, worker, clock)
        self._unnoted: set[tuple[str, str]] = set()
        self._leaving = threading.Event()

    def leave(self) -> None:
        """Give each branch back once its step in hand is done, and whatever comes later at once: this process ends.

        Safe to call at any time, and from a signal's handler.
        """
        self._leaving.set()

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
        branch, holding = work.branch.id, Holding(self._ledger, work, self._clock)
        try:
            _Advance(self._ledger, self._world, self._batches, holding).run(self._leaving.is_set)
        except LostClaim:
            log.warning("claim_lost", branch=branch)
            self._remember(holding)
            self._note_late()
        except LedgerFailed:
            self._remember(holding)
            raise
        except Exception as error:  # noqa: BLE001 - told without its words; the claim runs out and another tries
            log.error("internal_error", branch=branch, error=type(error).__name__, where=places(error))  # noqa: TRY400

    def _remember(self, holding: Holding) -> None:
        if holding.minted is not None:
            self._unnoted.add((holding.work.run.id, holding.minted))

    def _note_late(self) -> None:
        """Tell the ledger what was minted and is not in it; a note of what it learned otherwise does no harm."""
        for each in tuple(self._unnoted):  # other threads note theirs meanwhile; twice is no harm, never is
            self._ledger.note_late(*each)
            self._unnoted.discard(each)


class _Advance:
    """One claim's way through its steps."""

    def __init__(self, ledger: Ledger, world: World, batches: Batches, holding: Holding) -> None:
        self._ledger, self._world, self._batches, self._holding = ledger, world, batches, holding
        self._exchange = Exchange(ledger, holding)
        self._minting = Minting(ledger, world, holding, self._exchange)
        self._moved = False

    def run(self, leaves: Callable[[], bool]) -> None:
        lane, holding = None, self._holding
        while True:
            step = holding.work.next_step
            if step is None:
                holding.release(BranchState.DONE)
                return
            if leaves() or (lane is not None and step.lane is not lane):
                holding.release(BranchState.OPEN, AT_ONCE)
                return
            lane = step.lane
            if (stopped := holding.work.branch.stopped) is not None:
                if stopped.startswith(DISMISSED):  # until it is opened again: nobody sends it
                    holding.release(BranchState.HELD, None, stopped)
                else:
                    holding.release(BranchState.OPEN, AT_ONCE, STOPPED + stopped)
                return
            move = self._advance(step)
            if move.state not in {StepState.DONE, StepState.SKIPPED}:
                holding.release(*resting(move))
                return
            self._moved = True

    def _advance(self, step: Step) -> Move:
        holding = self._holding
        if step.state is StepState.HELD:
            step = holding.record(step, Move(StepState.PENDING))
        if step.state is StepState.RUNNING:
            self._minting.lost(step)
            self._unheard(step)
            step = holding.record(step, Move(StepState.UNCERTAIN, reason=WORKER_LOST))
        elif step.state is StepState.PENDING and step.facts.get(UNRESOLVED) is True:
            step = holding.record(step, Move(StepState.UNCERTAIN, reason="looked for before it is tried again"))
        if step.state is StepState.UNCERTAIN:
            return self._look(step)
        held = wait_before(self._ledger, self._world, holding.work, step, holding.now())
        if held is not None:
            if held.state is not step.state:
                holding.record(step, held)
            return held
        return self._act(step) if step.by_hand is None else self._believe(step)

    def _believe(self, step: Step) -> Move:
        """Take a person's word for what he was asked to do, or to see."""
        if step.verb is Verb.VERIFY:
            self._holding.prove(testified(proof_at(self._holding.work, step.target), self._holding.now()))
        step = self._holding.record(step, Move(StepState.RUNNING))
        return self._settle(step, Move(StepState.DONE, reason=f"by hand: {step.said_done}"))

    def _act(self, step: Step) -> Move:
        holding = self._holding
        if (batch := self._batches.of(holding.work, step)) is not None:
            wait = self._batches.gather(batch) if self._moved else None
            return wait or self._batches.revoke(holding, step, batch)
        if not holding.takes_calls(step):
            return Move(StepState.PENDING, AT_ONCE, BUDGET)
        try:
            facts = self._minting.before(step)
        except RotatorError as error:
            running = holding.record(step, Move(StepState.RUNNING))
            return self._settle(running, after_error(running, error, holding.now()))
        step = holding.record(step, Move(StepState.RUNNING, facts=facts))
        holding.commit()
        if (stopped := holding.work.branch.stopped) is not None:
            return self._settle(step, Move(StepState.PENDING, AT_ONCE, STOPPED + stopped))
        holding.refuse_late()
        try:
            if step.verb is Verb.COMPARE:
                return self._settle(step, self._minting.compare(step))
            outcome = self._perform(step)
        except RotatorError as error:
            return self._failed(step, error)
        if step.verb is Verb.ISSUE:
            holding.minted = str(outcome.facts["replacement"])
        return self._settle(step, self._judge(step, outcome))

    def _perform(self, step: Step) -> Outcome:
        work, material = self._holding.work, None
        if step.verb is Verb.VERIFY and step.subject is Subject.EXPOSED:
            material = self._ledger.material(work)
        pulse = self._holding.pulse
        outcome = self._exchange.ask(step, lambda: perform(self._world, work, step, material, pulse))
        if is_unpaired(work, step, outcome):
            try:
                said = self._exchange.ask(step, lambda: perform(self._world, work, step, None))
            except Rejected as refusal:
                if refusal.reason != NO_VIEW:
                    raise
                return outcome  # it shows nobody how one stands: the refusal is all there is
            return replace(outcome, status=said.status)
        return outcome

    def _judge(self, step: Step, outcome: Outcome) -> Move:
        now, run = self._holding.now(), self._holding.work.run
        settle_s = self._world.provider(run.ref).settle_s
        for proof in proven(self._holding.work, step, outcome, settle_s, now):
            self._holding.prove(proof)
        return move_after(self._holding.work, step, outcome, settle_s, now)

    def _failed(self, step: Step, error: RotatorError) -> Move:
        if isinstance(error, Unstaged):
            error = self._minting.withdraw(step, error)
        if step.verb is Verb.ISSUE and error.reason == QUOTA:
            return self._settle(step, self._minting.without_room(step, error))
        if (proven_before := stays_proven(self._holding.work, step, error)) is not None:
            return self._settle(step, proven_before)
        if not isinstance(error, Rejected) and error.reason != THROTTLED:
            self._unheard(step)
        return self._settle(step, after_error(step, error, self._holding.now()))

    def _unheard(self, step: Step) -> None:
        for proof in proven_without(self._holding.work, step):
            self._holding.prove(proof)

    def _look(self, step: Step) -> Move:
        """Find out what became of a step whose answer nobody has."""
        if step.verb is Verb.ISSUE:
            return self._settle(step, self._minting.look(step))
        # Every other verb may be done again: already done counts as done.
        return self._settle(step, Move(StepState.PENDING, due_at=AT_ONCE, reason=step.reason))

    def _settle(self, step: Step, move: Move) -> Move:
        self._holding.record(step, move)
        if step.verb in ONE_AT_A_TIME:
            self._holding.draft.gives_mint = not self._minting.keeps_owner(move)
        return move
