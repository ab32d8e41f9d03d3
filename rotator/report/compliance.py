"""The compliance report as data: how the exposed credentials of a period were answered, as docs/metrics.md defines it.

Every figure follows from an evidence pack alone; tests/evidence/recompute.py does it again, with no code of ours.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any

from rotator import __version__
from rotator.flow import punctuality
from rotator.flow.drill import readiness
from rotator.flow.objective import Objective, judged
from rotator.flow.playbook_words import Strategy
from rotator.flow.response import CLOCKS, Response, counted, exposure, risk_hours, spans, times
from rotator.flow.survival import Span
from rotator.ledger.pause_gates import Override
from rotator.ledger.responses import Found, Unapproved
from rotator.report import controls
from rotator.report.clocks import moment

STATES: Mapping[str, str] = {
    "proven_dead": "the secret was accepted before, then refused for its issuer's settle time, unbroken",
    "stated_only": "its issuer says that it is dead; nobody saw it refused",
    "let_in_again": "a grant that a vendor got back as it was let in again, after its pause had stopped it",
    "dismissed": "a person says that it is no leak to answer, and why",
    "excluded": "a person left it out of the plan, alive, and said why",
    "manual": "no machine here can answer it: a task for a person",
    "not_approved": "its plan waits for somebody's approval: nothing of it has begun",
    "left_alive": "only what was derived from it was cut; it lives",
    "open": "work on it has begun, held or not, and its death is not proven",
}
"""Where a credential stands: in the first of these that fits, so that they partition the population."""
BESIDE: Mapping[str, str] = {
    "risk_accepted": "a person accepted that a living stolen credential may read its replacement",
    "broke_glass": "begun by one person without the approval that is agreed on",
    "standing_order": "begun by an alarm under a standing order, before any person looked",
    "review_open": "of these two, what nobody else has looked at since",
    "gate_overridden": "a person opened a gate of a paused vendor against what was found, whenever that was",
}
"""Exceptions that stand beside a state."""
NOT_KNOWN = "not known"
"""The group of what nobody said a vendor of."""
_OPEN = "contained, and not proven dead", "stopped by its issuer, and not contained", "not stopped yet"


@dataclass(frozen=True, slots=True)
class Made:
    """Who made a report, and under which checkpoint: the hash of the newest, when it was signed, and by which key.

    `witnesses` are who has checkpoints outside, by address, with since when it lacks what was signed, None for nothing.
    """

    by: str = ""
    checkpoint: str = ""
    signed_at: float | None = None
    key: str = ""
    witnesses: Mapping[str, float | None] = field(default_factory=dict)


UNSIGNED = Made()


def build(  # noqa: PLR0917 - what a report is of
    found: Found,
    begin: float,
    end: float,
    made_at: float,
    targets: Sequence[Objective] = (),
    made: Made = UNSIGNED,
) -> dict[str, Any]:
    """Return the report of what came from `begin` on and before `end`, as it stood at `made_at`; epoch seconds."""
    made_at = round(made_at, 3)
    everything = sorted(found.responses, key=lambda each: (each.incident, len(each.of), each.of))
    mine = counted(everything)
    listed = [*_exceptions(everything), *_unapproved(found.unapproved), *_overridden(found.overrides)]
    states = [state_of(each) for each in everything]
    return {
        "compliance": {
            "from": moment(begin),
            "to": moment(end),
            "made_at": moment(made_at),
            "made_by": made.by,
            "rotator": __version__,
        },
        "evidence": {
            "checkpoint": made.checkpoint,
            "signed_at": moment(made.signed_at),
            "key": made.key,
            "witnesses": [{"name": name, "lacks_since": moment(at)} for name, at in made.witnesses.items()],
        },
        "population": {
            "incidents": len({each.incident for each in everything}),
            "credentials": len(everything),
            "counted": len(mine),
            "looked_at": len(everything),
            "without_evidence": found.without_evidence,
        },
        "states": {name: states.count(name) for name in STATES},
        "clocks": {name: times(spans(clock, mine, made_at)) for name, clock in CLOCKS.items()},
        "exposure": exposure(risk_hours(each, made_at) for each in mine),
        "by": _by_each(mine, made_at),
        "targets": [judged(each, mine, made_at) for each in targets],
        "exceptions": {
            "counts": {name: sum(each["sort"] == name for each in listed) for name in (*list(STATES)[1:], *BESIDE)},
            "listed": listed,
        },
        "controls": controls.told(
            everything, states, tuple(STATES)[1:], [each for each in found.duties if not each.gone], made_at
        ),
        "readiness": readiness(found.drills, made_at),
        "hygiene": _hygiene(found, made_at),
    }


def _hygiene(found: Found, made_at: float) -> dict[str, Any]:
    """Return what came due by hygiene, in all and by policy, and how old was what each policy selects."""
    aged = [] if found.survey is None else [dict(each) for each in found.survey.ages]
    mine = [each for each in found.duties if not each.gone]
    return {
        "without_evidence": len(found.duties) - len(mine),
        "all": punctuality.figures(mine, made_at),
        "policies": punctuality.by_policy(mine, made_at),
        "ages": {
            "at": moment(found.survey.at if found.survey else None),
            "all": punctuality.in_all(aged),
            "policies": aged,
        },
    }


def state_of(each: Response) -> str:
    """Return where a credential stands."""
    if each.dismissed is not None:
        return "excluded" if each.of.rpartition(".")[2].startswith("x") else "dismissed"
    if each.is_task:
        return "manual"
    if each.dead_at is not None:
        return "proven_dead"
    if each.stated:
        return "stated_only"
    if each.is_let_in:
        return "let_in_again"
    if each.requested_at is None:
        return "not_approved"
    return "left_alive" if each.strategy == Strategy.CUT_ONLY else "open"


@functools.lru_cache(maxsize=1000)  # many came to their incident at one moment
def _month(declared_at: float) -> str:
    return moment(declared_at)[:7]


_BY: Mapping[str, Callable[[Response], str]] = {
    **{name: attrgetter(name) for name in ("incident", "provider", "connection", "owner", "severity")},
    "vendor": lambda each: each.vendor or NOT_KNOWN,
    "period": lambda each: _month(each.declared_at),
}


def _by_each(responses: Sequence[Response], made_at: float) -> dict[str, list[dict[str, Any]]]:
    """Return the groups of each sort; what is measured of a response is measured once for all of them."""
    until_dead = spans(CLOCKS["proven_dead"], responses, made_at)
    hours = [risk_hours(each, made_at) for each in responses]
    return {sort: _by(map(told, responses), until_dead, hours) for sort, told in _BY.items()}


def _by(names: Iterable[str], until_dead: Sequence[Span | None], hours: Sequence[float | None]) -> list[dict[str, Any]]:
    groups: dict[str, list[int]] = {}
    for number, name in enumerate(names):
        groups.setdefault(name, []).append(number)
    return [
        {
            "name": name,
            "credentials": len(mine),
            "proven_dead": times(until_dead[number] for number in mine),
            **exposure(hours[number] for number in mine),
        }
        for name, mine in sorted(groups.items())
    ]


def _exceptions(responses: Iterable[Response]) -> Iterable[dict[str, Any]]:
    for each in responses:
        state = state_of(each)
        if state != "proven_dead":
            yield _exception(state, each, _why(state, each))
        if each.risk_accepted is not None:
            yield _exception("risk_accepted", each, each.risk_accepted)


def _why(state: str, each: Response) -> str:
    if each.dismissed is not None:
        return each.dismissed
    if state == "manual":
        return each.reason
    if state == "open":
        return _OPEN[0 if each.contained_at is not None else 1 if each.acknowledged_at is not None else 2]
    return STATES[state]


def _exception(sort: str, each: Response, reason: str) -> dict[str, Any]:
    names = {name: getattr(each, name) for name in ("incident", "of", "provider", "connection", "owner", "credential")}
    return {"sort": sort, **names, "reason": reason}


def _unapproved(found: Iterable[Unapproved]) -> Iterable[dict[str, Any]]:
    for each in sorted(found, key=lambda one: (one.incident, one.at, one.plan, one.scope, one.by)):
        what = {"incident": each.incident, "of": f"plan {each.plan}, {each.scope}"}
        names = {**what, "provider": "", "connection": "", "owner": "", "credential": ""}
        sort = "broke_glass" if each.glass else "standing_order"
        yield {"sort": sort, **names, "reason": f"{each.by}: {each.glass}" if each.glass else each.by}
        if not each.reviewed_by:
            yield {"sort": "review_open", **names, "reason": f"of {each.by}"}


def _overridden(found: Iterable[Override]) -> Iterable[dict[str, Any]]:
    for each in sorted(found, key=lambda one: (one.incident, one.at, one.gate, one.by)):
        what = {"incident": each.incident, "of": f"vendor {each.vendor}, gate {each.gate}"}
        names = {**what, "provider": "", "connection": "", "owner": "", "credential": ""}
        yield {"sort": "gate_overridden", **names, "reason": f"{each.by}: {each.reason}"}
