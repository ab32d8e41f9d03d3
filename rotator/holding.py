"""A branch in a worker's hand: the work as it stands, and the draft of what the next commit writes under its claim."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace

from rotator.claims import Draft, Ledger, LostClaim, Release
from rotator.errors import Unavailable
from rotator.flow.proof import Proof
from rotator.flow.run import AT_ONCE, BranchState, Step, StepState, Work
from rotator.flow.step import SEND_MARGIN_S, Move, apply


class Holding:
    """One claim: `work` is what it sees, `draft` what is not written yet, `now` the ledger's clock."""

    def __init__(self, ledger: Ledger, work: Work, now: Callable[[], float]) -> None:
        self._ledger, self.work, self.now = ledger, work, now
        self.draft = Draft()
        self.minted: str | None = None
        """What was minted and is not in the ledger yet."""
        self._committed = time.monotonic()
        self._calls_left = work.branch.granted
        self.met_account = False
        """Whether its account answered, or failed to, since it was claimed."""

    def current(self, step: Step) -> Step:
        """Return the step as it stands by now: facts may have been added since it was looked at."""
        return next(each for each in self.work.steps if each.id == step.id)

    def record(self, step: Step, move: Move) -> Step:
        """Put a move into the draft, with its evidence; return the step after it."""
        current = self.current(step)
        moved = apply(current, move, self.now())
        self._write(current, moved, moved.reason, move.facts)
        return moved

    def note(self, step: Step, facts: Mapping[str, object], why: str) -> None:
        """Put facts of a step into the draft, with evidence of why; it moves nowhere."""
        current = self.current(step)
        self._write(current, replace(current, facts={**current.facts, **facts}), why, facts)

    def _write(self, before: Step, after: Step, reason: str | None, facts: Mapping[str, object]) -> None:
        self.draft.steps[after.id] = after
        self.draft.records.append(
            {
                "at": self.now(),
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
        steps = (after if each.id == after.id else each for each in self.work.steps)
        self.work = replace(self.work, steps=tuple(steps))

    def add(self, step: Step) -> None:
        """Put another step of the run into the draft."""
        self.draft.added.append(step)
        steps = sorted((*self.work.steps, step), key=lambda each: (each.position, each.target))
        self.work = replace(self.work, steps=tuple(steps))

    def add_apart(self, step: Step) -> None:
        """Put another step of the run into the draft, in a branch of its own."""
        self.draft.apart.append(step)
        self.work = replace(self.work, steps=(*self.work.steps, step))

    def prove(self, proof: Proof) -> None:
        """Put what is proven at one door into the draft."""
        self.draft.proofs[proof.target] = proof
        self.work = replace(self.work, proofs={**self.work.proofs, proof.target: proof})

    def commit(self) -> None:
        """Write the draft, if there is anything in it. Raises LostClaim when another holds the branch by now."""
        if not (self.draft.steps or self.draft.records):
            return
        asked = time.monotonic()  # not the moment after: whoever freezes in between must know it
        self.committed(self._ledger.commit(self.work, self.draft), asked)

    def committed(self, work: Work, asked: float) -> None:
        """Go on from what was written, asked for at `asked` on the monotonic clock."""
        self.work, self.draft, self._committed, self.minted = work, Draft(), asked, None

    def pulse(self, minted: str | None = None) -> None:
        """Keep the claim, and heed a stop, between the calls of a step that makes many, one of which minted that."""
        self.minted = minted or self.minted
        self.work = self._ledger.commit(self.work, self.draft)
        self.draft = Draft()
        self.heed_stop()

    def heed_stop(self) -> None:
        """Raise Unavailable where a person stopped it."""
        if self.work.branch.stopped is not None:
            raise Unavailable("stopped", self.work.branch.stopped)

    def refuse_late(self) -> None:
        """Raise LostClaim when the last commit was so long ago that another may be at work before a call ends."""
        if time.monotonic() - self._committed > SEND_MARGIN_S:
            raise LostClaim

    def takes_calls(self, step: Step) -> bool:
        """Take the calls of a step from what its account allowed with this claim; False when that is used up."""
        if self._calls_left is None:
            return True
        granted = self._calls_left >= step.calls
        self._calls_left -= step.calls if granted else 0
        return granted

    def owes_calls(self, step: Step) -> None:
        """Take the calls of a step that is put off for no budget, as far as there are any."""
        if self._calls_left is not None:
            self._calls_left = max(0, self._calls_left - step.calls)

    def release(self, state: BranchState, due_at: float | None = None, reason: str | None = None) -> None:
        """Write the draft and give the branch back."""
        last = self.given_back(state, due_at, reason)
        self._ledger.release(last.work, last.draft, state, due_at, reason)

    def given_back(self, state: BranchState, due_at: float | None = None, reason: str | None = None) -> Release:
        """Return what gives the branch back, to be written together with others."""
        self.draft.unspent_calls = self._calls_left or 0
        self.draft.met_nobody = self.work.branch.probe and not self.met_account
        return Release(self.work, self.draft, state, due_at, reason)


def resting(move: Move) -> tuple[BranchState, float | None, str | None]:
    """Return how a branch waits whose step made that move, until when, and why."""
    if move.state is StepState.FAILED:
        return BranchState.FAILED, None, move.reason
    if move.state is StepState.HELD:
        return BranchState.HELD, move.due_at, move.reason
    return BranchState.OPEN, AT_ONCE if move.due_at is None else move.due_at, move.reason
