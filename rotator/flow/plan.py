"""Plans: playbooks resolved for one incident, with a strategy for each credential and the order of the whole."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from enum import StrEnum
from itertools import groupby, starmap
from typing import TYPE_CHECKING

from rotator.credential import CredentialRef
from rotator.flow.access import NO_USES, Uses
from rotator.flow.choice import MINTING, Choice, by_name
from rotator.flow.exclusion import Excluded, Exclusion, take_out, warnings_of_excluded, warnings_of_left
from rotator.flow.order import (
    PRODUCTION,
    Elsewhere,
    Left,
    Shared,
    names,
    passes,
    priority,
    shared,
    waves,
)
from rotator.flow.playbook_words import Expect, Strategy, Subject, Until, Verb
from rotator.flow.scope import ConsumerAddress, Scoped, Unresolved
from rotator.flow.wish import Wishes
from rotator.ports import Place

if TYPE_CHECKING:
    # Who reads or works the ledger needs no playbook, and does not wait for one's model to be built.
    from rotator.flow.playbook import Playbook
    from rotator.flow.playbook_line import Line

NOTHING_ELSEWHERE = Elsewhere()


_ELSEWHERE = frozenset({Verb.GENERATE, Verb.PROMOTE, Verb.DEMOTE, Verb.RELOAD})
"""Verbs that ask nothing of the issuer."""


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
    what `awaits` names has been replaced.
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


_TOLD = [each.name for each in fields(PlannedRun) if each.name != "segments"]


def _told(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), default=_in_order)


def _in_order(noun: CredentialRef | Place | ConsumerAddress) -> list[object]:
    return [getattr(noun, name) for name in noun.__slots__]


def make(
    scoped: Iterable[Scoped],
    unresolved: Iterable[Unresolved],
    playbooks: Mapping[str, Playbook],
    targets: Mapping[CredentialRef, tuple[str, ...]],
    *,
    wanted: Strategy | Wishes | None = None,
    exclusions: Sequence[Exclusion] = (),
    answered: Mapping[CredentialRef, str] | None = None,
    costs: Callable[[str, str], Mapping[str, int]] = lambda _kind, _connection: {},
    elsewhere: Elsewhere = NOTHING_ELSEWHERE,
    warned: Sequence[str] = (),
    uses: Mapping[str, Uses] = NO_USES,
) -> Plan:
    """Resolve one run per credential and order them, the greatest fall of exposure per call first.

    The same credentials make the same plan, in whatever order the reports name them.

    `targets` has the doors of each credential of a kind that stands on several. `wanted` is the strategy a person
    asked for; a kind that does not have it keeps its own first one, and says so. What `exclusions` take out stays in
    the plan as that, and is warned of where others depend on it. `answered` names the run of an earlier
    incident whose replacement its consumers hold already: its death is proven, and no second replacement is made.
    `costs` tells how many calls each verb costs for a kind on a connection; `elsewhere` what other incidents do, and
    what they left alive; `warned` what is to be said of the scope. `uses` is what access logs tell of each id: who was
    used otherwise since its exposure goes earlier.

    Raises BadInput for a wish or an exclusion that cannot be followed.
    """
    asked = wanted if isinstance(wanted, Wishes) else Wishes(wanted)
    found, unresolved, excluded = take_out(scoped, unresolved, exclusions)
    choice = Choice(playbooks, asked.of_all, answered or {}, targets, asked.resolved(found, playbooks))
    known, manual = choice.sort_out(found)
    sharing = shared(each for each in known if choice.mints(each))
    for each in known:
        first = sharing[each.ref].first if each.ref in sharing else each.ref
        if first != each.ref:
            choice.made[each.ref] = Strategy.REVOKE_ONLY, f"its owner's replacement comes with {first.id}"
    through = {
        each.ref: passes(each, sharing[each.ref].deliver if each.ref in sharing else ())
        for each in known
        if choice.mints(each)
    }
    warnings = choice.contain_rather(known, through, elsewhere)
    warnings += [f"{each.ref}: owner unknown" for each in known if each.ref.owner == "" and each.custody.match == {}]
    paths = _Paths(playbooks, costs)
    runs = [
        _run(
            each,
            *choice.made[each.ref],
            paths,
            targets.get(each.ref, ()),
            sharing.get(each.ref),
            through,
            uses.get(each.ref.id),
        )
        for each in known
    ]
    runs, unsafe = _await_own(runs)
    runs = _in_waves(runs, known)
    left = sorted([*unresolved, *manual], key=lambda entry: (entry.kind or "", entry.key, entry.reason))
    beyond = [
        *_beyond(runs, left),
        *_of_excluded(runs, excluded),
        *_of_others(runs, left, excluded, elsewhere.left),
    ]
    return Plan(tuple(runs), tuple(left), (*warned, *warnings, *unsafe, *beyond), tuple(excluded))


class _Paths:
    """The segments of each kind and strategy, made once for all that share them."""

    def __init__(self, playbooks: Mapping[str, Playbook], costs: Callable[[str, str], Mapping[str, int]]) -> None:
        self._playbooks, self._costs = playbooks, costs
        self._found: dict[tuple[object, ...], tuple[tuple[Segment, ...], int, bool]] = {}

    def of(
        self, each: Scoped, strategy: Strategy, targets: tuple[str, ...], *, told: bool
    ) -> tuple[tuple[Segment, ...], int, bool]:
        """Return the segments, the calls until the credential is proven dead, and whether a replacement is made."""
        key = (each.kind, each.ref.connection, strategy, targets, told)
        if key not in self._found:
            costs = self._costs(each.kind, each.ref.connection)
            path = self._playbooks[each.kind].path(strategy)
            segments = _segments(path, targets, costs, has_consumers=told)
            minting = any(line.do.verb in MINTING for line in path)
            self._found[key] = segments, calls_until_dead(segments), minting
        return self._found[key]


def calls_until_dead(segments: Iterable[Segment]) -> int:
    """Return the calls up to the knock that proves the exposed one dead, all of them where no knock does."""
    calls = 0
    for segment in segments:
        for step in segment.steps:
            calls += step.calls * len(segment.targets)
            if (step.verb, step.subject, step.expect) == (Verb.VERIFY, Subject.EXPOSED, Expect.REJECTED):
                return calls
    return calls


def _run(  # noqa: PLR0917 - what a run is made of
    each: Scoped,
    strategy: Strategy,
    why: str,
    paths: _Paths,
    targets: tuple[str, ...],
    shares: Shared | None,
    through: Mapping[CredentialRef, frozenset[str]],
    uses: Uses | None,
) -> PlannedRun:
    makes = shares is not None and shares.first == each.ref
    deliver, consumers = (shares.deliver, shares.consumers) if makes and shares else ((), ())
    told = bool(consumers or each.custody.consumers)
    segments, calls, _ = paths.of(each, strategy, targets, told=told)
    return PlannedRun(
        ref=each.ref,
        kind=each.kind,
        strategy=strategy,
        why=why,
        priority=priority(each, calls, uses),
        segments=segments,
        deliver=deliver,
        consumers=consumers,
        reaches=tuple(sorted(each.reaches)),
        exposures=len(each.exposures),
        reach_known=each.custody.reads is not None,
        passes=tuple(sorted(through[each.ref])) if makes else (),
        cuts=each.lifeline.cuts if each.lifeline else (),
    )


def _await_own(runs: Sequence[PlannedRun]) -> tuple[list[PlannedRun], list[str]]:
    """Let whatever needs a connection that is cut wait for its new credential; say who may read that meanwhile."""
    own: dict[str, list[PlannedRun]] = {}
    for run in runs:
        for connection in run.cuts:
            own.setdefault(connection, []).append(run)
    if not own:
        return list(runs), []
    found, unsafe = [], []
    for run in runs:
        needed = {run.ref.connection, *(place.connection for place in run.deliver)} if not run.cuts else set()
        first = {each.ref: each for connection in sorted(needed) for each in own.get(connection, ())}
        found.append(replace(run, awaits=tuple(sorted(first))))
        unsafe += [
            f"{run.ref} cannot be stopped before {each.ref.id}, the rotator's own, is replaced, and may read that"
            for each in first.values()
            if set(run.reaches) & set(each.passes)
        ]
    return found, unsafe


def _in_waves(runs: Iterable[PlannedRun], known: Iterable[Scoped]) -> list[PlannedRun]:
    """Order by priority; let production go in waves, those that share an owner's replacement together."""
    ordered = sorted(runs, key=lambda run: (-run.priority, *by_name(run.ref)))
    produces = {each.ref for each in known if each.custody.environment == PRODUCTION and each.lifeline is None}
    groups: dict[object, list[CredentialRef]] = {}
    for run in ordered:
        if run.ref in produces:
            groups.setdefault((run.kind, run.ref.connection, run.ref.owner or run.ref), []).append(run.ref)
    of = waves(list(groups.values())) if groups else {}
    return [replace(run, wave=of[run.ref]) if run.ref in of else run for run in ordered]


