"""What a person can do about a step that waits: each command, and what it means. The safe one stands first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rotator import secret_reference
from rotator.claims import GATE, OF, ONE_MINT
from rotator.flow.outcome import MISMATCH, UNKNOWN_HERE, UNPAIRED
from rotator.flow.playbook_words import DESTRUCTION, Subject, Until, Verb
from rotator.flow.run import THROUGH, Run, Step, StepState
from rotator.flow.standing import resumes
from rotator.flow.step import is_unknown, surplus_accepted
from rotator.ledger.opening import BRAKE
from rotator.ledger.stops import Stop
from rotator.ledger.waits import at_brake, for_our_own, is_paused, is_unsafe, vendor_of

_UNPROVABLE = (MISMATCH, UNPAIRED, UNKNOWN_HERE)
"""Why a knock, or the issuer's word, proves nothing, however often it is repeated."""
NEEDS_SECRET = "needs_secret"  # noqa: S105 - a reason
"""Why a kind that is revoked by being shown cannot be: nobody has its secret any more."""
DECLARE = "rotator incident declare FILE --title …"
"""How what leaked is answered once more, by a run of its own."""
_OPENED = {
    Until.HOST_ISOLATED.value: "says that the hosts are cut off",
    Until.NO_LEGAL_HOLD.value: "lifts the legal hold",
    BRAKE: "begins the waves that wait",
}
_LEFT_OUT = {
    (Verb.VERIFY, Subject.CONSUMERS): "nobody knows what its consumers hold",
    (Verb.VERIFY, Subject.EXPOSED): "nobody knows what it would have shown",
    (Verb.VERIFY, Subject.REPLACEMENT): "nobody knows whether the new one works",
    (Verb.REVOKE, Subject.EXPOSED): "it is not destroyed: whoever has the rights can resume what is only suspended",
    (Verb.SUSPEND, Subject.EXPOSED): "it is not stopped here",
    (Verb.UNINSTALL, Subject.EXPOSED): "it is not stopped here",
    (Verb.RESUME, Subject.EXPOSED): "it is not resumed",
    (Verb.END_SESSIONS, Subject.EXPOSED): "sessions that were opened with it may live on",
    (Verb.PRESERVE, Subject.EXPOSED): "what its issuer knew of it is not kept",
    (Verb.RELOAD, Subject.CONSUMERS): "its consumers are not told from here",
    (Verb.PROMOTE, Subject.REPLACEMENT): "the new one is not put where consumers read",
    (Verb.DEMOTE, Subject.REPLACEMENT): "consumers still read the new one",
    (Verb.INSTALL, Subject.REPLACEMENT): "the new one is not let in there",
    (Verb.REVOKE, Subject.REPLACEMENT): "the new one stays alive",
    (Verb.UNINSTALL, Subject.REPLACEMENT): "the new one stays alive",
    (Verb.ISSUE, Subject.REPLACEMENT): "nothing takes its place",
    (Verb.GENERATE, Subject.REPLACEMENT): "nothing takes its place",
}
"""What it means that a step was left out."""
_TO_CONSUMERS = (Verb.RELOAD, Verb.VERIFY)


@dataclass(frozen=True, slots=True)
class Way:
    """A command, and what it means to give it."""

    command: str
    means: str


def ways_on(run: Run, step: Step, steps: Sequence[Step] = (), behind: Sequence[Stop] = ()) -> tuple[Way, ...]:
    """Return what moves on a step that waits: at least one command, none of which leaves it where it is.

    `steps` are those of its run: what comes after it is told. `behind` are the stops of the run for whose mint it
    waits.
    """
    if at_brake(step) or is_gated(step):
        return (_opened_at(run, step),)
    if step.asks:
        return (
            Way(f"rotator run done {run.id} {step.name} --reason …", _sworn(step)),
            Way(f"rotator run skip {run.id} {step.name} --reason …", "goes on without it; nobody says it was done"),
        )
    if step.waits_for_time:
        return (_released(run, step, "does it now"),)
    if for_our_own(step):
        return (_released(run, step, "begins although the rotator's own credential is not replaced; under your name"),)
    if is_paused(step):
        return _let_in_again(run, step)
    if is_unsafe(step):
        return (_released(run, step, "accepts, under your name, that those it waits for may read the new secret"),)
    skip, then = f"rotator run skip {run.id} {step.name} --reason …", _then(step, steps)
    if is_unprovable(step):
        return (
            Way(DECLARE, "with the secret that belongs to this id, or with the id alone: another run then settles it"),
            Way(skip, f"goes on{then}; its death stays unproven, and the report says who said so"),
        )
    if (step.reason or "").startswith(NEEDS_SECRET):
        return (
            Way(DECLARE, "with the secret, which was kept for a time only"),
            Way(skip, f"goes on{then}; it lives as far as anybody here knows, and the report says who said so"),
        )
    if waits_for_mint(step):
        return (*_minting(run, behind), Way(skip, f"goes on without it{then}; {left_out(step)}"))
    retry = f"rotator run retry {run.id} {step.name} --reason …"
    return Way(retry, _again(run, step)), Way(skip, f"goes on without it{then}; {left_out(step)}")


