"""Where an exposed credential stands, and what is not finished: what a report says of a run."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from rotator.flow.apart import at_hand
from rotator.flow.giving_back import left_with
from rotator.flow.playbook_words import REPLACING, Expect, Subject, Verb
from rotator.flow.proof import Evidence, Proof
from rotator.flow.resurrection import came_back
from rotator.flow.run import LET_IN, THROUGH, UNDOES, WHY, Run, Step, StepState
from rotator.flow.step import STOPS
from rotator.flow.summary import needs_material


class CredentialState(StrEnum):
    """What the report says of an exposed credential. The states partition the credentials of an incident."""

    PROVEN_DEAD = "proven_dead"
    STATED_DEAD = "stated_dead"
    SETTLING = "settling"
    PENDING = "pending"
    HELD = "held"
    MANUAL = "manual"
    FAILED = "failed"
    DISMISSED = "dismissed"
    LET_IN_AGAIN = "let_in_again"


UNCOUNTED = frozenset({CredentialState.DISMISSED, CredentialState.LET_IN_AGAIN})
"""What no figure of a response counts: nobody answers it, or its vendor has it again by a restore."""


def state_of(run: Run, steps: Sequence[Step], proofs: Sequence[Proof]) -> CredentialState:
    """Return where the exposed credential stands; what became of its replacement is told apart."""
    steps = at_hand(steps)
    if run.dismissed is not None:
        return CredentialState.DISMISSED
    if run.evidence is Evidence.PROVEN:
        return CredentialState.PROVEN_DEAD
    if run.evidence is Evidence.STATED:
        return CredentialState.STATED_DEAD
    states = {step.state for step in steps}
    if StepState.FAILED in states:
        return CredentialState.FAILED
    if any(step.asks for step in steps):
        return CredentialState.MANUAL
    if run.let_in_at is not None and not any(step.waits_for_person for step in steps):
        return CredentialState.LET_IN_AGAIN
    if any(step.waits_for_person for step in steps) or (steps and states <= THROUGH) or proof_given_up(steps):
        # All steps through and still not dead: the strategy left it alive (cut_only), which a person must own.
        return CredentialState.HELD
    if proofs and all(proof.settling or proof.dead_at is not None for proof in proofs):
        return CredentialState.SETTLING
    return CredentialState.PENDING


def left_out(steps: Sequence[Step]) -> list[Step]:
    """Return the proofs of death that a person left out, of a run that was not taken back."""
    if any(UNDOES in step.facts for step in steps):
        return []
    return [step for step in steps if step.state is StepState.SKIPPED and _proves_death(step)]


def proof_given_up(steps: Sequence[Step]) -> bool:
    """Tell whether a person left out a proof of death, and no other knock comes before a scheduled wait is over."""
    return bool(left_out(steps)) and not needs_material(steps)


def _proves_death(step: Step) -> bool:
    return step.verb is Verb.VERIFY and step.subject is Subject.EXPOSED and step.expect is Expect.REJECTED


def still_open(
    run: Run, steps: Sequence[Step], late: Sequence[str] = (), settled: str = "", stopped_by: str = ""
) -> list[str]:
    """Return, in words, what is not finished; a destruction that is only scheduled is not open.

    `late` are the mints of lost workers that nothing has settled yet. `settled` says which other run saw the death
    that this one has not seen, `stopped_by` which other run has stopped it; "" where none did.
    """
    if run.dismissed is not None:
        return []
    steps = at_hand(steps)
    found = []
    for step in steps:
        where = f" on {step.target}" if step.target else ""
        if step.state is StepState.FAILED or step.waits_for_person:
            death = f"; {settled}" if settled and _proves_death(step) else ""
            found.append(f"{step.name}{where}: {step.state} ({step.reason}){death}")
    destroying = any(step.waits_for_time for step in steps)
    unfinished = [step for step in steps if step.state not in THROUGH | {StepState.FAILED, StepState.HELD}]
    if unfinished and not found and not destroying:
        why = f" ({unfinished[0].reason})" if unfinished[0].reason else ""
        found.append(f"{unfinished[0].name}: {unfinished[0].state}{why}")
    is_alive = run.evidence is Evidence.NONE and run.let_in_at is None
    if is_alive and (not found or proof_given_up(steps) or came_back(steps) is not None):
        found.append(
            settled or f"{_alive_again(steps)}the exposed credential is not proven dead{_without_proof(steps)}"
        )
    if run.evidence is not Evidence.NONE:
        found += sessions_left(steps)
    if run.strategy in REPLACING and run.replaced_at is None and not found:
        unused = f"; {run.replacement} was issued and nobody holds it" if run.replacement else ""
        found.append(f"it was not replaced, as {run.strategy} says{unused}")
    spare = run.replacement if run.replaced_at is None and all(step.state in THROUGH for step in steps) else None
    if spare is not None and not any(spare in each for each in found):
        found.append(f"its replacement {spare} was issued and nobody holds it: undo that step too, or use it")
    elif spare is None and run.replacement is not None and _kept_by_undo(steps):
        found.append(f"its replacement {run.replacement} lives; it can be revoked once the undo is through")
    found += left_with(run, steps, stopped_by)
    return found + [f"a mint of a lost worker ({each}) is not settled" for each in late]


def _kept_by_undo(steps: Sequence[Step]) -> bool:
    """Tell whether an undo that is not through leaves the replacement alive: nothing of it will take that away."""
    ahead = [step for step in steps if UNDOES in step.facts and step.state not in THROUGH]
    return bool(ahead) and not any(step.subject is Subject.REPLACEMENT and step.verb in STOPS for step in ahead)


def resumes(step: Step) -> bool:
    """Tell whether it gives the exposed credential its life back."""
    return step.verb is Verb.RESUME and step.subject is Subject.EXPOSED


def lets_in(step: Step) -> bool:
    """Tell whether it gives who holds the credential something to come in with: what is new, or what was stopped."""
    return step.is_new or resumes(step)


def resumed(steps: Sequence[Step]) -> Step | None:
    """Return the last step that resumed the exposed credential, tried or done: nobody knows when it works.

    None where that gave a vendor its grant back as it was let in again.
    """
    found = [step for step in steps if resumes(step) and step.state is not StepState.SKIPPED and step.attempts]
    return found[-1] if found and LET_IN not in found[-1].facts else None


def will_resume(steps: Sequence[Step]) -> Step | None:
    """Return the step that is to resume the exposed credential and was not tried yet, None where none is."""
    return next((step for step in steps if resumes(step) and step.state not in THROUGH and not step.attempts), None)


LANDS_AFTER = "what its lost worker sent may still land after it, and do again, unseen, what it takes back"
"""What a person accepts who does not wait for that."""


def may_land_after(step: Step) -> bool:
    """Tell whether an undo waits with it until what a lost worker sent can land no more."""
    return step.waits_for_time and UNDOES in step.facts


def _alive_again(steps: Sequence[Step]) -> str:
    if (back := resumed(steps)) is not None:
        return f"ALIVE AGAIN: it was resumed ({back.facts.get(WHY)}), and "
    if (again := came_back(steps)) is not None:
        return f"ALIVE AGAIN: {again.facts.get(WHY)}; it is being stopped again, and "
    ahead = will_resume(steps)
    return f"it will be resumed by {ahead.name} ({ahead.facts.get(WHY)}), and " if ahead is not None else ""


def _without_proof(steps: Sequence[Step]) -> str:
    """Say who left out the proof, and when the next knock comes by itself, if one does."""
    skipped = left_out(steps)
    if not skipped:
        return ""
    names = ", ".join(dict.fromkeys(step.name for step in skipped))
    waits = next((step for step in steps if step.waits_for_time), None)
    after = [step for step in steps if _proves_death(step) and step.state not in THROUGH]
    again = f"; it is tried again after {waits.name}" if waits and after else ""
    return f" ({names} was skipped, said by {skipped[-1].reason}){again}"


def sessions_left(steps: Sequence[Step]) -> list[str]:
    """Return, in words, where a person went on without the last cut: a death says nothing of sessions."""
    last: dict[str, Step] = {}
    for step in steps:
        if step.verb is Verb.END_SESSIONS and (step.state is StepState.DONE or step.state is StepState.SKIPPED):
            before = last.get(step.target)
            if before is None or before.position < step.position:
                last[step.target] = step
    return [
        f"{step.name}{f' on {step.target}' if step.target else ''}: skipped ({step.reason}); "
        "sessions that were opened with it may live on"
        for step in last.values()
        if step.state is StepState.SKIPPED
    ]
