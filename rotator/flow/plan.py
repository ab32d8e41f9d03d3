"""Plans: playbooks resolved for one incident, with a strategy for each credential and the order of the whole."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from itertools import groupby

from rotator.credential import CredentialRef
from rotator.flow.playbook import Expect, Line, Playbook, Strategy, Subject, Until, Verb
from rotator.flow.scope import ConsumerAddress, Scoped, Unresolved
from rotator.ports import Place

MINTING = frozenset({Verb.ISSUE, Verb.GENERATE})
_RISK = {"low": 1.0, "medium": 3.0, "high": 9.0, "critical": 27.0}


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
    """What will be done for one credential, and why that way. A higher `priority` goes first."""

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

    @property
    def destroys(self) -> bool:
        """Tell whether something here cannot be undone."""
        return any(step.verb is Verb.REVOKE for segment in self.segments for step in segment.steps)


@dataclass(frozen=True, slots=True)
class Plan:
    """The answer to one incident. Its digest is what a person approves."""

    runs: tuple[PlannedRun, ...]
    manual: tuple[Unresolved, ...]
    warnings: tuple[str, ...] = ()
    digest: str = field(init=False)

    def __post_init__(self) -> None:
        body = {
            "runs": [asdict(run) for run in self.runs],
            "manual": [[entry.kind, entry.key, entry.reason] for entry in self.manual],
        }
        text = json.dumps(body, sort_keys=True, separators=(",", ":"))
        object.__setattr__(self, "digest", hashlib.sha256(text.encode()).hexdigest()[:16])


def make(
    scoped: Iterable[Scoped],
    unresolved: Iterable[Unresolved],
    playbooks: Mapping[str, Playbook],
    targets: Mapping[CredentialRef, tuple[str, ...]],
    *,
    wanted: Strategy | None = None,
    answered: Mapping[CredentialRef, str] | None = None,
    costs: Callable[[str, str], Mapping[str, int]] = lambda _kind, _connection: {},
) -> Plan:
    """Resolve one run per credential and order them, the greatest fall of exposure per call first.

    The same credentials make the same plan, in whatever order the reports name them.

    `targets` has the doors of each credential of a kind that stands on several. `wanted` is the strategy a person
    asked for; a kind that does not have it keeps its own first one, and says so. `costs` tells how many calls each verb
    costs for a kind on a connection. `answered` names the run of an earlier
    incident whose replacement its consumers hold already: its death is proven, and no second replacement is made.
    """
    answered = answered or {}
    runs: list[PlannedRun] = []
    warnings: list[str] = []
    replaced: dict[tuple[str, str, str, tuple[Place, ...]], CredentialRef] = {}
    for each in sorted(scoped, key=lambda one: one.ref):
        strategy, why = _strategy(each, playbooks[each.kind], wanted)
        if _mints(playbooks[each.kind], strategy):
            # Two exposed keys of one owner have one set of consumers: a second replacement would be an orphan.
            slot = (each.kind, each.ref.connection, each.ref.owner, each.custody.deliver)
            first = replaced.setdefault(slot, each.ref) if each.ref not in answered else None
            if first is None:
                strategy, why = Strategy.REVOKE_ONLY, f"its replacement comes with {answered[each.ref]}"
            elif first != each.ref:
                strategy, why = Strategy.REVOKE_ONLY, f"its owner's replacement comes with {first.id}"
        if strategy is Strategy.REPLACE_FIRST and each.reaches & {place.connection for place in each.custody.deliver}:
            warnings.append(f"{each.ref}: under replace_first the exposed credential may read its own replacement")
        if each.ref.owner == "" and each.custody.match == {}:
            warnings.append(f"{each.ref}: owner unknown")
        calls = costs(each.kind, each.ref.connection)
        runs.append(_run(each, playbooks[each.kind], strategy, why, targets.get(each.ref, ()), calls))
    runs.sort(key=lambda run: (-run.priority, run.ref))
    manual = sorted(unresolved, key=lambda entry: (entry.kind or "", entry.key, entry.reason))
    return Plan(tuple(runs), tuple(manual), tuple(warnings))


def _strategy(each: Scoped, playbook: Playbook, wanted: Strategy | None) -> tuple[Strategy, str]:
    allowed = playbook.strategies
    strategy, why = allowed[0], "the playbook's first choice"
    if wanted is not None:
        if wanted in allowed:
            strategy, why = wanted, "asked for"
        else:
            why = f"{playbook.playbook} has no {wanted}"
    if _mints(playbook, strategy) and not each.custody.deliver:
        why = "no [[credentials]] entry says where a replacement would go"
        return Strategy.REVOKE_ONLY, why
    return strategy, why


def _mints(playbook: Playbook, strategy: Strategy) -> bool:
    return any(line.do.verb in MINTING for line in playbook.path(strategy))


def _run(  # noqa: PLR0917 - what a run is made of
    each: Scoped,
    playbook: Playbook,
    strategy: Strategy,
    why: str,
    targets: tuple[str, ...],
    costs: Mapping[str, int],
) -> PlannedRun:
    segments = _segments(playbook.path(strategy), targets, costs, has_consumers=bool(each.custody.consumers))
    calls = sum(step.calls * len(segment.targets) for segment in segments for step in segment.steps)
    risk = _RISK.get(each.custody.criticality, _RISK["medium"])
    replaces = _mints(playbook, strategy)
    return PlannedRun(
        ref=each.ref,
        kind=each.kind,
        strategy=strategy,
        why=why,
        priority=round(risk * (1 + len(each.reaches)) / max(calls, 1), 6),
        segments=segments,
        deliver=each.custody.deliver if replaces else (),
        consumers=each.custody.consumers if replaces else (),
        reaches=tuple(sorted(each.reaches)),
        exposures=len(each.exposures),
    )


def _segments(
    lines: Sequence[Line], targets: tuple[str, ...], costs: Mapping[str, int], *, has_consumers: bool
) -> tuple[Segment, ...]:
    wanted = [line for line in lines if has_consumers or line.do.subject is not Subject.CONSUMERS]
    segments: list[Segment] = []
    for each, stretch in groupby(wanted, key=lambda line: line.each):
        found = list(stretch)
        segments.append(
            Segment(
                targets=targets if each else ("",),
                quorum=max((line.quorum for line in found if line.quorum), default=100),
                steps=tuple(_planned(line, costs) for line in found),
            )
        )
    return _compared(segments, costs)


def _compared(segments: Sequence[Segment], costs: Mapping[str, int]) -> tuple[Segment, ...]:
    """Put a comparison with the ledger before what waits for long, and at the end: nothing of ours may be left over."""
    if not any(step.verb in MINTING for segment in segments for step in segment.steps):
        return tuple(segments)
    found: list[Segment] = []
    for segment in segments:
        waits = next((n for n, step in enumerate(segment.steps) if step.hold_for_s is not None), None)
        if waits is None or segment.targets != ("",):
            found.append(segment)
            continue
        steps = (*segment.steps[:waits], _comparison("compare", costs), *segment.steps[waits:])
        found.append(replace(segment, steps=steps))
    if found[-1].targets == ("",):
        found[-1] = replace(found[-1], steps=(*found[-1].steps, _comparison("compare_last", costs)))
    else:
        found.append(Segment(("",), 100, (_comparison("compare_last", costs),)))
    return tuple(found)


def _comparison(name: str, costs: Mapping[str, int]) -> PlannedStep:
    return PlannedStep(name, Verb.COMPARE, Subject.REPLACEMENT, Lane.REPLACE, calls=costs.get(Verb.COMPARE, 1))


def _planned(line: Line, costs: Mapping[str, int]) -> PlannedStep:
    return PlannedStep(
        name=line.id,
        verb=line.do.verb,
        subject=line.do.subject,
        lane=Lane.CONTAIN if line.do.subject is Subject.EXPOSED else Lane.REPLACE,
        expect=line.expect,
        retry_for_s=line.retry_for,
        hold_for_s=line.hold.for_ if line.hold else None,
        hold_until=line.hold.until if line.hold else None,
        undo=line.undo,
        calls=costs.get(line.do.verb, 1),
    )
