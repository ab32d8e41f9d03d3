"""What a person can do about a step that waits: each command, and what it means. The safe one stands first."""

from __future__ import annotations

from dataclasses import dataclass

from rotator.claims import GATE
from rotator.flow.playbook import Until, Verb
from rotator.flow.run import Run, Step, StepState
from rotator.flow.step import MISMATCH, UNKNOWN_HERE, UNPAIRED, is_unknown, surplus_accepted
from rotator.ledger.opening import BRAKE
from rotator.ledger.waits import at_brake, for_our_own, is_unsafe

_UNPROVABLE = (MISMATCH, UNPAIRED, UNKNOWN_HERE)
"""Why a knock, or the issuer's word, proves nothing, however often it is repeated."""
NEEDS_SECRET = "needs_secret"  # noqa: S105 - a reason
"""Why a kind that is revoked by being shown cannot be: nobody has its secret any more."""
_OPENED = {
    Until.HOST_ISOLATED.value: "says that the hosts are cut off",
    Until.NO_LEGAL_HOLD.value: "lifts the legal hold",
    BRAKE: "begins the waves that wait",
}


@dataclass(frozen=True, slots=True)
class Way:
    """A command, and what it means to give it."""

    command: str
    means: str


def ways_on(run: Run, step: Step) -> tuple[Way, ...]:
    """Return what moves on a step that waits: at least one command, none of which leaves it where it is."""
    if at_brake(step):
        return (opens(run.incident, BRAKE),)
    if is_gated(step):
        return (opens(run.incident, (step.reason or "").removeprefix(GATE)),)
    if step.asks:
        return (
            Way(f"rotator run done {run.id} {step.name} --reason …", _sworn(step)),
            Way(f"rotator run skip {run.id} {step.name} --reason …", "goes on without it; nobody says it was done"),
        )
    if step.waits_for_time:
        return (_released(run, step, "does it now"),)
    if for_our_own(step):
        return (_released(run, step, "begins although the rotator's own credential is not replaced; under your name"),)
    if is_unsafe(step):
        return (_released(run, step, "accepts, under your name, that a thief may read the new secret"),)
    skip = f"rotator run skip {run.id} {step.name} --reason …"
    if (step.reason or "").startswith(_UNPROVABLE):
        return (
            Way(skip, "goes on; its death stays unproven, and the report says who said so"),
            Way(
                "rotator incident declare FILE --title …",
                "with the secret that belongs to this id, or with the id alone: another run then settles it",
            ),
        )
    if (step.reason or "").startswith(NEEDS_SECRET):
        return (
            Way("rotator incident declare FILE --title …", "with the secret, which was kept for a time only"),
            Way(skip, "goes on; it lives as far as anybody here knows, and the report says who said so"),
        )
    retry = f"rotator run retry {run.id} {step.name} --reason …"
    return Way(retry, _again(step)), Way(skip, "goes on without it; what it would have shown stays unknown")


def opens(incident: str, gate: str) -> Way:
    """Return how a gate is opened."""
    return Way(f"rotator gate open {incident} {gate} --reason …", _OPENED.get(gate, "says that it is so"))


def _released(run: Run, step: Step, means: str) -> Way:
    return Way(f"rotator hold release {run.id} {step.name} --reason …", means)


def _again(step: Step) -> str:
    """Say what it means to do a step again."""
    if step.state is StepState.HELD and surplus_accepted(step):
        return f"says that these are all right: {', '.join(sorted(surplus_accepted(step)))}"
    return "looks again what became of it" if is_unknown(step) else "tries it again"


def moved_on_by(run: Run, step: Step) -> str:
    """Return the first command that moves on a step that waits."""
    return ways_on(run, step)[0].command


def _sworn(step: Step) -> str:
    if step.verb is Verb.VERIFY:
        return "says, under your name, that you saw it refused: a death that is stated, not proven"
    return "says that you did it; the next knock shows whether it took"


def is_gated(step: Step) -> bool:
    """Tell whether it waits for a gate."""
    return step.state is StepState.HELD and (step.reason or "").startswith(GATE)
