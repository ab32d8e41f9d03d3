"""Comparisons in a branch of their own: they wait for nobody, however the run fares, and no undo leaves them out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from rotator.flow.playbook_words import Verb
from rotator.flow.run import Step, StepState

LATE = "compare_late"
"""What settles the noted mint of a lost claim."""
LOST = "compare_lost"
"""What looks once more when whatever a lost worker sent has landed, unless that worker only froze."""
LONG_LOST = "compare_long_lost"
"""What looks a last time, when a worker that only froze is awake again or gone."""
SORTS = (LATE, LOST, LONG_LOST)
LONG_S = 86_400.0
"""A machine that slept overnight is awake by then. No incident waits for it: that is told apart from being at work."""


def is_apart(step: Step) -> bool:
    """Tell whether it is such a comparison."""
    return step.verb is Verb.COMPARE and step.name.startswith(SORTS)


def is_long_after(step: Step) -> bool:
    """Tell whether it is the comparison of a day later, when persons may have changed what stands in places."""
    return step.verb is Verb.COMPARE and step.name.startswith(LONG_LOST)


def waits(step: Step) -> bool:
    """Tell whether it is such a comparison, and its time has not come: nothing hangs on that, and nobody waits."""
    unbegun = step.state is StepState.PENDING and not step.attempts and step.held_at is None
    return is_apart(step) and step.hold_for_s is not None and (step.waits_for_time or unbegun)


def at_hand(steps: Iterable[Step]) -> list[Step]:
    """Return the steps without comparisons whose time has not come: those by which a run is judged."""
    return [step for step in steps if not waits(step)]


def segment_of(branch: str) -> int:
    """Return the segment that a branch's id names."""
    return int(branch.rsplit(".", 2)[1])


def apart(steps: Sequence[Step], name: str, hold_for_s: float | None = None) -> Step | None:
    """Return another comparison for a run of these steps, None where its kind plans none."""
    planned = next((step for step in steps if step.verb is Verb.COMPARE), None)
    if planned is None:
        return None
    segment = 1 + max(segment_of(step.branch) for step in steps)
    number = sum(step.name.startswith(name) for step in steps)
    name = f"{name}_{number + 1}" if number else name
    run = planned.branch.rsplit(".", 2)[0]
    # Several may be appended in one moment: each sort has a place of its own in the segment.
    place = next(index for index, sort in enumerate(SORTS) if name.startswith(sort))
    branch = f"{run}.{segment}.{place}"
    return replace(
        planned,
        id=f"{branch}.{name}",
        branch=branch,
        position=segment * 10_000 + 100,
        name=name,
        state=StepState.PENDING,
        hold_for_s=hold_for_s,
        attempts=0,
        started_at=None,
        intended_at=None,
        settled_at=None,
        held_at=None,
        reason=None,
        facts={},
    )
