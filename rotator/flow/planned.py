"""What a plan is made of: steps in segments, a run for each credential, and the digest that a person approves."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from enum import StrEnum
from typing import TYPE_CHECKING

from rotator.credential import CredentialRef
from rotator.flow.playbook_words import Expect, Strategy, Subject, Until, Verb
from rotator.flow.scope import ConsumerAddress, Unresolved
from rotator.ports.store import Place

if TYPE_CHECKING:
    # Only named: who reads or works the ledger excludes nothing.
    from rotator.flow.exclusion import Excluded

BY_HAND = "by_hand"
"""The fact of a step that a person does in place of a machine: what he is asked to do."""


SAID_DONE = "said_done"
"""The fact beside it once he has: who says so, and the reason."""


OWNER_ASKED = "owner_asked"
"""The fact of a step that waits until its owners had time to speak, from the moment they were told: why, and whom."""


class Lane(StrEnum):
    """Which queue works on a step; an incident never waits behind hygiene."""

    CONTAIN = "contain"
    REPLACE = "replace"
    HYGIENE = "hygiene"


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """One step of a path. Durations in seconds."""

    name: str
    verb: Verb
    subject: Subject
    lane: Lane
    expect: Expect | None = None
    retry_for_s: float | None = None
    hold_for_s: float | None = None
    hold_until: Until | None = None
    undo: Verb | None = None
    calls: int = 1
    facts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of steps that each of `targets` goes through on a branch of its own.

    What concerns the whole run has the one target "". The next segment starts when `quorum` per cent are through.
    """

    targets: tuple[str, ...]
    quorum: int
    steps: tuple[PlannedStep, ...]


@dataclass(frozen=True, slots=True)
class PlannedRun:
    """What will be done for one credential, and why that way. A higher `priority` goes first.

    `passes` are the connections that its new secret passes; `reach_known` tells whether somebody said what the exposed
    one reads. `cuts` are those on which the rotator itself uses it. It starts with its `wave` (0: at once), and when
    what `awaits` names has been replaced. A second of its exposure weighs `weight`: its risk.
    `vendor` is who holds it beside us: a report tells that, and nothing is done by it.
    """

    ref: CredentialRef
    kind: str
    strategy: Strategy
    why: str
    priority: float
    segments: tuple[Segment, ...]
    deliver: tuple[Place, ...]
    consumers: tuple[ConsumerAddress, ...]
    reaches: tuple[str, ...]
    exposures: int
    reach_known: bool = True
    passes: tuple[str, ...] = ()
    cuts: tuple[str, ...] = ()
    awaits: tuple[CredentialRef, ...] = ()
    wave: int = 0
    weight: float = 1.0
    vendor: str = ""

    @property
    def destroys(self) -> bool:
        """Tell whether something here cannot be undone."""
        return any(step.verb is Verb.REVOKE for segment in self.segments for step in segment.steps)


@dataclass(frozen=True, slots=True)
class Plan:
    """The answer to one incident. Its digest is what a person approves, with the warnings."""

    runs: tuple[PlannedRun, ...]
    manual: tuple[Unresolved, ...]
    warnings: tuple[str, ...] = ()
    excluded: tuple[Excluded, ...] = ()
    digest: str = field(init=False)

    def __post_init__(self) -> None:
        digest = hashlib.sha256()
        segments: dict[int, str] = {}  # thousands of runs share theirs
        for run in self.runs:
            told = {name: getattr(run, name) for name in _TOLD}
            if run.vendor:  # a plan that names none has the digest that earlier releases gave it
                told["vendor"] = run.vendor
            if id(run.segments) not in segments:
                segments[id(run.segments)] = _told([asdict(each) for each in run.segments])
            digest.update(f"{_told(told)} {segments[id(run.segments)]}\n".encode())
        digest.update(_told([[entry.kind, entry.key, entry.reason] for entry in self.manual]).encode())
        digest.update(_told(self.warnings).encode())
        digest.update(_told([[out.kind, out.key, out.ref, out.reason, out.by] for out in self.excluded]).encode())
        object.__setattr__(self, "digest", digest.hexdigest()[:16])

    @property
    def waves(self) -> int:
        """Return how many waves its production runs go in."""
        return max((run.wave for run in self.runs), default=0)


_TOLD = [each.name for each in fields(PlannedRun) if each.name not in {"segments", "vendor"}]


def _told(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), default=_in_order)


def _in_order(noun: CredentialRef | Place | ConsumerAddress) -> list[object]:
    return [getattr(noun, name) for name in noun.__slots__]
