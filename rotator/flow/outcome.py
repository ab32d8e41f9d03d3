"""What becomes of a step after what was heard: an error, a knock, the issuer's word, the consumers' answers."""

from __future__ import annotations

from collections.abc import Mapping

from rotator.errors import BadInput, Rejected, RotatorError, Unavailable, Uncertain
from rotator.flow.playbook_words import Expect, Subject, Verb
from rotator.flow.proof import Evidence, Proof
from rotator.flow.run import Step, StepState
from rotator.flow.step import REPEATABLE, SILENT, UNKNOWN, UNRESOLVED, Move
from rotator.ports.provider import Answer, State, Verdict

PATIENCE_S = 900.0
"""How long a step without `retry_for` is repeated while the other side cannot be reached."""

ATTEMPTS = 4
"""How often something is tried at least before patience may end."""

OBSERVING_S = 10.0
"""How long the pairing knock is tried: the issuer may be there while its door is not, and containment must not wait."""

CONVERGENCE_S = 600.0
"""How long consumers may take before a person is asked."""

MISMATCH = "mismatch: the id is refused now, but the secret in the report was never its secret; whose is it?"
"""Why a person is asked although nobody gets in any more."""

UNPAIRED = "unpaired: this secret was never accepted, so a refusal proves nothing"

UNKNOWN_HERE = "unknown_here: the issuer never knew this id; is it another account's?"
"""Why a person is asked when nothing that is seen can prove a death."""


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


_SAYS = {
    State.ACTIVE: "stated: the issuer says that it is active",
    State.SUSPENDED: "stated: the issuer says that it is suspended",
    State.ABSENT: "stated: the issuer says that no such one is there",
}
"""An issuer's word, said so that it is right of a secret and of a trust that has none."""


def after_statement(step: Step, proof: Proof, said: State, settle_s: float, now: float) -> Move:
    """Decide after the issuer's word, where there is no material to knock with; `proof` already holds it."""
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
        return Move(StepState.DONE, reason=_SAYS[said], facts=facts)
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
