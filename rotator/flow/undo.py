"""Undo: what of a run may be taken back from one step on. Steps are appended for it; nothing is edited away.

`way_back.py` has them in their order. What stopped the exposed credential and has no way back (a destruction, above
all) is never passed: nobody would hold anything that works.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from rotator.errors import BadInput
from rotator.flow.apart import is_apart
from rotator.flow.giving_back import is_stopped
from rotator.flow.playbook_words import UNDO, Subject, Verb, meant
from rotator.flow.run import THROUGH, UNDOES, Run, Step, StepState, taken_back
from rotator.flow.step import STOPS, UNRESOLVED, is_unknown
from rotator.flow.way_back import Stretch, offers, stretches, turn

HALF_WAY = frozenset({Verb.INSTALL, Verb.PROMOTE, Verb.SUSPEND})
"""What may have been done, wholly or in part, though nobody saw it: taking it back changes nothing where it was not."""
UNSEEN = frozenset({StepState.PENDING, StepState.FAILED, StepState.HELD})
"""Where a step rests that was tried and is not done. Skipped is a person's word that it was not."""


class Unsettled(BadInput):
    """Nobody knows yet what became of a step: it settles by itself, unless a person stopped its run."""


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Another run of the same credential: whether it counts it dead, and which step of it will stop it again.

    `at` is when that step comes by itself, in epoch seconds, None where it waits for no time.
    """

    run: str
    incident: str
    counts_dead: bool
    step: str | None = None
    at: float | None = None

    @property
    def in_words(self) -> list[str]:
        """Return what a person should know of it before the credential is resumed."""
        found = []
        if self.counts_dead:
            found.append(f"incident {self.incident} counts it dead ({self.run}): from now on it does not")
        if self.step is not None:
            when = "is still to come"
            if self.at is not None:
                when = f"is scheduled for {datetime.fromtimestamp(self.at, UTC):%Y-%m-%dT%H:%M:%SZ}"
            off = f"once it is held or failed, rotator run skip {self.run} {self.step} --reason … calls it off"
            off = off if self.at is None else off.removeprefix("once it is held or failed, ")
            found.append(f"its destruction in incident {self.incident} ({self.step}) {when}, and will strike it; {off}")
        return found


@dataclass(frozen=True, slots=True)
class Undo:
    """What an undo does: `stretches` are appended, the first segment of them starts at once; `skipped` never come."""

    takes_back: tuple[Step, ...]
    skipped: tuple[Step, ...]
    stretches: tuple[Stretch, ...]
    strands: bool = False
    """Whether consumers are given back, or left with, a credential that stays stopped."""
    elsewhere: tuple[Elsewhere, ...] = ()
    """The other runs of a credential that is resumed, or that consumers get back and another run will stop."""
    stopped_by: str = ""
    """The other run that has stopped what consumers get back; "" where their own did, or none."""

    @property
    def resumes(self) -> bool:
        """Tell whether the exposed credential is given its life back."""
        return any(step.undo is Verb.RESUME for step in self.takes_back)

    @property
    def warnings(self) -> list[str]:
        """Return what a person should know first."""
        found = []
        if self.resumes:
            found.append("this makes what was stopped work again, for whoever has it")
        if self.strands:
            where = f" (in {self.stopped_by}, of another incident)" if self.stopped_by else ""
            found.append(
                f"consumers get back a credential that is refused: to resume it, undo the step that stopped it{where}"
            )
        return [*found, *(each for other in self.elsewhere for each in other.in_words)]

    @property
    def in_words(self) -> list[str]:
        """Return what will be done, in order."""
        return [
            f"{step.do} on {stretch.target}" if stretch.target else step.do
            for stretch in self.stretches
            for step in stretch.steps
        ]


def undo(run: Run, steps: Sequence[Step], doors: Iterable[str], name: str, why: str) -> Undo:
    """Return how to take back everything from the step on. `doors` are those of the run's proofs; `why` is who: reason.

    Raises BadInput where there is nothing to take back, no way back, or a step whose outcome nobody knows yet.
    """
    where = f"{run.id} {name}"
    named = [step for step in steps if step.name == name]
    _refuse_unknown(where, steps, named, name)
    since, gone = named[0].position, taken_back([step for step in steps if not _is_overtaken(step)])
    _refuse_tried(where, run, steps, since)
    _refuse_name(where, named, gone)
    _refuse_unsettled(where, run, steps)
    for step in steps:
        if step.position >= since and _ends_it(step):
            raise BadInput(
                f"it would pass {step.name}: `{step.do}` has no way back, and the exposed credential stays stopped",
                where,
                "undo a later step",
            )
    takes_back = sorted(
        (step for step in steps if step.position >= since and _can_undo(step) and step.id not in gone),
        key=turn,
    )
    resumes = any(step.undo is Verb.RESUME for step in takes_back)
    return Undo(
        takes_back=tuple(takes_back),
        skipped=tuple(step for step in steps if step.state not in THROUGH and not is_apart(step)),
        stretches=tuple(stretches(run, steps, doors, takes_back, why)),
        strands=not resumes and is_stopped(run, steps) and offers(run, steps, takes_back),
    )


def may_have_ended_it(step: Step) -> bool:
    """Tell whether it may have stopped the exposed credential for good: it was tried, and nobody saw it done or not.

    One whose answer was lost is pending again at once, and a stop or a budget may leave it there for long.
    """
    return _is_final(step) and step.attempts > 0 and step.state in UNSEEN


def _refuse_unknown(where: str, steps: Sequence[Step], named: Sequence[Step], name: str) -> None:
    if not named:
        raise BadInput("the run has no such step", where, meant(name, dict.fromkeys(step.name for step in steps)))


def _refuse_tried(where: str, run: Run, steps: Sequence[Step], since: int) -> None:
    for step in steps:
        if step.position >= since and may_have_ended_it(step):
            raise BadInput(
                f"{step.name} was tried and is {step.state}: nobody knows whether it was done, "
                f"and `{step.do}` has no way back",
                where,
                f"let it settle; or ask the issuer, and if it was not done: rotator run skip {run.id} {step.name} "
                "--reason …",
            )


def _is_overtaken(step: Step) -> bool:
    """Tell whether it is of an earlier undo and was never tried: another undo takes its place."""
    return UNDOES in step.facts and step.attempts == 0 and step.state not in THROUGH


def _refuse_name(where: str, named: Sequence[Step], gone: Collection[str]) -> None:
    if all(step.id in gone for step in named if step.state is StepState.DONE) and any(
        step.id in gone for step in named
    ):
        raise BadInput("it was taken back already", where, "the report shows the steps that did")
    if all(step.state is not StepState.DONE and not _can_undo(step) for step in named):
        raise BadInput(
            f"it is {named[0].state}, not done: there is nothing to take back", where, "rotator run skip leaves it out"
        )
    if not any(_can_undo(step) for step in named):
        what = "destroyed is destroyed" if _ends_it(named[0]) else "the playbook names no `undo` for it"
        raise BadInput(f"`{named[0].do}` has no way back ({what})", where, "undo another step")


def _refuse_unsettled(where: str, run: Run, steps: Sequence[Step]) -> None:
    for step in steps:
        at = f"{run.id} {step.name}"
        if step.state in {StepState.RUNNING, StepState.UNCERTAIN}:
            raise Unsettled(
                f"{step.name} is {step.state}: its outcome is not known yet", where, "look again in a moment"
            )
        if step.state not in THROUGH and (is_unknown(step) or step.facts.get(UNRESOLVED) is True):
            raise BadInput(
                f"nobody knows whether {step.name} was done", where, f"first rotator run retry {at} --reason …"
            )
        if step.state not in THROUGH and UNDOES in step.facts and not _is_overtaken(step):
            raise BadInput(
                f"another undo is not finished: {step.name} is {step.state}",
                where,
                f"wait, or rotator run retry {at} --reason …",
            )


def _can_undo(step: Step) -> bool:
    """Tell whether it was done, or may have been, and has a way back."""
    return _has_way_back(step) and (step.state is StepState.DONE or (step.verb in HALF_WAY and step.attempts > 0))


def _has_way_back(step: Step) -> bool:
    return step.undo is not None and UNDO.get(step.verb) is step.undo


def _is_final(step: Step) -> bool:
    """Tell whether it stops the exposed credential for good, once it is done."""
    return step.subject is Subject.EXPOSED and step.verb in STOPS and not _has_way_back(step)


def _ends_it(step: Step) -> bool:
    """Tell whether it stopped the exposed credential for good."""
    return _is_final(step) and step.state is StepState.DONE
