"""What is tried again by itself: a step whose other side did not answer, and until when it is."""

from __future__ import annotations

from typing import Any

from rotator.claims import BUDGET, GATHERS, ONE_MINT, STOPPED
from rotator.flow.outcome import ATTEMPTS, CONVERGENCE_S, PATIENCE_S
from rotator.flow.playbook_words import Subject, Verb
from rotator.flow.run import Step, StepState
from rotator.ledger.moves_on import addressed, left_out
from rotator.ledger.records import RunRecord
from rotator.ledger.waits import AT_BRAKE, FOR_OUR_OWN
from rotator.report.clocks import moment

_NO_TRIAL = (BUDGET, GATHERS, ONE_MINT, STOPPED, FOR_OUR_OWN, "settling", "spreading", "wave ")
"""How reasons begin of what waits for its turn, or for a time that somebody else sets: nothing was tried in vain."""


def trying(record: RunRecord) -> list[dict[str, Any]]:
    """Return what is tried again by itself: the step, until when at least, and in words what comes then.

    Nothing of a run that is stopped is: that is for the caller to know.
    """
    return [
        {
            "step": step.name,
            "target": step.target or None,
            "until": moment(until),
            "told": ", ".join(filter(None, (_often(step), addressed(record.run, step)))),
            "then": f"rotator run skip {record.run.id} {step.name} --reason …",
            "means": left_out(step),
        }
        for step in record.steps
        if (until := _until(step, record.due_at.get(step.branch))) is not None
    ]


def _often(step: Step) -> str:
    """Say how often it is tried at least, whatever the time, as `flow/step.py` counts it; "" once it was."""
    if step.state is StepState.UNCERTAIN or step.attempts >= ATTEMPTS:
        return ""
    return f"and {ATTEMPTS} times at least ({step.attempts} so far)"


def _until(step: Step, due_at: float | None) -> float | None:
    """Return when its patience is over, as `flow/step.py` counts it, and it is due; None for what is not in vain.

    It is given up by a trial, and none comes before it is due: whoever is throttled may be told to wait for longer.
    """
    waits = step.state in {StepState.PENDING, StepState.UNCERTAIN} and step.started_at is not None and step.attempts
    reason = step.reason or ""
    if not waits or not reason or reason.startswith(_NO_TRIAL) or AT_BRAKE in reason:
        return None
    if (step.verb, step.subject, step.expect) == (Verb.VERIFY, Subject.EXPOSED, None):
        return None  # it records whatever comes, and keeps nothing waiting for long
    asked = step.verb is Verb.VERIFY and step.subject is Subject.CONSUMERS
    patience_s = step.retry_for_s or (CONVERGENCE_S if asked else PATIENCE_S)
    if step.state is StepState.UNCERTAIN:
        patience_s = max(patience_s, PATIENCE_S)  # so long it is looked for at least, where nobody answers
    return max((step.started_at or 0.0) + patience_s, due_at or 0.0)
