"""Steps: how one moves from state to state. Every decision about a step that needs no effect is here.

PENDING → RUNNING | HELD | SKIPPED | UNCERTAIN (an attempt was never cleared up)
HELD → PENDING | SKIPPED      FAILED → PENDING | SKIPPED (a person)
RUNNING → DONE | FAILED | UNCERTAIN | HELD | PENDING (with a due time)
UNCERTAIN → PENDING (after looking) | DONE | HELD | FAILED | UNCERTAIN (the look failed)
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from rotator.errors import BadInput, Rejected, RotatorError, Unavailable, Uncertain
from rotator.flow.playbook_words import Expect, Subject, Verb
from rotator.flow.proof import Evidence, Proof
from rotator.flow.run import SCHEDULED, Step, StepState
from rotator.ports import CALL_DEADLINE_S, Answer, Verdict

LEASE_S = 60.0
"""A claim whose heartbeat stood still for so long is given up. It outlives the longest call by a margin."""
SEND_MARGIN_S = LEASE_S - CALL_DEADLINE_S - 5.0
"""A worker sends nothing later than this after its last commit."""
PATIENCE_S = 900.0
"""How long a step without `retry_for` is repeated while the other side cannot be reached."""
ATTEMPTS = 4
"""How often something is tried at least before patience may end."""
OBSERVING_S = 10.0
"""How long the pairing knock is tried: the issuer may be there while its door is not, and containment must not wait."""
CONVERGENCE_S = 600.0
"""How long consumers may take before a person is asked."""

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

WORKER_LOST = "its worker was lost"
"""Why a step that was found RUNNING is uncertain."""

UNKNOWN = "nobody could find out whether it was done"
"""How the reason of a held step begins whose outcome nobody knows."""

MISMATCH = "mismatch: the id is refused now, but the secret in the report was never its secret; whose is it?"
"""Why a person is asked although nobody gets in any more."""
UNPAIRED = "unpaired: this secret was never accepted, so a refusal proves nothing"
UNKNOWN_HERE = "unknown_here: the issuer never knew this id; is it another account's?"
"""Why a person is asked when nothing that is seen can prove a death."""


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


def backoff(attempts: int, ceiling: float = 30.0) -> float:
    """Return the seconds to wait after that many attempts: doubling from half a second."""
    return float(min(ceiling, 0.5 * 2 ** min(max(attempts - 1, 0), 10)))


def after_error(step: Step, error: RotatorError, now: float) -> Move:
    """Decide after one of the three errors."""
    if _observes(step) and (isinstance(error, Rejected | BadInput) or _out_of_patience(step, _patience(step), now)):
        # What cannot be observed cannot be kept; that must not keep the credential alive.
        return Move(StepState.DONE, reason=f"not observed: {_say(error)}")
    if isinstance(error, Rejected | BadInput):
        return Move(StepState.FAILED, reason=_say(error))
    if isinstance(error, Uncertain):
        if _out_of_patience(step, _patience(step), now) and step.verb in REPEATABLE:
            return Move(StepState.HELD, reason=f"{UNKNOWN}: {_say(error)}")
        return Move(StepState.UNCERTAIN, due_at=now + backoff(step.attempts), reason=_say(error))
    if _out_of_patience(step, _patience(step), now):
        return Move(StepState.FAILED, reason=_say(error))
    asked = error.retry_after if isinstance(error, Unavailable) else None
    return Move(StepState.PENDING, due_at=now + max(asked or 0.0, backoff(step.attempts)), reason=_say(error))


def after_look(step: Step, found: Move, now: float) -> Move:
    """Decide after looking what had happened: what is always lost again is given up for all to see."""
    if found.state is StepState.PENDING and _out_of_patience(step, _patience(step), now):
        return Move(StepState.FAILED, reason=f"{found.reason}; given up: {step.reason}")
    return found


def after_look_error(step: Step, error: RotatorError, now: float) -> Move:
    """Decide when looking what had happened did not work either: still uncertain, never acted upon."""
    if _out_of_patience(step, PATIENCE_S, now):
        reason = f"{UNKNOWN}: {_say(error)}"
        return Move(StepState.HELD, reason=reason, facts={UNRESOLVED: True})
    looked_for_s = now - (step.started_at if step.started_at is not None else now)
    return Move(StepState.UNCERTAIN, due_at=now + min(10.0, max(0.5, looked_for_s / 4)), reason=_say(error))


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


def after_knock_exposed(step: Step, verdict: Verdict, proof: Proof, settle_s: float, now: float) -> Move:
    """Decide after a knock with the exposed credential; `proof` already holds this knock."""
    facts = {"answer": verdict.answer.value, "answer_reason": verdict.reason}
    if verdict.request_id:
        facts["request_id"] = verdict.request_id
    if step.expect is None:
        unanswered = verdict.answer is Answer.INCONCLUSIVE and not verdict.mismatch
        if unanswered and not _out_of_patience(step, OBSERVING_S, now):
            return Move(StepState.PENDING, now + backoff(step.attempts, 5.0), f"inconclusive: {verdict.reason}", facts)
        return Move(StepState.DONE, reason=verdict.reason, facts=facts)
    late = _out_of_patience(step, step.retry_for_s or 0.0, now)
    if step.expect is Expect.ACCEPTED:
        # It was resumed by an undo. That the material is another's is said of an id that lives.
        if verdict.answer is Answer.ACCEPTED or verdict.mismatch:
            return Move(StepState.DONE, reason=verdict.reason, facts=facts)
        return _not_open_again(step, f"{verdict.answer}: {verdict.reason}", facts, now)
    if verdict.answer is Answer.ACCEPTED:
        if late:
            return Move(StepState.FAILED, reason="still_accepted", facts=facts)
        return Move(StepState.PENDING, now + backoff(step.attempts, 5.0), "still_accepted", facts)
    if verdict.answer is Answer.INCONCLUSIVE:
        if late:
            return Move(StepState.FAILED, reason=f"inconclusive: {verdict.reason}", facts=facts)
        return Move(StepState.PENDING, now + backoff(step.attempts, 5.0), f"inconclusive: {verdict.reason}", facts)
    return _after_refusal(verdict, proof, settle_s, facts)


def _not_open_again(step: Step, answer: str, facts: Mapping[str, object], now: float) -> Move:
    """Give what was resumed time to open, then ask a person: consumers are not given back what is refused."""
    if not _out_of_patience(step, step.retry_for_s or 0.0, now):
        return Move(StepState.PENDING, now + backoff(step.attempts, 5.0), answer, facts)
    reason = f"it was resumed, and does not open yet ({answer}); nothing more is taken back meanwhile"
    return Move(StepState.HELD, reason=reason, facts=facts)


def _after_refusal(verdict: Verdict, proof: Proof, settle_s: float, facts: Mapping[str, object]) -> Move:
    """Decide what a refusal proves: death, the issuer's word, containment alone, nothing yet, or nothing at all."""
    if proof.evidence is Evidence.PROVEN:
        return Move(StepState.DONE, reason=verdict.reason, facts=facts)
    if proof.evidence is Evidence.STATED:
        return Move(StepState.DONE, None, f"{verdict.reason}; nobody saw its secret accepted before", facts)
    if proof.contained_at is not None:
        return Move(StepState.HELD, None, MISMATCH, facts)
    since = proof.refused_since if proof.refused_since is not None else proof.stated_since
    if since is None:
        return Move(StepState.HELD, None, UNPAIRED, facts)
    return Move(StepState.PENDING, since + settle_s, "settling", facts)


