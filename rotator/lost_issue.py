"""Settle a mint whose answer nobody has: find out whether it was made, whether it is ours, and where its secret is.

The issuer's siblings are compared with those noted before the intent. What is staged and lives is ours and whole (what
could not be staged everywhere was revoked again, perhaps just before its worker was lost). What carries our marker, or
alone appeared in our window and was never used, is ours without its secret: nobody can ever use it, so it is revoked
and another is issued. Anything else may be the attacker's and is left to a person.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from rotator.effects import World, find_staged, stage
from rotator.flow.run import Step, StepState, Work
from rotator.flow.step import Move
from rotator.ports import CALL_DEADLINE_S, Issuing, State

CLOCK_SKEW_S = 60.0
"""How far the issuer's clock may be off."""


def look_for_issued(world: World, work: Work, step: Step, now: float) -> Move:
    """Look, and say what becomes of the step. Raises the three errors when the look itself fails."""
    run, provider = work.run, world.provider(work.run.ref)
    before = step.facts.get("siblings_before")
    if not isinstance(before, Sequence):
        return Move(StepState.PENDING, due_at=now, reason="looked: nothing was asked for yet")
    kept = find_staged(world, provider, run, step)
    if kept is not None and provider.inspect(kept.ref).state is State.ACTIVE:
        return Move(StepState.DONE, reason="found staged", facts=stage(world, provider, run, step, kept).facts)
    ours = provider.marked(run.ref, step.id) if isinstance(provider, Issuing) else None
    new = [ours] if ours else sorted(each for each in provider.siblings(run.ref) if each.id not in before)
    if not new:
        return _nothing_issued(step, provider.settle_s, now)
    if ours is None and (len(new) > 1 or not _could_be_ours(provider.inspect(new[0]).facts, step)):
        names = ", ".join(each.id for each in new)
        return Move(StepState.HELD, reason=f"possible_persistence: {names} appeared and is not known to be ours")
    provider.revoke(new[0])
    return Move(StepState.PENDING, due_at=now, reason=f"looked: {new[0].id} lost its secret, revoked")


def _nothing_issued(step: Step, settle_s: float, now: float) -> Move:
    """Issue again, but only once a lost call can no longer land and the issuer must list what it has made."""
    sure_at = (step.intended_at or now) + CALL_DEADLINE_S + settle_s
    if now >= sure_at:
        return Move(StepState.PENDING, due_at=now, reason="looked: nothing was issued")
    return Move(StepState.UNCERTAIN, due_at=sure_at, reason="looked: nothing listed yet")


def _could_be_ours(facts: Mapping[str, str], step: Step) -> bool:
    """Tell whether a sibling without a marker is the one whose answer was lost: unused, and made in our window.

    Providers report `created_at` (ISO 8601, UTC) and `last_used_at` ("never" until it was used). Where no creation
    time is told, it cannot be ours.
    """
    if facts.get("last_used_at", "never") != "never" or step.intended_at is None or "created_at" not in facts:
        return False
    created = datetime.fromisoformat(facts["created_at"]).timestamp()
    return step.intended_at - CLOCK_SKEW_S <= created <= step.intended_at + CALL_DEADLINE_S + CLOCK_SKEW_S
