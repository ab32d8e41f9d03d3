"""Giving back: whether an undo may take the replacement away yet, and what consumers are left with.

An undo has the exposed credential open again, gives its value back, asks every consumer, and only then takes the
replacement away: never from a consumer that was not seen to hold something else. Whoever looks again after a crash
finds the same, since nothing but the run's steps decides.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from rotator.flow.playbook_words import MINTING, Subject, Verb
from rotator.flow.run import UNDOES, Run, Step, StepState
from rotator.flow.step import SILENT, STOPS, Move, ask_about, surplus_accepted

GIVEN_BACK = "consumers were given back"
"""How it begins when consumers hold a credential that is refused, as far as the run alone knows."""


def held_by_consumers(run: Run, step: Step, steps: Sequence[Step]) -> Move | None:
    """Return why a step of an undo may not take the replacement away yet, or None. A retry is a person's word."""
    made = _made(steps)
    if not takes_away(step) or made is None or made in surplus_accepted(step):
        return None
    why = _may_hold(run, made, steps)
    return None if why is None else ask_about(step, [made], f"consumers may still hold {made}: {why}")


def takes_away(step: Step) -> bool:
    """Tell whether a step of an undo takes the replacement away."""
    return UNDOES in step.facts and step.subject is Subject.REPLACEMENT and step.verb in STOPS


def untold(steps: Sequence[Step]) -> bool:
    """Tell whether a value was given back to consumers, and they were not seen to hold it since."""
    back = _last(steps, Verb.DEMOTE, Subject.REPLACEMENT)
    if back is None:
        return False
    asked = _last(steps, Verb.VERIFY, Subject.CONSUMERS, after=back)
    return asked is None or asked.facts.get("converged") is not True


def left_with(run: Run, steps: Sequence[Step], stopped_by: str = "") -> list[str]:
    """Return, in words, which consumers an undo has left, or may have left, with a credential that is refused.

    `stopped_by` is another run that has stopped the exposed one; "" where none has.
    """
    found = []
    made = _made(steps)
    taken = any(takes_away(step) and step.state is StepState.DONE for step in steps)
    why = _may_hold(run, made, steps) if made is not None and taken else None
    if why is not None:
        found.append(f"consumers may still hold {made}, which was taken away: {why}")
    back = _last(steps, Verb.DEMOTE, Subject.REPLACEMENT)
    given = back.facts.get("given_back") if back is not None else None
    if back is not None and given in {None, run.ref.id} and (stopped_by or is_stopped(run, steps)):
        what = f"{given}, which is refused" if given else f"what has no name here, and {run.ref.id} is refused"
        by = f" (in {stopped_by})" if stopped_by and not is_stopped(run, steps) else ""
        found.append(f"{GIVEN_BACK} {what}: give them another, or undo the step that stopped it{by}")
    return found


def is_stopped(run: Run, steps: Sequence[Step]) -> bool:
    """Tell whether the exposed credential is refused, or something stopped it that was not seen to be taken back."""
    back = {step.facts.get(UNDOES) for step in steps if step.state is StepState.DONE}
    return run.contained_at is not None or any(
        step.subject is Subject.EXPOSED and step.verb in STOPS and step.state is StepState.DONE and step.id not in back
        for step in steps
    )


def _made(steps: Iterable[Step]) -> str | None:
    """Return the replacement that was made, whatever became of it."""
    found = (step.facts.get("replacement") for step in steps if step.verb in MINTING and step.state is StepState.DONE)
    return next((str(each) for each in found if each is not None), None)


def _may_hold(run: Run, made: str, steps: Sequence[Step]) -> str | None:
    """Return why consumers may hold the replacement: who does not say otherwise, or that nobody asked them since."""
    offered = any(
        step.attempts and UNDOES not in step.facts and (step.verb is Verb.PROMOTE or step.subject is Subject.CONSUMERS)
        for step in steps
    )
    if not run.consumers or not offered:
        return None
    back = _last(steps, Verb.DEMOTE, Subject.REPLACEMENT)
    asked = _last(steps, Verb.VERIFY, Subject.CONSUMERS, after=back)
    using = asked.facts.get("using") if asked is not None else None
    if not isinstance(using, Mapping):
        return "they were not asked since"
    told = (
        f"{name} {SILENT if held == SILENT else 'holds it'}" for name, held in using.items() if held in {made, SILENT}
    )
    return ", ".join(told) or None


def _last(steps: Iterable[Step], verb: Verb, subject: Subject, after: Step | None = None) -> Step | None:
    """Return the last such step that was done, if it comes after the other."""
    done = [
        step
        for step in steps
        if (step.verb, step.subject, step.state) == (verb, subject, StepState.DONE)
        and (after is None or step.position > after.position)
    ]
    return max(done, key=lambda step: step.position, default=None)
