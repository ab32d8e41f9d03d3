"""What keeps a step waiting before it may start: time, a gate, a person, a thief who may read, another run, a pause."""

from __future__ import annotations

from rotator.claims import ELSEWHERE, GATE, LEAK_SAFE, ONE_MINT, PAUSED, Ledger, Other
from rotator.flow.giving_back import held_by_consumers, takes_away
from rotator.flow.playbook_words import GATES, Verb
from rotator.flow.reversibility import destroys
from rotator.flow.run import ASKED, ORDERED_AT, Run, Step, StepState, Work
from rotator.flow.standing import lets_in, resumes
from rotator.flow.step import Move, hold_before, spread_before
from rotator.world import World

DELIVERS = frozenset({Verb.ISSUE, Verb.GENERATE, Verb.PROMOTE})
"""What brings a new secret to where somebody may read it."""
ONE_AT_A_TIME = frozenset({Verb.ISSUE, Verb.COMPARE})
"""What only one run of an owner does at a time: a comparison would take another's fresh mint for a stranger."""
MAKE_ROOM = "make_room"
"""The step that destroys what is dead where a quota is full: so does it, or another run would take that room."""


def wait_before(ledger: Ledger, world: World, work: Work, step: Step, now: float) -> Move | None:
    """Return why the step may not start now, or None. The owner's reservation is taken for what needs it."""
    if (held := hold_before(step, now)) is not None:
        return held
    if (gate := _shut(ledger, work.run, step)) is not None:
        return Move(StepState.HELD, reason=GATE + gate)
    if step.by_hand is not None and step.said_done is None:
        return Move(StepState.HELD, reason=ASKED + step.by_hand)
    if (held := held_by_consumers(work.run, step, work.steps)) is not None:
        return held
    spreading = spread_before(step, work.steps, world.provider(work.run.ref).propagation_s, now)
    if spreading is not None:
        return spreading
    if lets_in(step) and (vendor := ledger.paused_vendor(work.run)) is not None:
        return Move(StepState.HELD, reason=PAUSED + vendor)
    if step.verb in DELIVERS and ledger.has_open_readers(work.run):
        return Move(StepState.HELD, reason=LEAK_SAFE)
    if resumes(step) and (others := ledger.answered_elsewhere(work.run, _ordered_at(step))):
        # Who ordered it did not know of that; and it would come alive in a run that goes on calling it dead.
        return Move(StepState.HELD, reason=f"{ELSEWHERE}{', '.join(others)} stopped it again, or is about to")
    if step.verb in ONE_AT_A_TIME or step.name == MAKE_ROOM:
        return _behind(ledger.take_mint(work), now)
    return None


def _shut(ledger: Ledger, run: Run, step: Step) -> str | None:
    """Return the gate at which a step waits, None where none is shut."""
    if step.hold_until in GATES and ledger.is_shut(run.incident, step.hold_until):
        return step.hold_until
    if destroys(step.verb, step.subject):
        return ledger.kept_from_destroying(run)
    # It may have leaked too, and wait to be destroyed by another run: an undo is no way round what keeps that waiting.
    return ledger.kept_from_taking_back(run) if takes_away(step) else None


def _behind(other: Other | None, now: float) -> Move | None:
    """Wait for another run's mint: a moment, or, where a person stopped that one, until it goes on."""
    if other is None:
        return None
    if other.stopped is None:
        return Move(StepState.PENDING, now + 1.0, f"{ONE_MINT}{other.run} is at work on its own")
    return Move(StepState.HELD, reason=f"{ONE_MINT}{other.run} has begun its own, and is stopped ({other.stopped})")


def _ordered_at(step: Step) -> float:
    """Return when a person last said that it is to be resumed."""
    told = step.facts.get(ORDERED_AT)
    return float(told) if isinstance(told, int | float) else float("inf")
