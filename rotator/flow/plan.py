"""Plans: playbooks resolved for one incident, with a strategy for each credential and the order of the whole."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import starmap
from typing import TYPE_CHECKING

from rotator.credential import CredentialRef
from rotator.flow.access import NO_USES, Uses
from rotator.flow.choice import NOTHING_KEPT, Choice, by_name
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
from rotator.flow.planned import Plan, PlannedRun
from rotator.flow.playbook_words import Strategy
from rotator.flow.risk import risk_of
from rotator.flow.scope import Scoped, Unresolved
from rotator.flow.segments import Paths
from rotator.flow.stored import answered_by_delivery, told_of
from rotator.flow.wish import Wishes

if TYPE_CHECKING:
    from rotator.flow.playbook import Playbook

NOTHING_ELSEWHERE = Elsewhere()


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
    unreplaced: Mapping[CredentialRef, str] = NOTHING_KEPT,
) -> Plan:
    """Resolve one run per credential and order them, the greatest fall of exposure per call first.

    The same credentials make the same plan, in whatever order the reports name them.

    `targets` has the doors of each credential of a kind that stands on several. `wanted` is the strategy a person
    asked for; a kind that does not have it keeps its own first one, and says so. What `exclusions` take out stays in
    the plan as that, and is warned of where others depend on it. `answered` names the run of an earlier
    incident whose replacement its consumers hold already: its death is proven, and no second replacement is made.
    `costs` tells how many calls each verb costs for a kind on a connection; `elsewhere` what other incidents do, and
    what they left alive; `warned` what is to be said of the scope. `uses` is what access logs tell of each id: who was
    used otherwise since its exposure goes earlier. `unreplaced` says why nothing new is made for some.

    Raises BadInput for a wish or an exclusion that cannot be followed.
    """
    asked = wanted if isinstance(wanted, Wishes) else Wishes(wanted)
    found, unresolved, excluded = take_out(scoped, unresolved, exclusions)
    choice = Choice(
        playbooks, asked.of_all, answered or {}, targets, asked.resolved(found, playbooks), unreplaced=unreplaced
    )
    known, manual = choice.sort_out(found)
    sharing = shared(each for each in known if choice.mints(each))
    stored = answered_by_delivery(known, sharing)
    known = [each for each in known if each.ref not in stored]
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
    paths = Paths(playbooks, costs)
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
    return Plan(tuple(runs), tuple(left), (*warned, *told_of(stored), *warnings, *unsafe, *beyond), tuple(excluded))


def _run(  # noqa: PLR0917 - what a run is made of
    each: Scoped,
    strategy: Strategy,
    why: str,
    paths: Paths,
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
        weight=risk_of(each, uses).score,
        vendor=each.custody.vendor,
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
