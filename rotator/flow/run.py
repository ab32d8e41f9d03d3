"""Runs: one execution of a playbook for one credential, as its branches, steps and proofs stand now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from rotator.credential import CredentialRef
from rotator.flow.planned import BY_HAND, OWNER_ASKED, SAID_DONE, Lane, PlannedStep
from rotator.flow.playbook_words import BRINGING, GATES, MINTING, Expect, Strategy, Subject, Until, Verb
from rotator.flow.proof import Evidence, Proof
from rotator.flow.scope import ConsumerAddress
from rotator.ports.store import Place


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

AGAIN = "again"
"""The fact of an appended step that stops once more what came back: the step that stopped it before."""

LET_IN = "let_in"
"""The fact of a step that resumes a grant as its vendor is let in again: by which restore, in words."""

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
    def is_new(self) -> bool:
        """Tell whether it makes a replacement, lets it in, or has consumers read it."""
        return self.verb in BRINGING and self.subject is Subject.REPLACEMENT

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
    def waits_for_owner(self) -> str | None:
        """Return why its owners have time to speak, and whom that is; None where it does not wait for them now."""
        return str(self.facts[OWNER_ASKED]) if self.waits_for_time and OWNER_ASKED in self.facts else None

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
    """One execution for one credential. Times in epoch seconds; each is the first moment at which it was so.

    It came with a `revision` of its incident's plan. Its `predecessor` is the run that made the credential which has
    leaked, as a replacement. `let_in_at` is when a vendor had its grant again, as its pause was restored.
    """

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
    let_in_at: float | None = None
    dismissed: str | None = None
    wave: int = 0
    risk_accepted: str | None = None
    revision: int = 1
    predecessor: str | None = None

    @property
    def is_answered(self) -> bool:
        """Tell whether its credential is dead, or a grant that its vendor has again by a restore."""
        return self.dead_at is not None or self.let_in_at is not None


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
