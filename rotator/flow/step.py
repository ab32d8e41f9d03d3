"""Steps: how one moves from state to state.

PENDING → RUNNING | HELD | SKIPPED | UNCERTAIN (an attempt was never cleared up)
HELD → PENDING | SKIPPED      FAILED → PENDING | SKIPPED (a person)
RUNNING → DONE | FAILED | UNCERTAIN | HELD | PENDING (with a due time)
UNCERTAIN → PENDING (after looking) | DONE | HELD | FAILED | UNCERTAIN (the look failed)
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from rotator.flow.playbook_words import Expect, Subject, Verb
from rotator.flow.run import SCHEDULED, Step, StepState
from rotator.ports.connection import CALL_DEADLINE_S

LEASE_S = 60.0
"""A claim whose heartbeat stood still for so long is given up. It outlives the longest call by a margin."""

SEND_MARGIN_S = LEASE_S - CALL_DEADLINE_S - 5.0
"""A worker sends nothing later than this after its last commit."""

MOVES: Mapping[StepState, frozenset[StepState]] = {
    StepState.PENDING: frozenset({StepState.RUNNING, StepState.HELD, StepState.SKIPPED, StepState.UNCERTAIN}),
    StepState.RUNNING: frozenset(
        {StepState.DONE, StepState.FAILED, StepState.UNCERTAIN, StepState.HELD, StepState.PENDING}
    ),
    StepState.HELD: frozenset({StepState.PENDING, StepState.SKIPPED}),
    StepState.FAILED: frozenset({StepState.PENDING, StepState.SKIPPED}),
    StepState.UNCERTAIN: frozenset(
        {StepState.PENDING, StepState.DONE, StepState.HELD, StepState.FAILED, StepState.UNCERTAIN}
    ),
    StepState.DONE: frozenset(),
    StepState.SKIPPED: frozenset(),
}

STOPS = frozenset({Verb.SUSPEND, Verb.UNINSTALL, Verb.REVOKE})

REPEATABLE = frozenset(Verb) - {Verb.ISSUE}
"""Verbs that may simply be done again when nobody knows whether they were."""

RELEASED = "released"
"""The fact of a step whose wait a person ended."""

WAITS_SINCE = "waits_since"
"""The fact of a step whose scheduled wait has begun: when, in epoch seconds."""

LOST_AT = "lost_at"
"""The fact of a step whose worker was lost: when that was found, in epoch seconds."""

LANDS_S = LEASE_S + CALL_DEADLINE_S
"""When that is so long ago, whatever the lost worker sent has landed, or never will."""

SILENT = "does not say"
"""What is noted of a consumer that does not say which credential it holds."""

SURPLUS = "surplus"
"""The fact of a step that asked a person about things that are not known to be ours: which."""

ASKED_ABOUT = "asked_about"
"""The fact of a step that asks a person: about what, this time."""

PERSISTENCE = "possible_persistence: "
"""How the reason of a step begins that asks whose a new credential is."""

DISCARDED = "discarded"
"""The fact of a step that minted in vain: which credentials it gave up. Written before they are revoked."""

UNRESOLVED = "unresolved"
"""The fact of an `issue` of which nobody could find out whether it was done: to try again begins with looking."""

RESTORED_FROM = "restored_from"
"""The fact of an `issue` in a ledger that was restored: when its backup was made, in epoch seconds."""

UNSEEN_ATTEMPTS = "unseen_attempts"
"""The fact beside it: how many attempts no ledger may count; their names are looked for, and not used again."""

WORKER_LOST = "its worker was lost"
"""Why a step that was found RUNNING is uncertain."""

UNKNOWN = "nobody could find out whether it was done"
"""How the reason of a held step begins whose outcome nobody knows."""


@dataclass(frozen=True, slots=True)
class Move:
    """What becomes of a step: its next state, when it is due again (None: not by itself), and why."""

    state: StepState
    due_at: float | None = None
    reason: str | None = None
    facts: Mapping[str, object] = field(default_factory=dict)


def apply(step: Step, move: Move, now: float) -> Step:
    """Return the step after the move. Raises ValueError for a move that the state machine does not have."""
    if move.state not in MOVES[step.state]:
        raise ValueError(f"a {step.state} step cannot become {move.state}")
    changed = replace(step, state=move.state, reason=move.reason, facts={**step.facts, **move.facts})
    if move.state is StepState.RUNNING:
        return replace(
            changed, attempts=step.attempts + 1, intended_at=now, started_at=step.started_at or now, settled_at=None
        )
    if move.state is StepState.PENDING and step.state in {StepState.FAILED, StepState.HELD}:
        return replace(changed, started_at=None)  # a person, or a finished hold, gives it new patience
    if move.state is StepState.UNCERTAIN and step.state is StepState.PENDING:
        return replace(changed, started_at=step.started_at or now)  # from when on it is looked for
    if move.reason == WORKER_LOST:
        # Nobody tried meanwhile; and what the lost one has sent may still land.
        return replace(changed, started_at=now, facts={**changed.facts, LOST_AT: now})
    if move.state is StepState.HELD:
        if move.reason != SCHEDULED:
            return replace(changed, held_at=now)
        # It keeps its beginning whoever looks at it in between, and is over once: no later hold makes it wait again.
        since = _waits_since(step) or now
        return replace(changed, held_at=since, facts={**changed.facts, WAITS_SINCE: since})
    if move.state in {StepState.DONE, StepState.FAILED, StepState.SKIPPED}:
        return replace(changed, settled_at=now)
    return changed


def hold_before(step: Step, now: float) -> Move | None:
    """Return the hold that a step starts with, or None when it may go on: its time is over, or a person released it."""
    if step.hold_for_s is None or RELEASED in step.facts:
        return None
    until = (_waits_since(step) or now) + step.hold_for_s
    return Move(StepState.HELD, due_at=until, reason=SCHEDULED) if now < until else None


def _waits_since(step: Step) -> float | None:
    """Return when its scheduled wait began, None before that; before there was the fact, its last hold said so."""
    told = step.facts.get(WAITS_SINCE, step.held_at)
    return float(told) if isinstance(told, int | float) else None


def spread_before(step: Step, sisters: Sequence[Step], propagation_s: float, now: float) -> Move | None:
    """Return the wait before the first knock after a stop or a resume, which takes so long to be felt, or None."""
    if step.expect is None or step.subject is not Subject.EXPOSED or step.attempts:
        return None
    changes = {Verb.RESUME} if step.expect is Expect.ACCEPTED else STOPS
    changed = [
        each.settled_at
        for each in sisters
        if each.verb in changes and each.subject is Subject.EXPOSED and each.target in {"", step.target}
        if each.settled_at is not None
    ]
    felt_at = max(changed, default=0.0) + propagation_s
    return Move(StepState.PENDING, due_at=felt_at, reason="spreading") if now < felt_at else None


def attempts_named(step: Step) -> int:
    """Return the number of the last attempt that may have left something behind under its name."""
    unseen = step.facts.get(UNSEEN_ATTEMPTS)
    return step.attempts + (unseen if isinstance(unseen, int) else 0)


def is_unknown(step: Step) -> bool:
    """Tell whether it is held because nobody could find out whether it was done."""
    return step.state is StepState.HELD and (step.reason or "").startswith(UNKNOWN)


def possible_persistence(step: Step, names: Sequence[str]) -> Move:
    """Ask a person about credentials that appeared and may be the attacker's; to try again is to accept them."""
    return ask_about(step, names, f"{PERSISTENCE}{', '.join(names)} appeared and is not known to be ours")


