"""What an outcome means: for its step, and for what is proven of the exposed credential."""

from __future__ import annotations

from collections.abc import Iterator

from rotator.convergence import in_use
from rotator.effects import Outcome
from rotator.errors import RotatorError
from rotator.flow.outcome import after_asking_consumers, after_knock_exposed, after_knock_replacement, after_statement
from rotator.flow.overlap import after_watch
from rotator.flow.playbook_words import Expect, Subject, Verb
from rotator.flow.proof import Evidence, Proof, knocked, mispaired, revived, seen, shut, stated, unheard
from rotator.flow.run import Step, StepState, Work
from rotator.flow.step import Move
from rotator.ports.provider import Answer, State

NO_VIEW = "no_view"
"""The reason of a Rejected where an issuer shows nobody how a credential stands."""


def proof_at(work: Work, target: str) -> Proof:
    """Return what is proven at one door so far."""
    return work.proofs.get(target) or Proof(target)


def is_unpaired(work: Work, step: Step, outcome: Outcome) -> bool:
    """Tell whether the door refused material that it never took: then only the issuer can say if the id is shut."""
    verdict = outcome.verdict
    if verdict is None or step.subject is not Subject.EXPOSED or step.expect is not Expect.REJECTED:
        return False
    return verdict.answer is Answer.REJECTED and not proof_at(work, step.target).shuts(verdict)


def proven(work: Work, step: Step, outcome: Outcome, settle_s: float, now: float) -> Iterator[Proof]:
    """Yield the proofs that an outcome changes."""
    proof = proof_at(work, step.target)
    if step.verb is Verb.PRESERVE and outcome.status is not None:
        for target in [step.target] if step.target in work.proofs else list(work.proofs):
            yield seen(proof_at(work, target), outcome.status.state, now)
    elif step.verb is Verb.RESUME or (step.verb is Verb.INSTALL and step.subject is Subject.EXPOSED):
        yield revived(proof)
    elif outcome.verdict is not None and step.subject is Subject.EXPOSED:
        proof = knocked(proof, outcome.verdict, settle_s, now)
        if step.expect is None and outcome.verdict.answer is Answer.REJECTED and _lived(work, step):
            proof = mispaired(proof, outcome.verdict)
        if outcome.status is not None:
            proof = shut(proof, outcome.status.state, settle_s, now)
        yield proof
    elif outcome.verdict is None and outcome.status is not None:
        yield stated(proof, outcome.status.state, settle_s, now)


def proven_without(work: Work, step: Step) -> Iterator[Proof]:
    """Yield the proofs that change since the answer to a step never came, or died with the worker that heard it."""
    if step.verb is Verb.VERIFY and step.subject is Subject.EXPOSED and step.target in work.proofs:
        yield unheard(work.proofs[step.target])


def move_after(work: Work, step: Step, outcome: Outcome, settle_s: float, now: float) -> Move:
    """Return what becomes of the step; `work` holds the proofs that the outcome changed."""
    if step.verb is Verb.PRESERVE:
        return Move(StepState.DONE, facts=outcome.facts)
    if step.verb is Verb.WATCH:
        return after_watch(step, outcome.facts, now, converged=_have_converged(work))
    if outcome.verdict is not None and step.subject is Subject.EXPOSED:
        return after_knock_exposed(step, outcome.verdict, proof_at(work, step.target), settle_s, now)
    if outcome.verdict is not None:
        return after_knock_replacement(step, outcome.verdict, now)
    if outcome.status is not None:
        return after_statement(step, proof_at(work, step.target), outcome.status.state, settle_s, now)
    if outcome.using is not None:
        held = in_use(work)
        return after_asking_consumers(step, outcome.using, None if held is None else held.id, now)
    return Move(StepState.DONE, facts=outcome.facts)


def stays_proven(work: Work, step: Step, error: RotatorError) -> Move | None:
    """Return how a step ends that can no longer be looked at, since what it asks for was proven before; else None.

    Its secret is destroyed by then, so nobody knocks again; and its issuer shows nobody how one stands.
    """
    if error.reason != NO_VIEW or step.subject is not Subject.EXPOSED or step.expect is not Expect.REJECTED:
        return None
    if work.sealed is not None or proof_at(work, step.target).evidence is not Evidence.PROVEN:
        return None
    return Move(StepState.DONE, reason=f"not looked at again ({error}): its death was proven, and its secret destroyed")


def _lived(work: Work, step: Step) -> bool:
    """Tell whether the issuer itself is knocked at, and called the exposed credential active before any effect."""
    said = work.preserved().get("issuer_says")
    return not step.target and said == State.ACTIVE.value and work.run.contained_at is None


def _have_converged(work: Work) -> bool:
    """Tell whether every consumer said that it holds the new credential."""
    asked = (each for each in work.steps if each.verb is Verb.VERIFY and each.subject is Subject.CONSUMERS)
    return any(each.state is StepState.DONE and each.facts.get("converged") is True for each in asked)
