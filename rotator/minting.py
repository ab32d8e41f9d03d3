"""Mint one credential and no more: what an `issue` needs before, after and instead of its call.

The siblings are noted before it, what was minted in vain is revoked after it, room is made where a quota is full, a
lost answer is looked for, and a comparison before the run closes finds what is left over.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import replace

from rotator.claims import Ledger
from rotator.comparison import compare
from rotator.credential import CredentialRef
from rotator.effects import Unstaged
from rotator.errors import RotatorError
from rotator.exchange import Exchange
from rotator.flow.apart import LONG_LOST, LONG_S, LOST, apart, is_long_after, waits
from rotator.flow.outcome import after_look, after_look_error
from rotator.flow.playbook_words import Subject, Until, Verb
from rotator.flow.run import AT_ONCE, Step, StepState
from rotator.flow.step import DISCARDED, LANDS_S, RESTORED_FROM, Move, discarded
from rotator.holding import Holding
from rotator.lost_issue import look_for_issued, older_than
from rotator.waiting import MAKE_ROOM
from rotator.world import World

FILLED = "filled"
"""The fact of an `issue` that found no room after an earlier attempt: what that left behind has been looked for."""


class Minting:
    """The mints of one claim."""

    def __init__(self, ledger: Ledger, world: World, holding: Holding, exchange: Exchange) -> None:
        self._ledger, self._world, self._holding, self._exchange = ledger, world, holding, exchange

    def before(self, step: Step) -> Mapping[str, object]:
        """Note who the siblings were before the first attempt, so that a lost answer can be settled by comparing."""
        if step.verb is not Verb.ISSUE or "siblings_before" in step.facts:
            return {}
        self._holding.commit()
        ref = self._holding.work.run.ref
        siblings = self._exchange.ask(step, lambda: self._world.provider(ref).siblings(ref))
        return {"siblings_before": sorted(each.id for each in siblings)}

    def withdraw(self, step: Step, error: Unstaged) -> RotatorError:
        """Revoke what could not be staged; return what became of the mint."""
        self._holding.minted = error.ref.id
        try:
            self._discard(step, [error.ref])
        except RotatorError:
            return error
        return error.once_revoked

    def without_room(self, step: Step, error: RotatorError) -> Move:
        """Say what follows a full quota: the exposed, dead one makes room, or an earlier attempt is looked for.

        Else a person is asked, with the choice that the issuer's kind spells out: none is taken for the one to go.
        """
        if self._can_make_room():
            self._make_room(step)
            return Move(StepState.PENDING, due_at=AT_ONCE, reason="quota: the exposed, dead one is destroyed first")
        if step.attempts > 1 and not step.facts.get(FILLED):
            # An earlier attempt, given up for lost, may have landed after all.
            return Move(StepState.UNCERTAIN, AT_ONCE, str(error), {FILLED: True})
        return Move(StepState.HELD, reason=str(error))

    def _can_make_room(self) -> bool:
        """Tell whether the run's own exposed key is dead, so that it may be destroyed before its week is over."""
        work = self._holding.work
        return work.run.dead_at is not None and not self._made_room()

    def _made_room(self) -> bool:
        return any(each.name == MAKE_ROOM for each in self._holding.work.mine)

    def keeps_owner(self, move: Move) -> bool:
        """Tell whether the owner's reservation is kept after that move: another run would take the room made."""
        return move.state is StepState.UNCERTAIN or (move.state is StepState.PENDING and self._made_room())

    def _make_room(self, step: Step) -> None:
        before = [each.position for each in self._holding.work.mine if each.position < step.position]
        self._holding.add(
            replace(
                step,
                id=f"{step.branch}.{MAKE_ROOM}",
                position=(max(before, default=0) + step.position) // 2,
                name=MAKE_ROOM,
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

    def lost(self, step: Step) -> None:
        """Have the run compared twice more: whoever was at the mint may have frozen before its call, and be gone.

        What lands then is in no note; where it carries no marker, it is for a person to say whose it is. That waits for
        nobody: the run may fail meanwhile, or be undone. Soon is for the worker that died, a day later for the one that
        was frozen so long, sent its call when it awoke, and died before it could note that.
        """
        if step.verb is not Verb.ISSUE:
            return
        settle_s = self._world.provider(self._holding.work.run.ref).settle_s
        for sort, after_s in ((LOST, LANDS_S), (LONG_LOST, LONG_S)):
            steps = self._holding.work.steps
            if sort == LONG_LOST and any(self._comes_late(each) for each in steps):
                continue
            added = apart(steps, sort, after_s + settle_s)
            if added is not None:
                self._holding.add_apart(added)

    def _comes_late(self, step: Step) -> bool:
        """Tell whether it is the comparison of a day later, and still half a day off: it does for another loss too."""
        return (
            is_long_after(step)
            and waits(step)
            and (step.held_at is None or self._holding.now() - step.held_at < LONG_S / 2)
        )

    def look(self, step: Step) -> Move:
        """Find out what became of an `issue` whose answer nobody has; that is never put off for a budget."""
        now, work = self._holding.now(), self._holding.work
        self._holding.owes_calls(step)
        try:
            step = self._with_older(step)
            ours = self._ledger.ours(work.run)
            found = self._exchange.ask(
                step, lambda: look_for_issued(self._world, work, step, ours, now, self._holding.pulse)
            )
            self._discard(step, found.left_over)
        except RotatorError as error:
            return after_look_error(step, error, now)
        return after_look(step, found.move, now)

    def _with_older(self, step: Step) -> Step:
        """Note who is older than the backup from which the ledger was restored, where nobody had noted the siblings."""
        restored_from = step.facts.get(RESTORED_FROM)
        if "siblings_before" in step.facts or not isinstance(restored_from, int | float):
            return step
        ref = self._holding.work.run.ref
        older = self._exchange.ask(step, lambda: older_than(self._world.provider(ref), ref, float(restored_from)))
        self._holding.note(step, {"siblings_before": older}, "these were made before the backup")
        return self._holding.current(step)

    def compare(self, step: Step) -> Move:
        """Compare the world with the ledger, and revoke what of ours is left over."""
        work = self._holding.work
        ours = self._ledger.ours(work.run)
        found = self._exchange.ask(step, lambda: compare(self._world, work, step, ours))
        self._discard(step, found.left_over)
        self._holding.draft.settled_late = found.settles
        return found.move

    def _discard(self, step: Step, minted: Sequence[CredentialRef]) -> None:
        """Revoke what was minted in vain.

        That is written under the claim before: a worker that lost it could else revoke what its successor has found
        staged and delivered, and a successor could take for the replacement what is about to be revoked.
        """
        if not minted:
            return
        gone = discarded(self._holding.current(step))
        names = {DISCARDED: sorted({*gone, *(each.id for each in minted)})}
        self._holding.note(step, names, "discards what was minted in vain")
        self._holding.commit()
        self._holding.heed_stop()
        for each in minted:
            try:
                self._exchange.ask(step, functools.partial(self._world.provider(each).revoke, each))
            except RotatorError as error:
                # Whoever is asked about it in the end must be told which one it is.
                error.detail = f"{each.id} was minted in vain, and is left over: {error.detail}".removesuffix(": ")
                raise