def ask_about(step: Step, names: Sequence[str], reason: str) -> Move:
    """Ask a person about what is named; to try again is to accept it."""
    facts = {SURPLUS: sorted({*surplus_accepted(step), *names}), ASKED_ABOUT: sorted(names)}
    return Move(StepState.HELD, reason=reason, facts=facts)


def answered_by(step: Step, noted: Collection[str]) -> Move | None:
    """Return the move of a step that asks whose some credentials are, where all of them are noted as ours since.

    It looks at them again, and accepts none of them.
    """
    names = step.facts.get(ASKED_ABOUT)
    if step.state is not StepState.HELD or not (step.reason or "").startswith(PERSISTENCE):
        return None
    if not isinstance(names, Sequence) or not set(names) <= set(noted):
        return None
    why = f"{', '.join(map(str, names))} was minted under a lost claim"
    return Move(StepState.PENDING, reason=why, facts={SURPLUS: sorted(surplus_accepted(step) - set(names))})


def discarded(step: Step) -> frozenset[str]:
    """Return what the step minted in vain and gave up: no worker may take it for the replacement any more."""
    names = step.facts.get(DISCARDED)
    return frozenset(map(str, names)) if isinstance(names, Sequence) else frozenset()


def surplus_accepted(step: Step) -> frozenset[str]:
    """Return what a person was asked about before, and has answered by letting the step go on."""
    names = step.facts.get(SURPLUS)
    return frozenset(map(str, names)) if isinstance(names, Sequence) else frozenset()
