"""What the steps and proofs of all branches say of their run: its clocks, its evidence, what it still needs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from rotator.flow.playbook_words import MINTING, Subject, Verb
from rotator.flow.proof import Evidence, Proof
from rotator.flow.run import LET_IN, THROUGH, UNDOES, Run, Step, StepState, taken_back


def summarise(run: Run, steps: Sequence[Step], proofs: Sequence[Proof]) -> Run:
    """Return the run with its clocks and its evidence as the steps and proofs of all branches say.

    What an undo takes back no longer counts: from when it was ordered, since nobody knows when it takes hold.
    """
    evidence, dead_at = death(proofs)
    gone = taken_back(steps)
    standing = [step for step in steps if step.id not in gone] if gone else steps
    promoted = _through(standing, {Verb.PROMOTE}, Subject.REPLACEMENT)
    revoked = {step.facts.get(UNDOES) for step in steps if step.state is StepState.DONE} if gone else set()
    minted = next(
        (
            step.facts
            for step in steps
            if step.verb in MINTING and step.state is StepState.DONE and step.id not in revoked
        ),
        {},
    )
    return replace(
        run,
        evidence=evidence,
        dead_at=dead_at,
        contained_at=_last([proof.contained_at for proof in proofs]),
        acknowledged_at=_through(steps, {Verb.SUSPEND, Verb.UNINSTALL, Verb.REVOKE}, Subject.EXPOSED, first=True),
        replaced_at=promoted,
        replacement=str(minted["replacement"]) if "replacement" in minted else None,
        converged_at=next(
            (
                step.settled_at
                for step in standing
                if promoted is not None
                and step.verb is Verb.VERIFY
                and step.subject is Subject.CONSUMERS
                and step.facts.get("converged") is True
            ),
            None,
        ),
        destroyed_at=_through(steps, {Verb.REVOKE}, Subject.EXPOSED),
        let_in_at=_let_in(run, steps),
    )


def _let_in(run: Run, steps: Sequence[Step]) -> float | None:
    """Return when a grant was given back by a restore; it may have been by another run of it, which said so."""
    given = (step.settled_at for step in steps if step.state is StepState.DONE and LET_IN in step.facts)
    return next(given, run.let_in_at)


def _last(times: Sequence[float | None]) -> float | None:
    """Return the last of the times, or None while one is missing."""
    known = [each for each in times if each is not None]
    return max(known) if known and len(known) == len(times) else None


def _through(steps: Sequence[Step], verbs: set[Verb], subject: Subject, *, first: bool = False) -> float | None:
    """Return when every target was through a step with one of the verbs; the first or the last such step of a path."""
    by_name: dict[str, list[Step]] = {}
    for step in steps:
        if step.verb in verbs and step.subject is subject:
            by_name.setdefault(step.name, []).append(step)
    times = [
        max(step.settled_at or 0.0 for step in group)
        for group in by_name.values()
        if all(step.state is StepState.DONE for step in group)
    ]
    return (min(times) if first else max(times)) if times else None


def death(proofs: Sequence[Proof]) -> tuple[Evidence, float | None]:
    """Return how sure the death is over all doors, and since when: the last door's, and the weakest evidence."""
    dead_at = _last([proof.dead_at for proof in proofs])
    if dead_at is None:
        return Evidence.NONE, None
    stated = any(proof.evidence is Evidence.STATED for proof in proofs)
    return (Evidence.STATED if stated else Evidence.PROVEN), dead_at


def needs_material(steps: Sequence[Step]) -> bool:
    """Tell whether a knock with the exposed secret is still ahead, before any scheduled wait."""
    for step in sorted(steps, key=lambda each: each.position):
        if step.state in THROUGH:
            continue
        if step.hold_for_s is not None:
            return False
        if step.verb is Verb.VERIFY and step.subject is Subject.EXPOSED:
            return True
    return False
