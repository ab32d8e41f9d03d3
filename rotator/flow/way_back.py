"""The way back: the steps of an undo, in the order in which consumers hold something that works at every moment.

First the exposed credential is resumed, and seen to open; then its value is given back; then consumers are told, and
asked; and only then the replacement is taken away (`giving_back.py` keeps that waiting). What is left goes in the
run's own order, backwards. It ends with a knock.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from rotator.flow.apart import segment_of
from rotator.flow.giving_back import untold
from rotator.flow.planned import Lane
from rotator.flow.playbook_words import Expect, Subject, Verb
from rotator.flow.run import UNDOES, WHY, Run, Step
from rotator.flow.step import LOST_AT, SEND_MARGIN_S, WAITS_SINCE
from rotator.ports.connection import CALL_DEADLINE_S

AGAIN_S = 120.0
"""How long a resumed credential is knocked with until it opens: the issuer has to spread that too."""
LOST_S = SEND_MARGIN_S + CALL_DEADLINE_S
"""How long after its worker was found lost a step is taken back: that one sends nothing later than the margin after its
last commit, and no call takes longer. It is less than `moving.SOON_S`: nobody leaves in the middle of an undo."""
_FIRST = (Verb.RESUME, Verb.DEMOTE)
"""What is taken back before all else: so consumers find something that works."""
_NAME = 60
"""How long the name of an appended step may be."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """A branch to append: the steps of one target in one segment."""

    id: str
    segment: int
    target: str
    steps: tuple[Step, ...]


def stretches(
    run: Run, steps: Sequence[Step], doors: Iterable[str], takes_back: Sequence[Step], why: str
) -> Iterator[Stretch]:
    """Yield the branches of an undo, in order; nothing of them is in the run yet."""
    yield from appended(run, steps, list(_moves(run, steps, sorted(doors), takes_back, why)))


def appended(run: Run, steps: Sequence[Step], moves: Sequence[Step]) -> Iterator[Stretch]:
    """Yield the branches in which new steps, in their order, come after all that a run has."""
    taken = {step.name for step in steps}
    names = {step.name: _fresh(step.name, taken) for step in moves}
    segment = 1 + max(segment_of(step.branch) for step in steps)
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
    back = replace(back, target=step.target, calls=step.calls, facts={UNDOES: step.id, WHY: why})
    if LOST_AT not in step.facts:
        return back
    # What a lost worker sent could land after it was taken back: nobody would see it done again.
    return replace(back, hold_for_s=LOST_S, facts={**back.facts, WAITS_SINCE: step.facts[LOST_AT]})


def turn(step: Step) -> tuple[int, int, str]:
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
    if run.consumers and offers(run, steps, takes_back):
        given.append(_new(_name_of(steps, Verb.RELOAD, "reload"), Verb.RELOAD, Subject.CONSUMERS))
        given.append(_new(_name_of(steps, Verb.VERIFY, "converged"), Verb.VERIFY, Subject.CONSUMERS))
    given += [step for step in moves if step.verb not in _FIRST]
    yield from resumed
    if resumed:
        yield from (_knock(steps, "open_again", door, opens=True) for door in doors)
    yield from given
    if given or not resumed:
        yield from (_knock(steps, "alive_after_undo", door, opens=False) for door in doors)


def offers(run: Run, steps: Sequence[Step], takes_back: Sequence[Step]) -> bool:
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