def after_statement(step: Step, proof: Proof, settle_s: float, now: float) -> Move:
    """Decide after the issuer's word, where there is no material to knock with."""
    facts = {"answer": "stated" if proof.evidence is not Evidence.NONE else "alive_or_unknown"}
    if step.expect is Expect.ACCEPTED:
        if proof.known_at is None or proof.settling:
            return _not_open_again(step, "not alive, says the issuer", facts, now)
        # Its word comes before its doors know of it: as of a death, it must hold for the settle time.
        felt_at = (step.started_at if step.started_at is not None else now) + settle_s
        if now < felt_at:
            return Move(StepState.PENDING, felt_at, "settling: alive, says the issuer", facts)
        return Move(StepState.DONE, reason="alive, says the issuer", facts=facts)
    if step.expect is not Expect.REJECTED or proof.evidence is not Evidence.NONE:
        return Move(StepState.DONE, reason="stated by the issuer", facts=facts)
    if proof.contained_at is not None:
        return Move(StepState.HELD, None, MISMATCH, facts)
    if proof.known_at is None:
        return Move(StepState.HELD, None, UNKNOWN_HERE, facts)
    if proof.stated_since is not None:
        return Move(StepState.PENDING, proof.stated_since + settle_s, "settling", facts)
    if _out_of_patience(step, step.retry_for_s or 0.0, now):
        return Move(StepState.FAILED, reason="still_active", facts=facts)
    return Move(StepState.PENDING, now + backoff(step.attempts, 5.0), "still_active", facts)


