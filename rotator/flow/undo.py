"""Undo: which steps take back what a run has done from one step on. They are appended; nothing is edited away.

Consumers hold something that works at every moment, where there is a way: first the exposed credential is resumed, and
seen to open; then its value is given back; then consumers are told, and asked; and only then the replacement is taken
away (`giving_back.py` keeps that waiting). What is left goes in the run's own order, backwards. What stopped the
exposed credential and has no way back (a destruction, above all) is never passed: nobody would hold anything that
works.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from rotator.errors import BadInput
from rotator.flow.giving_back import is_stopped, untold
from rotator.flow.plan import Lane
from rotator.flow.playbook import UNDO, Expect, Subject, Verb, meant
from rotator.flow.run import THROUGH, UNDOES, WHY, Run, Step, StepState, taken_back
from rotator.flow.step import STOPS, UNRESOLVED, is_unknown

AGAIN_S = 120.0
"""How long a resumed credential is knocked with until it opens: the issuer has to spread that too."""
HALF_WAY = frozenset({Verb.INSTALL, Verb.PROMOTE, Verb.SUSPEND})
"""What may have been done, wholly or in part, though nobody saw it: taking it back changes nothing where it was not."""
_FIRST = (Verb.RESUME, Verb.DEMOTE)
"""What is taken back before all else: so consumers find something that works."""
UNSEEN = frozenset({StepState.PENDING, StepState.FAILED, StepState.HELD})
"""Where a step rests that was tried and is not done. Skipped is a person's word that it was not."""
_NAME = 60
"""How long the name of an appended step may be."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """A branch to append: the steps of one target in one segment."""

    id: str
    segment: int
    target: str
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Undo:
    """What an undo does: `stretches` are appended, the first segment of them starts at once; `skipped` never come."""

    takes_back: tuple[Step, ...]
    skipped: tuple[Step, ...]
    stretches: tuple[Stretch, ...]
    strands: bool = False
    """Whether consumers are given back, or left with, a credential that stays stopped."""
    elsewhere: tuple[str, ...] = ()
    """What other incidents say of the exposed credential, and will do to it."""

    @property
    def resumes(self) -> bool:
        """Tell whether the exposed credential is given its life back."""
        return any(step.undo is Verb.RESUME for step in self.takes_back)

    @property
    def warnings(self) -> list[str]:
        """Return what a person should know first."""
        found = []
        if self.resumes:
            found.append("this makes a stolen credential work again, for whoever has it")
        if self.strands:
            found.append("consumers get back a credential that is refused: to resume it, undo the step that stopped it")
        return [*found, *self.elsewhere]

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
        key=_turn,
    )
    resumes = any(step.undo is Verb.RESUME for step in takes_back)
    return Undo(
        takes_back=tuple(takes_back),
        skipped=tuple(step for step in steps if step.state not in THROUGH),
        stretches=tuple(_stretches(run, steps, doors, takes_back, why)),
        strands=not resumes and is_stopped(run, steps) and _offers(run, steps, takes_back),
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
            raise BadInput(
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


def _stretches(
    run: Run, steps: Sequence[Step], doors: Iterable[str], takes_back: Sequence[Step], why: str
) -> Iterator[Stretch]:
    taken = {step.name for step in steps}
    moves = list(_moves(run, steps, sorted(doors), takes_back, why))
    names = {step.name: _fresh(step.name, taken) for step in moves}
    segment = 1 + max(int(step.branch.rpartition(".")[0].rpartition(".")[2]) for step in steps)
    for at_targets, group in groupby(moves, key=lambda step: step.target != ""):
        found = list(group)
        targets = list(dict.fromkeys(step.target for step in found)) if at_targets else [""]
        for place, target in enumerate(targets):
            branch = f"{run.id}.{segment}.{place}"
            mine = [step for step in found if step.target == target]
            yield Stretch(
                branch,
                segment,
                target,
                tuple(
                    replace(
                        step,
                        id=f"{branch}.{names[step.name]}",
                        branch=branch,
                        name=names[step.name],
                        position=segment * 10_000 + (number + 1) * 100,
                    )
                    for number, step in enumerate(mine)
                ),
            )
        segment += 1


def _backwards(step: Step, why: str) -> Step:
    assert step.undo is not None  # noqa: S101 - only what can be undone comes here
    back = _new(f"undo_{step.name}", step.undo, step.subject)
    return replace(back, target=step.target, calls=step.calls, facts={UNDOES: step.id, WHY: why})


def _turn(step: Step) -> tuple[int, int, str]:
    """Sort into the order in which things are taken back."""
    first = _FIRST.index(step.undo) if step.undo in _FIRST else len(_FIRST)
    return first, -step.position, step.target


def _moves(
    run: Run, steps: Sequence[Step], doors: Sequence[str], takes_back: Sequence[Step], why: str
) -> Iterator[Step]:
    """Yield every step, in order; none has a place yet."""
    moves = [_backwards(step, why) for step in takes_back]
    resumed = [step for step in moves if step.verb is Verb.RESUME]
    given = [step for step in moves if step.verb is Verb.DEMOTE]
    if run.consumers and _offers(run, steps, takes_back):
        given.append(_new(_name_of(steps, Verb.RELOAD, "reload"), Verb.RELOAD, Subject.CONSUMERS))
        given.append(_new(_name_of(steps, Verb.VERIFY, "converged"), Verb.VERIFY, Subject.CONSUMERS))
    given += [step for step in moves if step.verb not in _FIRST]
    yield from resumed
    if resumed:
        yield from (_knock(steps, "open_again", door, opens=True) for door in doors)
    yield from given
    if given or not resumed:
        yield from (_knock(steps, "alive_after_undo", door, opens=False) for door in doors)


def _offers(run: Run, steps: Sequence[Step], takes_back: Sequence[Step]) -> bool:
    """Tell whether consumers are given back what they held: now, or by an earlier undo that they have not followed."""
    return any(step.undo is Verb.DEMOTE for step in takes_back) or (run.consumers != () and untold(steps))


def _name_of(steps: Sequence[Step], verb: Verb, otherwise: str) -> str:
    found = (step.name for step in steps if (step.verb, step.subject) == (verb, Subject.CONSUMERS))
    return f"undo_{next(found, otherwise)}"


def _knock(steps: Sequence[Step], name: str, target: str, *, opens: bool) -> Step:
    """Record what a door says of the exposed credential; or have it open, of one that was resumed, before all else."""
    earlier = [each for each in steps if (each.verb, each.subject) == (Verb.VERIFY, Subject.EXPOSED)]
    knock = _new(name, Verb.VERIFY, Subject.EXPOSED)
    knock = replace(knock, target=target, calls=max((each.calls for each in earlier), default=1))
    return replace(knock, expect=Expect.ACCEPTED, retry_for_s=AGAIN_S) if opens else knock


def _new(name: str, verb: Verb, subject: Subject) -> Step:
    """Return a step that has no place yet."""
    lane = Lane.CONTAIN if subject is Subject.EXPOSED else Lane.REPLACE
    return Step(id="", branch="", position=0, name=name, target="", verb=verb, subject=subject, lane=lane)


def _fresh(name: str, taken: set[str]) -> str:
    """Return a name that no step of the run has."""
    short, number = name[:_NAME], 1
    found = short
    while found in taken:
        number += 1
        found = f"{short}_{number}"
    return found
