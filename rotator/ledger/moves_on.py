"""Which command moves on what waits for a person."""

from __future__ import annotations

from rotator.claims import GATE, LEAK_SAFE
from rotator.flow.run import Run, Step, StepState
from rotator.ledger import waits


def moved_on_by(run: Run, step: Step) -> str:
    """Return the command that moves on a held or failed step, or a run that waits for the rotator's own credential."""
    if step.waits_for_time or is_unsafe(step) or waits.for_our_own(step):
        return f"rotator hold release {run.id} {step.name} --reason …"
    if is_gated(step):
        return f"rotator gate open {run.incident} {(step.reason or '').removeprefix(GATE)} --reason …"
    return f"rotator run retry {run.id} {step.name} --reason …"


def is_gated(step: Step) -> bool:
    """Tell whether it waits for a gate."""
    return step.state is StepState.HELD and (step.reason or "").startswith(GATE)


def is_unsafe(step: Step) -> bool:
    """Tell whether it waits for living readers; a report names them behind the reason."""
    return step.state is StepState.HELD and (step.reason or "").startswith(LEAK_SAFE)
