"""What of a planned run can be taken back, and what cannot: the latter waits for an approval of its own."""

from __future__ import annotations

from rotator.flow.planned import BY_HAND, PlannedRun
from rotator.flow.playbook_words import Subject, Verb

_STOPS = frozenset({Verb.SUSPEND, Verb.UNINSTALL, Verb.REVOKE})
_NEEDS_UNDO = frozenset({Verb.SUSPEND, Verb.UNINSTALL, Verb.INSTALL, Verb.PROMOTE, Verb.ISSUE})


def destroys(verb: Verb, subject: Subject) -> bool:
    """Tell whether a step does to the exposed credential what nobody can take back: it waits for its own approval."""
    return verb is Verb.REVOKE and subject is Subject.EXPOSED


def ends_in_destruction(run: PlannedRun) -> bool:
    """Tell whether a run destroys what was exposed, soon or late."""
    return any(destroys(step.verb, step.subject) for segment in run.segments for step in segment.steps)


def stops_by_destroying(run: PlannedRun) -> bool:
    """Tell whether it can only be stopped for good: then it lives until the destruction is approved."""
    stops = [
        step.verb
        for segment in run.segments
        for step in segment.steps
        if step.subject is Subject.EXPOSED and step.verb in _STOPS
    ]
    return bool(stops) and stops[0] is Verb.REVOKE


def is_reversible(run: PlannedRun) -> bool:
    """Tell whether all that is done before the destruction can be taken back by a machine."""
    steps = [step for segment in run.segments for step in segment.steps]
    return not stops_by_destroying(run) and all(
        step.undo is not None and BY_HAND not in step.facts for step in steps if step.verb in _NEEDS_UNDO
    )