def after_knock_replacement(step: Step, verdict: Verdict, now: float) -> Move:
    """Decide after a knock with the new credential."""
    facts = {"answer": verdict.answer.value, "answer_reason": verdict.reason}
    wanted = Answer.REJECTED if step.expect is Expect.REJECTED else Answer.ACCEPTED
    if verdict.answer is wanted:
        return Move(StepState.DONE, reason=verdict.reason, facts=facts)
    if _out_of_patience(step, step.retry_for_s or 0.0, now):
        return Move(StepState.FAILED, reason=f"{verdict.answer}: {verdict.reason}", facts=facts)
    return Move(StepState.PENDING, now + backoff(step.attempts, 5.0), f"{verdict.answer}: {verdict.reason}", facts)


def after_asking_consumers(step: Step, using: Mapping[str, str | None], wanted: str | None, now: float) -> Move:
    """Decide after asking every consumer which credential it holds; None means that it does not say.

    `wanted` is None where what they should hold has no name, after an undo; then their answers are recorded.
    """
    facts: dict[str, object] = {"using": {name: held or SILENT for name, held in using.items()}}
    if wanted is None:
        reason = "asked; what they should hold again has no name that is known here"
        return Move(StepState.DONE, reason=reason, facts={**facts, "converged": False})
    behind = [name for name, held in using.items() if held is not None and held != wanted]
    if behind:
        reason = f"not yet converged: {', '.join(behind)}"
        if _out_of_patience(step, step.retry_for_s or CONVERGENCE_S, now):
            return Move(StepState.HELD, None, reason, facts)
        return Move(StepState.PENDING, now + backoff(step.attempts, 5.0), reason, facts)
    silent = [name for name, held in using.items() if held is None]
    reason = f"told, but they do not say what they hold: {', '.join(silent)}" if silent else "every consumer holds it"
    return Move(StepState.DONE, reason=reason, facts={**facts, "converged": not silent})


def _observes(step: Step) -> bool:
    return step.verb is Verb.PRESERVE or _is_pairing(step)


def _is_pairing(step: Step) -> bool:
    return step.verb is Verb.VERIFY and step.subject is Subject.EXPOSED and step.expect is None


def _patience(step: Step) -> float:
    return step.retry_for_s or (OBSERVING_S if _is_pairing(step) else PATIENCE_S)


def _out_of_patience(step: Step, patience_s: float, now: float) -> bool:
    """Tell whether it was tried for so long, and often enough: a stop, a budget or a breaker is no attempt."""
    if step.started_at is None or now - step.started_at < patience_s:
        return False
    return step.attempts >= ATTEMPTS or step.state is StepState.UNCERTAIN


def _say(error: RotatorError) -> str:
    if isinstance(error, BadInput):
        return f"{error.reason}: {error}"
    return f"{error.reason}: {error.detail}" if error.detail else error.reason
