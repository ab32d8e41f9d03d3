"""The engine advances one branch: the only place where a decision meets an effect.

Intent is committed before every effect and its outcome after it; one commit holds outcome n and intent n+1. A step
found RUNNING belongs to a worker that died or froze, so it is UNCERTAIN: looked at before anything is done again.
"""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, TypeVar

import structlog

from rotator.credential import CredentialRef, Secret
from rotator.effects import Outcome, World, perform, replacement_of
from rotator.errors import RotatorError, Uncertain
from rotator.flow.playbook import Subject, Verb
from rotator.flow.proof import Proof, knocked, revived, seen, stated
from rotator.flow.run import BranchState, Run, Step, StepState, Work
from rotator.flow.step import (
    SEND_MARGIN_S,
    Move,
    after_asking_consumers,
    after_error,
    after_knock_exposed,
    after_knock_replacement,
    after_look,
    after_look_error,
    after_statement,
    apply,
    hold_before,
)
from rotator.lost_issue import look_for_issued

log = structlog.get_logger()
T = TypeVar("T")


class LostClaim(Exception):  # noqa: N818 - what happened to the claim, as the ledger says it
    """Another worker has this branch now: stop at once and write nothing more."""


@dataclass
class Draft:
    """What the next commit will write. `gives_mint`: the owner's reservation ends with it, not before or after."""

    steps: dict[str, Step] = field(default_factory=dict)
    proofs: dict[str, Proof] = field(default_factory=dict)
    records: list[dict[str, Any]] = field(default_factory=list)
    added: list[Step] = field(default_factory=list)
    gives_mint: bool = False


class Ledger(Protocol):
    """What the engine needs of the ledger. Every write is refused with LostClaim when the fence has moved on."""

    def claim(self, branch: str, worker: str) -> Work | None:
        """Take an open, due and unclaimed branch; None when it is not."""
        ...

    def commit(self, work: Work, draft: Draft) -> Work:
        """Write the draft under the claim, and count the heartbeat."""
        ...

    def release(self, work: Work, draft: Draft, state: BranchState, due_at: float | None, reason: str | None) -> None:
        """Write the draft and give the branch back; a finished one opens the join.

        The exposed secret is destroyed with it, once its death is proven and no knock is ahead.
        """
        ...

    def material(self, run: str) -> Secret | None:
        """Return the exposed secret, unsealed, or None when there is none or it was destroyed."""
        ...

    def has_open_readers(self, run: Run) -> bool:
        """Tell whether another credential of the incident may read where this run delivers, and is not contained."""
        ...

    def take_mint(self, ref: CredentialRef, branch: str) -> bool:
        """Reserve the owner for one mint at a time, until a draft gives it back; True when it is ours."""
        ...


class Engine:
    """Advance branches. One engine serves all threads of a worker process."""

    def __init__(self, ledger: Ledger, world: World, worker: str, clock: Callable[[], float] = time.time) -> None:
        self._ledger, self._world, self._worker, self._clock = ledger, world, worker, clock

    def advance(self, branch: str) -> None:
        """Take the branch as far as it goes now: to its end, a wait, or another lane. Safe to call at any time."""
        work = self._ledger.claim(branch, self._worker)
        if work is None:
            return
        try:
            _Advance(self._ledger, self._world, self._clock, work).run()
        except LostClaim:
            log.warning("claim_lost", branch=branch)
        except Exception as error:  # noqa: BLE001 - told without its words; the claim runs out and another tries
            log.error("internal_error", branch=branch, error=type(error).__name__, where=_places(error))  # noqa: TRY400