def _opened_at(run: Run, step: Step) -> Way:
    """Return how the gate is opened at which a step waits."""
    gate, _, other = (step.reason or "").removeprefix(GATE).partition(OF)
    return opens(run.incident, BRAKE) if at_brake(step) else opens(other or run.incident, gate)


def _let_in_again(run: Run, step: Step) -> tuple[Way, ...]:
    """Return what ends a wait for a vendor's pause; a person may let this go on all the same."""
    vendor = vendor_of(step)
    does = "lets it use this again" if resumes(step) else "makes it"
    then = "" if resumes(step) else ", which may read it then"
    release = f"rotator hold release {run.id} {step.name} --although-paused {vendor} --reason …"
    return (
        Way(f"rotator vendor gates {vendor}", f"shows what lets {vendor} in again; then this goes on by itself"),
        Way(release, f"{does} although {vendor} is paused{then}; under your name"),
    )


def is_unprovable(step: Step) -> bool:
    """Tell whether it waits since nothing that is seen can prove the death."""
    return step.state is StepState.HELD and (step.reason or "").startswith(_UNPROVABLE)


def waits_for_mint(step: Step) -> bool:
    """Tell whether it is held until another run of its owner, which a person stopped, is through with its mint."""
    return step.state is StepState.HELD and (step.reason or "").startswith(ONE_MINT)


def _minting(run: Run, behind: Sequence[Stop]) -> list[Way]:
    """Return what lets the other mint go on; without a stop it does so, or rests, and this one is woken."""
    if not behind:
        return [
            Way(f"rotator incident watch {run.incident}", "wait: nobody stops the other mint now; then this goes on")
        ]
    return [
        Way(each.lifted_by, "lets the other mint go on, which comes first; then this does by itself") for each in behind
    ]


def left_out(step: Step) -> str:
    """Say what it means that a step was left out, or will be."""
    if step.verb is Verb.COMPARE:
        return "nobody has looked whether a key is left over"
    return _LEFT_OUT.get((step.verb, step.subject), "nobody knows what it would have shown")


def opens(incident: str, gate: str) -> Way:
    """Return how a gate is opened; that of a destruction by those who approve it."""
    if gate.startswith(DESTRUCTION):
        approve = f"rotator approve {incident} --digest {gate.removeprefix(DESTRUCTION)} --scope destruction"
        return Way(approve, "says, as an approver, that what this plan destroys may be destroyed for good")
    return Way(f"rotator gate open {incident} {gate} --reason …", _OPENED.get(gate, "says that it is so"))


def addressed(run: Run, step: Step) -> str:
    """Say to which addresses a step about consumers goes: the plan's, whatever is configured since. "" for others."""
    if step.subject is not Subject.CONSUMERS or step.verb not in _TO_CONSUMERS or not run.consumers:
        return ""
    referred = [
        each for each in run.consumers if isinstance(each.address, str) and secret_reference.is_one(each.address)
    ]
    if len(referred) == len(run.consumers):
        return f"at what {', '.join(each.name for each in referred)} names then"
    names = ", ".join(each.name for each in run.consumers if each not in referred)
    return f"at {names}, as the plan has it (a change of the configuration does not reach it)"


def _then(step: Step, steps: Sequence[Step]) -> str:
    """Say what comes after a step by itself, a destruction above all; "" where nothing does."""
    after = sorted(
        (each for each in steps if each.position > step.position and each.state not in THROUGH),
        key=lambda each: each.position,
    )
    ends = next((each for each in after if (each.verb, each.subject) == (Verb.REVOKE, Subject.EXPOSED)), None)
    before = [each for each in after if ends is None or each.position < ends.position]
    names = list(dict.fromkeys(each.name for each in before))
    said = f": {', '.join(names)}" if names else ""
    if ends is None:
        return said
    days = f" {ends.hold_for_s / 86400:g} days later" if ends.hold_for_s else ""
    return f"{said}{'; and' if names else ', and'}{days} it is destroyed for good ({ends.name})"


def _released(run: Run, step: Step, means: str) -> Way:
    return Way(f"rotator hold release {run.id} {step.name} --reason …", means)


def _again(run: Run, step: Step) -> str:
    """Say what it means to do a step again."""
    if step.state is StepState.HELD and surplus_accepted(step):
        return f"says that these are all right: {', '.join(sorted(surplus_accepted(step)))}"
    if is_unknown(step):
        return "looks again what became of it"
    return " ".join(filter(None, ("tries it again", addressed(run, step))))


def moved_on_by(run: Run, step: Step, behind: Sequence[Stop] = ()) -> str:
    """Return the first command that moves on a step that waits."""
    return ways_on(run, step, behind=behind)[0].command


def _sworn(step: Step) -> str:
    if step.verb is Verb.VERIFY:
        return "says, under your name, that you saw it refused: a death that is stated, not proven"
    return "says that you did it; the next knock shows whether it took"


def is_gated(step: Step) -> bool:
    """Tell whether it waits for a gate."""
    return step.state is StepState.HELD and (step.reason or "").startswith(GATE)
