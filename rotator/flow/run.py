"""Runs: one execution of a playbook for one credential, as its branches, steps and proofs stand now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from rotator.credential import CredentialRef
from rotator.flow.choice import MINTING
from rotator.flow.plan import BY_HAND, SAID_DONE, Lane, PlannedStep
from rotator.flow.playbook_words import GATES, Expect, Strategy, Subject, Until, Verb
from rotator.flow.proof import Evidence, Proof
from rotator.flow.scope import ConsumerAddress
from rotator.ports import Place


class StepState(StrEnum):
    """Where a step stands."""

    PENDING = "pending"
    RUNNING = "running"
    HELD = "held"
    SKIPPED = "skipped"
    DONE = "done"
    FAILED = "failed"
    UNCERTAIN = "uncertain"


class BranchState(StrEnum):
    """Where a branch stands: WAITING for approval or its segment, OPEN for workers, or at rest."""

    WAITING = "waiting"
    OPEN = "open"
    HELD = "held"
    FAILED = "failed"
    DONE = "done"


AT_ONCE = 0.0
"""The due time of what waits for nothing: so it is due by the clock of every process, right or wrong."""

THROUGH = frozenset({StepState.DONE, StepState.SKIPPED})

UNDOES = "undoes"
"""The fact of an appended step that takes another back: that one's id."""
WHY = "why"
"""The fact beside it: who wanted it, and the reason."""
UNDONE = "undone from "
"""How the reason begins of a step that an undo left out."""
ORDERED_AT = "ordered_at"
"""The fact of a step that resumes the exposed credential: when a person last said so, in epoch seconds."""

ASKED = "by hand: "
"""How the reason of a step begins that waits for what a person does; what he is asked to do follows."""

SCHEDULED = "scheduled"
"""The reason of a step that is held for its time alone; held for any other reason it waits for a person."""


@dataclass(frozen=True, slots=True)
class Step:
    """One action on one subject at one target. Times in epoch seconds; `facts` are plain, non-secret and JSON-ready."""

    id: str
    branch: str
    position: int
    name: str
    target: str
    verb: Verb
    subject: Subject
    lane: Lane
    expect: Expect | None = None
    retry_for_s: float | None = None
    hold_for_s: float | None = None
    hold_until: Until | None = None
    state: StepState = StepState.PENDING
    attempts: int = 0
    started_at: float | None = None
    intended_at: float | None = None
    settled_at: float | None = None
    held_at: float | None = None
    reason: str | None = None
    facts: Mapping[str, object] = field(default_factory=dict)
    undo: Verb | None = None
    calls: int = 1

    @property
    def do(self) -> str:
        """Return the step as the playbook writes it."""
        return f"{self.verb} {self.subject}"

    @property
    def by_hand(self) -> str | None:
        """Return what a person is asked to do here, None where a machine does it."""
        told = self.facts.get(BY_HAND)
        return None if told is None else str(told)

    @property
    def said_done(self) -> str | None:
        """Return who says that it was done by hand, and the reason; None while nobody does."""
        told = self.facts.get(SAID_DONE)
        return None if told is None else str(told)

    @property
    def asks(self) -> bool:
        """Tell whether it waits for what a person was asked to do."""
        return self.state is StepState.HELD and (self.reason or "").startswith(ASKED)

    @property
    def waits_for_time(self) -> bool:
        """Tell whether it goes on by itself once its time has come."""
        return self.state is StepState.HELD and self.reason == SCHEDULED

    @property
    def waits_for_person(self) -> bool:
        """Tell whether it is held and nothing but a person, or another run, will move it."""
        return self.state is StepState.HELD and self.reason != SCHEDULED


@dataclass(frozen=True, slots=True)
class Branch:
    """The line of steps for one target; lease, fence and evidence chain belong to it.

    `granted` are the calls that its `account` allowed with this claim, None where no budget limits it; a `probe` finds
    out for all whether an account that failed answers again. `stopped` is why a person stopped it, if one did.
    """

    id: str
    run: str
    segment: int
    target: str
    state: BranchState
    fence: int
    length: int
    head: str
    account: str = ""
    granted: int | None = None
    probe: bool = False
    stopped: str | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """One execution for one credential. Times in epoch seconds; each is the first moment at which it was so."""

    id: str
    incident: str
    ref: CredentialRef
    kind: str
    strategy: Strategy
    why: str
    priority: float
    deliver: tuple[Place, ...] = ()
    consumers: tuple[ConsumerAddress, ...] = ()
    requested_at: float | None = None
    acknowledged_at: float | None = None
    dead_at: float | None = None
    contained_at: float | None = None
    evidence: Evidence = Evidence.NONE
    replaced_at: float | None = None
    replacement: str | None = None
    converged_at: float | None = None
    destroyed_at: float | None = None
    dismissed: str | None = None
    wave: int = 0
    risk_accepted: str | None = None


@dataclass(frozen=True, slots=True)
class Work:
    """All that one claim sees: its branch, the whole run's steps, and the proofs of every door.

    `sealed` is the exposed secret as the ledger keeps it, None when there is none any more.
    """

    run: Run
    branch: Branch
    steps: tuple[Step, ...]
    proofs: Mapping[str, Proof]
    sealed: bytes | None = field(default=None, repr=False)

    @property
    def mine(self) -> list[Step]:
        """Return this branch's steps in order."""
        return [step for step in self.steps if step.branch == self.branch.id]

    @property
    def next_step(self) -> Step | None:
        """Return the first step that is not through, or None when the branch is."""
        return next((step for step in self.mine if step.state not in THROUGH), None)

    def preserved(self, target: str = "") -> dict[str, str]:
        """Return what `preserve` kept, the run's own first, then the target's."""
        kept: dict[str, str] = {}
        for step in self.steps:
            if step.verb is Verb.PRESERVE and step.target in {"", target}:
                kept.update({key: str(value) for key, value in step.facts.items()})
        return kept

    @property
    def minted(self) -> Mapping[str, object]:
        """Return the facts of the step that made the replacement; empty while there is none."""
        for step in self.steps:
            if step.verb in MINTING and step.state is StepState.DONE:
                return step.facts
        return {}

    def facts_of(self, verb: Verb) -> Mapping[str, object]:
        """Return the facts of the last finished step with that verb."""
        found = [step.facts for step in self.steps if step.verb is verb and step.state is StepState.DONE]
        return found[-1] if found else {}


def calls_ahead(steps: Sequence[PlannedStep | Step]) -> int:
    """Return what the next stretch of a branch costs in calls: its steps in order, up to a wait or another lane."""
    cost = 0
    for place, step in enumerate(steps):
        waits = step.hold_for_s is not None or step.hold_until in GATES or step.expect is Expect.REJECTED
        if place and (waits or step.lane is not steps[0].lane):
            break
        cost += step.calls
    return cost


def taken_back(steps: Sequence[Step]) -> frozenset[str]:
    """Return the ids of the steps that an undo takes back; one that was skipped before it was tried takes none."""
    return frozenset(
        str(step.facts[UNDOES])
        for step in steps
        if UNDOES in step.facts and (step.attempts or step.state is not StepState.SKIPPED)
    )


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
    )


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
