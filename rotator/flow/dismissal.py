"""Dismissals: what a person says is no leak of ours to answer, with a reason. It stays in the report, and can be wrong.

What is half replaced is not dismissed: nobody would know which secret its consumers hold.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rotator.errors import BadInput
from rotator.flow.exposure import Disposition
from rotator.flow.playbook_words import BRINGING, REPLACING, Strategy, Subject, meant
from rotator.flow.proof import Evidence
from rotator.flow.run import AT_ONCE, THROUGH, UNDOES, BranchState, Run, Step, StepState, taken_back
from rotator.ports.provider import State

DISMISSED = "dismissed as "
"""How the reason of a branch begins that nobody goes on with, since its credential was dismissed."""
ISSUER_DECIDES = frozenset({Disposition.ALREADY_DEAD, Disposition.NOT_OURS})
"""What is believed only when the issuer says so: who errs would leave a thief's key alive, and call it no reader."""
CANARY_FOR_GOOD = "for good, in every incident: `canary = true` in its entry of the inventory"
"""How a canary is one in the next incident too, where nobody dismissed it yet."""
_REPLACES = BRINGING


def disposition(text: str) -> Disposition:
    """Read --as. Raises BadInput for what is none."""
    known = [each.value for each in Disposition if each is not Disposition.OPEN]
    if text not in known:
        raise BadInput(f"`{text}` is nothing that it can be dismissed as", "--as", meant(text, known))
    return Disposition(text)


def refuse_alive(as_: Disposition, issuer: str, state: State, name: str) -> None:
    """Raise BadInput where the issuer knows the credential: so it is ours, and may live."""
    if as_ not in ISSUER_DECIDES or state is State.ABSENT:
        return
    if as_ is Disposition.NOT_OURS:
        raise BadInput(f"{issuer} knows it ({state}): it is ours", name, "let its run go on, or dismiss it as another")
    again = "can be made to work again" if state is State.SUSPENDED else "may be used"
    raise BadInput(f"{issuer} says that it is {state}: it {again}", name, "let its run go on: that proves it dead")


def refuse_at_work(run: Run, steps: Sequence[Step], others: Iterable[Run]) -> None:
    """Raise BadInput where its run cannot be left as it is now. `others` are the open runs of its owner beside it."""
    if run.evidence is not Evidence.NONE:
        raise BadInput(f"its run has it {run.evidence} dead: nothing is left to dismiss", run.id, "see the report")
    gone = taken_back(steps)
    half = next((each for each in steps if _is_half(each) and each.id not in gone), None)
    if half is not None:
        mend = f"let it finish, or take it back first: rotator run undo {run.id} {half.name} --reason …"
        raise BadInput(f"its replacement is half made: {half.name} is {half.state}", run.id, mend)
    back = next((each for each in steps if UNDOES in each.facts and each.state not in THROUGH), None)
    if back is not None:
        raise BadInput(f"an undo is not finished: {back.name} is {back.state}", run.id, "let it finish first")
    leans = next((each.id for each in others if each.strategy is Strategy.REVOKE_ONLY), None)
    if leans is not None and run.strategy in REPLACING:
        mend = f"dismiss {leans} first, or declare anew with --exclude id:{run.ref.id}"
        raise BadInput(f"what replaces it also replaces that of {leans}, of the same owner", run.id, mend)


def _is_half(step: Step) -> bool:
    """Tell whether a replacement was made by it, or may have been."""
    tried = step.attempts > 0 or step.state in {StepState.DONE, StepState.RUNNING, StepState.UNCERTAIN}
    return step.subject is Subject.REPLACEMENT and step.verb in _REPLACES and tried and step.state != StepState.SKIPPED


def as_it_was(steps: Iterable[Step]) -> tuple[BranchState, float | None, str | None]:
    """Return how a branch rests, until when and why, that goes on with these steps: where it stood."""
    ahead = next((each for each in sorted(steps, key=lambda each: each.position) if each.state not in THROUGH), None)
    if ahead is None:
        return BranchState.DONE, None, None
    if ahead.state is StepState.FAILED:
        return BranchState.FAILED, None, ahead.reason
    if ahead.waits_for_person:
        return BranchState.HELD, None, ahead.reason
    return BranchState.OPEN, AT_ONCE, None
