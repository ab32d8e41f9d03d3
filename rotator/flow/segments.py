"""The way of a playbook and strategy as segments of planned steps, with what each costs its account."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING

from rotator.flow.planned import BY_HAND, Lane, PlannedStep, Segment
from rotator.flow.playbook_words import MINTING, Expect, Strategy, Subject, Verb
from rotator.flow.scope import Scoped

if TYPE_CHECKING:
    # Who reads or works the ledger needs no playbook, and does not wait for one's model to be built.
    from rotator.flow.playbook import Playbook
    from rotator.flow.playbook_line import Line

_ELSEWHERE = frozenset({Verb.GENERATE, Verb.PROMOTE, Verb.DEMOTE, Verb.RELOAD})
"""Verbs that ask nothing of the issuer."""


class Paths:
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
