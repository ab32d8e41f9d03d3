"""Settle a mint whose answer nobody has: find out whether it was made, whether it is ours, and where its secret is.

The issuer's siblings are compared with those noted before the first intent, and with what the ledger knows by now.
What is staged and lives is ours and whole (what could not be staged everywhere was revoked again, perhaps just before
its worker was lost). What carries one of our markers, or alone appeared in our window and was never used, is ours
without its secret: nobody can ever use it, so it is revoked and another is issued. Anything else may be the attacker's
and is left to a person.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from rotator.claims import Ours
from rotator.credential import CredentialRef
from rotator.delivery import attempt_tokens, find_staged, stage
from rotator.flow.run import Step, StepState, Work
from rotator.flow.step import RESTORED_FROM, UNRESOLVED, Move, discarded, possible_persistence, surplus_accepted
from rotator.ports.abilities import Issuing
from rotator.ports.connection import CALL_DEADLINE_S
from rotator.ports.provider import Provider, State
from rotator.world import World

CLOCK_SKEW_S = 60.0
"""How far the issuer's clock may be off."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What becomes of a step after looking, once what is ours and left over has been discarded.

    `settles` are the mints of lost claims of which nothing is left then.
    """

    move: Move
    left_over: tuple[CredentialRef, ...] = ()
    settles: tuple[str, ...] = ()


def look_for_issued(  # noqa: PLR0917 - what is looked at, and by whom
    world: World, work: Work, step: Step, ours: Ours, now: float, pulse: Callable[[], None]
) -> Finding:
    """Look, and say what becomes of the step. Raises the three errors when the look itself fails.

    `pulse` is called between two places.
    """
    run, provider = work.run, world.provider(work.run.ref)
    before = step.facts.get("siblings_before")
    if not isinstance(before, Sequence):
        return Finding(Move(StepState.PENDING, due_at=now, reason="looked: nothing was asked for yet"))
    for kept in find_staged(world, provider, run, step, pulse):
        if kept.ref.id not in discarded(step) and provider.inspect(kept.ref).state is State.ACTIVE:
            facts = stage(world, provider, run, step, kept, pulse)
            return Finding(Move(StepState.DONE, reason="found staged", facts=facts))
    known = {*before, *ours.known, *surplus_accepted(step)}
    new = sorted(each for each in provider.siblings(run.ref) if each.id not in known)
    certain = {each.id for each in marked_by(provider, run.ref, step)} | ours.late | discarded(step)
    mine = [each for each in new if each.id in certain]
    if not mine and len(new) == 1 and _could_be_ours(provider.inspect(new[0]).facts, step):
        mine = new
    if not new:
        return Finding(_nothing_issued(step, provider.settle_s, now))
    if strange := [each.id for each in new if each not in mine]:
        return Finding(possible_persistence(step, strange), tuple(mine))
    names = ", ".join(each.id for each in mine)
    reason = f"looked: {names} lost its secret, revoked"
    return Finding(Move(StepState.PENDING, due_at=now, reason=reason, facts={UNRESOLVED: False}), tuple(mine))


def older_than(provider: Provider, ref: CredentialRef, moment: float) -> list[str]:
    """Return the siblings that the issuer says were there before that moment, in epoch seconds.

    The one way to tell, for a ledger that was restored, who was there before a mint that it may have forgotten.
    """
    return sorted(
        each.id
        for each in provider.siblings(ref)
        if (made_at := _created_at(provider.inspect(each).facts)) is not None and made_at < moment - CLOCK_SKEW_S
    )


def marked_by(provider: Provider, ref: CredentialRef, step: Step) -> list[CredentialRef]:
    """Return what carries the marker of any attempt of the step; nothing where the issuer allows no marker."""
    if not isinstance(provider, Issuing):
        return []
    found = (provider.marked(ref, token) for token in attempt_tokens(step))
    return [each for each in found if each is not None]


def _nothing_issued(step: Step, settle_s: float, now: float) -> Move:
    """Issue again, but only once a lost call can no longer land and the issuer must list what it has made."""
    sure_at = (_sent_until(step) or now) + CALL_DEADLINE_S + settle_s
    if now >= sure_at:
        return Move(StepState.PENDING, due_at=now, reason="looked: nothing was issued", facts={UNRESOLVED: False})
    return Move(StepState.UNCERTAIN, due_at=sure_at, reason="looked: nothing listed yet")


def _sent_until(step: Step) -> float | None:
    """Return when the last call of it can have been sent; of those that a restored ledger forgot: before it looked."""
    looked_from = step.started_at if RESTORED_FROM in step.facts else None
    return max((each for each in (step.intended_at, looked_from) if each is not None), default=None)


def _could_be_ours(facts: Mapping[str, str], step: Step) -> bool:
    """Tell whether a sibling without a marker is the one whose answer was lost: unused, and made in our window."""
    if step.intended_at is None:
        return False
    return made_between(facts, step.intended_at, step.intended_at + CALL_DEADLINE_S)


def made_between(facts: Mapping[str, str], since: float, until: float) -> bool:
    """Tell whether its issuer says that it was made between those moments, in epoch seconds, and was never used.

    Providers report `created_at` (ISO 8601, UTC) and `last_used_at` ("never" until it was used). Where no creation
    time is told, it cannot be ours.
    """
    made_at = _created_at(facts)
    if facts.get("last_used_at", "never") != "never" or made_at is None:
        return False
    return since - CLOCK_SKEW_S <= made_at <= until + CLOCK_SKEW_S


def _created_at(facts: Mapping[str, str]) -> float | None:
    return datetime.fromisoformat(facts["created_at"]).timestamp() if "created_at" in facts else None
