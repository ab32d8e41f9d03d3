"""New secrets that pass where an excluded credential reads: a named person takes that risk, or none is made.

Who reads there is *known* where somebody said so in `reads` or `administers`. Where nobody did, it may be nothing, and
the plan's warning is all: one canary of which nobody wrote down what it reads must not stop a response.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from rotator.flow.order import Left, names
from rotator.flow.plan import spoken_of_elsewhere
from rotator.flow.planned import BY_HAND, Lane, Plan, PlannedRun, PlannedStep, Segment
from rotator.flow.playbook_words import MINTING, Subject, Verb

STEP = "accept_reader"
"""The step at which a person is asked."""


def ask_for_readers(plan: Plan, left: Iterable[Left] = ()) -> Plan:
    """Return the plan with a person asked before each mint whose secret an excluded credential is known to read.

    `left` is what earlier plans left alive: that of earlier revisions of its incident, and of other incidents.
    """
    readers: dict[str, list[str]] = {}
    reading = [each for each in left if each.excluded and each.known]
    before = spoken_of_elsewhere(plan.runs, plan.manual, plan.excluded, reading) if reading else []
    for key, known in (
        *((out.key, out.known) for out in plan.excluded),
        *((f"{each.key} of {each.incident}", each.known) for each in before),
    ):
        for at in sorted(known):
            readers.setdefault(at, []).append(key)
    if not readers:
        return plan
    made: dict[tuple[object, ...], tuple[Segment, ...]] = {}

    def asked(run: PlannedRun) -> PlannedRun:
        found = {at: keys for at in run.passes if (keys := readers.get(at))}
        if not found:
            return run
        said = "; ".join(f"{names(keys)} reads {at}" for at, keys in sorted(found.items()))
        key = id(run.segments), said  # thousands of runs share their segments
        if key not in made:
            made[key] = tuple(_asking(each, said) for each in run.segments)
        return replace(run, segments=made[key])

    return replace(plan, runs=tuple(map(asked, plan.runs)))


def _asking(segment: Segment, said: str) -> Segment:
    mint = next((n for n, step in enumerate(segment.steps) if step.verb in MINTING), None)
    if mint is None:
        return segment
    what = f"{said}, is excluded and lives on: stop it, or take the risk that it reads the new secret, and say so"
    # Nothing is done here but to believe a person: a look at the exposed one is what harms least if it ever were.
    asks = PlannedStep(STEP, Verb.PRESERVE, Subject.EXPOSED, Lane.REPLACE, calls=0, facts={BY_HAND: what})
    return replace(segment, steps=(*segment.steps[:mint], asks, *segment.steps[mint:]))