def _beyond(runs: Iterable[PlannedRun], manual: Iterable[Unresolved]) -> list[str]:
    """Say where new secrets will pass although a credential may read there that only a person can stop."""
    passed = {connection for run in runs for connection in run.passes}
    readers: dict[str, list[str]] = {}
    for entry in manual:
        for connection in entry.reaches & passed:
            readers.setdefault(connection, []).append(entry.key)
    return [
        f"new secrets pass {at}, where {names(keys)} may read until a person stops it"
        for at, keys in sorted(readers.items())
    ]


def _of_excluded(runs: Sequence[PlannedRun], excluded: Sequence[Excluded]) -> list[str]:
    passed = {connection for run in runs for connection in run.passes} if excluded else set()
    delivered = {(run.kind, run.ref.owner, place): run.ref for run in runs if excluded for place in run.deliver}
    return warnings_of_excluded(excluded, passed, delivered)


def _of_others(
    runs: Sequence[PlannedRun], manual: Sequence[Unresolved], excluded: Sequence[Excluded], left: Iterable[Left]
) -> list[str]:
    """Say what earlier incidents left alive that this one does not speak of itself."""
    passed = {connection for run in runs for connection in run.passes}
    reading = [each for each in left if each.reaches & passed]
    return warnings_of_left(spoken_of_elsewhere(runs, manual, excluded, reading), passed) if reading else []


def spoken_of_elsewhere(
    runs: Iterable[PlannedRun], manual: Iterable[Unresolved], excluded: Iterable[Excluded], left: Iterable[Left]
) -> list[Left]:
    """Return what earlier plans left alive and this one does not stop, leave to a person or exclude itself."""
    own: dict[str, list[tuple[str, str]]] = {}
    for run in runs:
        own.setdefault(run.ref.id, []).append((run.kind, run.ref.connection))
    for task in manual:
        own.setdefault(task.key, []).append((task.kind or "", ""))
    for out in excluded:
        own.setdefault(out.key, []).append((out.kind or "", out.ref.connection if out.ref else ""))
    return [each for each in left if not any(starmap(each.is_of, own.get(each.key, ())))]


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
        calls=0 if line.by_hand else _calls(line.do.verb, line.do.subject, costs),
        facts={BY_HAND: line.by_hand} if line.by_hand else {},
    )


def _calls(verb: Verb, subject: Subject, costs: Mapping[str, int]) -> int:
    """Return what a step costs its account: nothing, when stores, consumers or nobody is asked."""
    return 0 if subject is Subject.CONSUMERS or verb in _ELSEWHERE else costs.get(verb, 1)
