"""Whose it is: what several use, or nobody is known to own, is not taken from its users before they were told.

Its owners are told at once, and what would leave users without a working credential waits until a deadline that is
counted from the telling; then the plan goes on by itself. Nothing waits where somebody may be at work with the stolen
one, where the incident is critical, or where nothing is lost by it: see decision 0037.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from rotator.credential import CredentialRef
from rotator.flow.access import NO_USES, Uses
from rotator.flow.incident import Severity
from rotator.flow.outage import STOPS
from rotator.flow.planned import OWNER_ASKED, Plan, PlannedRun, PlannedStep, Segment
from rotator.flow.playbook_words import Subject, Verb
from rotator.flow.scope import Scoped

NOBODY: frozenset[CredentialRef] = frozenset()


class Whose(StrEnum):
    """Why an owner is asked."""

    SHARED = "shared"
    UNKNOWN = "nobody knows whose"


@dataclass(frozen=True, slots=True)
class Ownership:
    """How long owners have, in seconds; `of` by criticality, where that has a time of its own. 0: nothing waits."""

    deadline_s: float = 0.0
    of: Mapping[str, float] = field(default_factory=dict)

    def wait_s(self, criticality: str) -> float:
        """Return how long what is of this criticality waits at most."""
        return self.of.get(criticality, self.deadline_s)


NO_DEADLINE = Ownership()


def whose(each: Scoped) -> Whose | None:
    """Return why its owner is asked first, None where one owner is known.

    It is shared where its entry says so, or names several contacts. Nobody knows whose it is where its issuer names no
    owner, and no entry says whom to tell or speaks of that owner or id.
    """
    custody = each.custody
    if custody.shared or len(contacts(custody.contact)) > 1:
        return Whose.SHARED
    told = custody.contact or {"owner", "id"} & custody.match.keys()
    return Whose.UNKNOWN if not (each.ref.owner or told) else None


def contacts(contact: str) -> tuple[str, ...]:
    """Return those whom a contact names, parted by commas or semicolons."""
    return tuple(filter(None, map(str.strip, contact.replace(";", ",").split(","))))


def ask_owners(
    plan: Plan,
    scoped: Iterable[Scoped],
    rules: Ownership,
    *,
    severity: Severity,
    uses: Mapping[str, Uses] = NO_USES,
    busy: Collection[CredentialRef] = NOBODY,
) -> Plan:
    """Return the plan with the waits for owners. `busy` are those with which something was made since."""
    of = {each.ref: each for each in scoped if whose(each)} if severity is not Severity.CRITICAL else {}
    made: dict[tuple[object, ...], tuple[Segment, ...]] = {}

    def asked(run: PlannedRun) -> PlannedRun:
        each = of.get(run.ref)
        if each is None or run.cuts or run.ref in busy or (run.ref.id in uses and uses[run.ref.id].signs):
            return run
        wait_s = rules.wait_s(each.custody.criticality)
        if wait_s <= 0:
            return run
        said = "; ".join(filter(None, (whose(each), ", ".join(contacts(each.custody.contact)))))
        key = id(run.segments), wait_s, said  # thousands of runs share their segments
        if key not in made:
            made[key] = _waiting(run.segments, wait_s, said)
        return replace(run, segments=made[key])

    return replace(plan, runs=tuple(map(asked, plan.runs))) if of else plan


def asks(plan: Plan) -> list[tuple[PlannedRun, PlannedStep]]:
    """Return the runs that wait for an owner, each with the step that does."""
    found = ((run, step) for run in plan.runs for segment in run.segments for step in segment.steps)
    return [(run, step) for run, step in found if OWNER_ASKED in step.facts]


def _waiting(segments: tuple[Segment, ...], wait_s: float, said: str) -> tuple[Segment, ...]:
    """Let the first stop of the exposed one wait, unless its users have the new one before."""
    found: list[Segment] = []
    waits = safe = False
    for segment in segments:
        steps = list(segment.steps)
        for n, step in enumerate(steps):
            safe = safe or step.subject is Subject.CONSUMERS or step.verb is Verb.PROMOTE
            if step.subject is Subject.EXPOSED and step.verb in STOPS and not waits and not safe:
                waits = True
                if step.hold_for_s is None:
                    steps[n] = replace(step, hold_for_s=wait_s, facts={**step.facts, OWNER_ASKED: said})
        found.append(replace(segment, steps=tuple(steps)))
    return tuple(found)