class _Advance:
    """One claim's way through its steps."""

    def __init__(self, ledger: Ledger, world: World, clock: Callable[[], float], work: Work) -> None:
        self._ledger, self._world, self._clock = ledger, world, clock
        self._work, self._draft = work, Draft()
        self._committed = time.monotonic()

    def run(self) -> None:
        lane = None
        while True:
            step = self._work.next_step
            if step is None:
                self._release(BranchState.DONE)
                return
            if lane is not None and step.lane is not lane:
                self._release(BranchState.OPEN, self._clock())
                return
            lane = step.lane
            move = self._advance(step)
            if move.state not in {StepState.DONE, StepState.SKIPPED}:
                self._rest(move)
                return

    def _rest(self, move: Move) -> None:
        """Give way: due again later, held for a person or a condition, or failed for all to see."""
        if move.state is StepState.FAILED:
            self._release(BranchState.FAILED, None, move.reason)
        elif move.state is StepState.HELD:
            self._release(BranchState.HELD, move.due_at, move.reason)
        else:
            self._release(BranchState.OPEN, move.due_at if move.due_at is not None else self._clock(), move.reason)

    def _advance(self, step: Step) -> Move:
        if step.state is StepState.RUNNING:
            step = self._record(step, Move(StepState.UNCERTAIN, reason="its worker was lost"))
        if step.state is StepState.UNCERTAIN:
            return self._look(step)
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
        if step.verb in {Verb.ISSUE, Verb.GENERATE} and self._ledger.has_open_readers(self._work.run):
            return Move(StepState.HELD, reason=LEAK_SAFE)
        if step.verb is Verb.ISSUE and not self._ledger.take_mint(self._work.run.ref, self._work.branch.id):
            return Move(StepState.PENDING, due_at=now + 1.0, reason="one mint per owner at a time")
        return None

    def _act(self, step: Step) -> Move:
        try:
            facts = self._before_minting(step)
        except RotatorError as error:
            running = self._record(step, Move(StepState.RUNNING))
            return self._settle(running, after_error(running, error, self._clock()))
        step = self._record(step, Move(StepState.RUNNING, facts=facts))
        self._commit()
        if time.monotonic() - self._committed > SEND_MARGIN_S:
            raise LostClaim
        try:
            outcome = self._perform(step)
        except RotatorError as error:
            return self._failed(step, error)
        return self._settle(step, self._decide(step, outcome))

    def _before_minting(self, step: Step) -> Mapping[str, object]:
        """Note who the siblings were, so that a lost answer can be settled by comparing."""
        if step.verb is not Verb.ISSUE:
            return {}
        self._commit()
        ref = self._work.run.ref
        siblings = self._ask(step, lambda: self._world.provider(ref).siblings(ref))
        return {"siblings_before": sorted(each.id for each in siblings)}

    def _perform(self, step: Step) -> Outcome:
        material = None
        if step.verb is Verb.VERIFY and step.subject is Subject.EXPOSED:
            material = self._ledger.material(self._work.run.id)
        return self._ask(step, lambda: perform(self._world, self._work, step, material))

    def _ask(self, step: Step, question: Callable[[], T]) -> T:
        """Let nothing but the three errors come of an exchange."""
        try:
            return question()
        except RotatorError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, the branch must not be lost
            # A defect of ours. Its words may hold material, so only its type and place are told.
            log.error("internal_error", step=step.name, error=type(error).__name__, where=_places(error))  # noqa: TRY400
            raise Uncertain("internal_error", type(error).__name__) from None

    def _failed(self, step: Step, error: RotatorError) -> Move:
        move = after_error(step, error, self._clock())
        if step.verb is Verb.ISSUE and error.reason == "quota":
            move = self._make_room(step) or move
        return self._settle(step, move)

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
                attempts=0,
                started_at=None,
                intended_at=None,
                facts={},
            )
        )
        return Move(StepState.PENDING, due_at=self._clock(), reason="quota: the exposed, dead one is destroyed first")

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
            self._prove(proof)
            return after_knock_exposed(step, outcome.verdict, proof, settle_s, now)
        if outcome.verdict is not None:
            return after_knock_replacement(step, outcome.verdict, now)
        if outcome.status is not None:
            proof = stated(proof, outcome.status.state, settle_s, now)
            self._prove(proof)
            return after_statement(step, proof, settle_s, now)
        if outcome.using is not None:
            return after_asking_consumers(step, outcome.using, replacement_of(self._work).id, now)
        return Move(StepState.DONE, facts=outcome.facts)

    def _look(self, step: Step) -> Move:
        """Find out what became of a step whose answer nobody has."""
        if step.verb is not Verb.ISSUE:
            # Every other verb may be done again: already done counts as done.
            return self._settle(step, Move(StepState.PENDING, due_at=self._clock(), reason=step.reason))
        now = self._clock()
        try:
            found = self._ask(step, lambda: look_for_issued(self._world, self._work, step, now))
        except RotatorError as error:
            return self._settle(step, after_look_error(step, error, now))
        return self._settle(step, after_look(step, found, now))

    def _proof(self, target: str) -> Proof:
        return self._work.proofs.get(target) or Proof(target)

    def _prove(self, proof: Proof) -> None:
        self._draft.proofs[proof.target] = proof
        self._work = replace(self._work, proofs={**self._work.proofs, proof.target: proof})

    def _settle(self, step: Step, move: Move) -> Move:
        self._record(step, move)
        if step.verb is Verb.ISSUE and move.state is not StepState.UNCERTAIN:
            self._draft.gives_mint = True
        return move

    def _record(self, step: Step, move: Move) -> Step:
        """Put a move into the draft, with its evidence."""
        now = self._clock()
        moved = apply(step, move, now)
        self._draft.steps[moved.id] = moved
        self._draft.records.append(
            {
                "at": now,
                "step": moved.name,
                "do": moved.do,
                "target": moved.target,
                "attempt": moved.attempts,
                "from": step.state.value,
                "state": moved.state.value,
                "reason": moved.reason,
                "facts": dict(move.facts),
            }
        )
        self._work = replace(
            self._work, steps=tuple(moved if each.id == moved.id else each for each in self._work.steps)
        )
        return moved

    def _commit(self) -> None:
        if not (self._draft.steps or self._draft.records):
            return
        asked = time.monotonic()  # not the moment after: whoever freezes in between must know it
        self._work = self._ledger.commit(self._work, self._draft)
        self._draft, self._committed = Draft(), asked

    def _release(self, state: BranchState, due_at: float | None = None, reason: str | None = None) -> None:
        self._ledger.release(self._work, self._draft, state, due_at, reason)


LEAK_SAFE = "leak_safe: a stolen credential that may read the new secret still lives"
"""Why a mint waits; the dispatcher wakes it when the last such reader is dead."""


def _places(error: Exception) -> list[str]:
    """Return where an exception came from, without its words and values: they may hold material."""
    return [f"{frame.filename}:{frame.lineno}" for frame in traceback.extract_tb(error.__traceback__)[-3:]]
