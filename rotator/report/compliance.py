"""The compliance report as data: how the exposed credentials of a period were answered, as docs/metrics.md defines it.

Every figure follows from an evidence pack alone; tests/evidence/recompute.py does it again, with no code of ours.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from rotator.flow.playbook_words import Strategy
from rotator.flow.response import CLOCKS, Response, counted, exposure, times
from rotator.flow.target import Target, judged
from rotator.ledger.responses import Found, Unapproved
from rotator.report import controls
from rotator.report.clocks import moment

STATES: Mapping[str, str] = {
    "proven_dead": "the secret was accepted before, then refused for its issuer's settle time, unbroken",
    "stated_only": "its issuer says that it is dead; nobody saw the secret itself refused",
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
}
"""Exceptions that stand beside a state."""
_OPEN = "contained, and not proven dead", "stopped by its issuer, and not contained", "not stopped yet"


def build(found: Found, begin: float, end: float, made_at: float, targets: Sequence[Target] = ()) -> dict[str, Any]:
    """Return the report of what came from `begin` on and before `end`, as it stood at `made_at`; epoch seconds."""
    made_at = round(made_at, 3)
    everything = sorted(found.responses, key=lambda each: (each.incident, len(each.of), each.of))
    mine = counted(everything)
    listed = [*_exceptions(everything), *_unapproved(found.unapproved)]
    states = [state_of(each) for each in everything]
    return {
        "compliance": {"from": moment(begin), "to": moment(end), "made_at": moment(made_at)},
        "population": {
            "incidents": len({each.incident for each in everything}),
            "credentials": len(everything),
            "counted": len(mine),
            "looked_at": len(everything),
        },
        "states": {name: states.count(name) for name in STATES},
        "clocks": {name: times(clock, mine, made_at) for name, clock in CLOCKS.items()},
        "exposure": exposure(mine, made_at),
        "by": {name: _by(told, mine, made_at) for name, told in _BY.items()},
        "targets": [judged(each, mine, made_at) for each in targets],
        "exceptions": {
            "counts": {name: sum(each["sort"] == name for each in listed) for name in (*list(STATES)[1:], *BESIDE)},
            "listed": listed,
        },
        "controls": controls.told(mine),
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
    if each.requested_at is None:
        return "not_approved"
    return "left_alive" if each.strategy == Strategy.CUT_ONLY else "open"


def _month(each: Response) -> str:
    return moment(each.declared_at)[:7]


_BY: Mapping[str, Callable[[Response], str]] = {
    "provider": lambda each: each.provider,
    "connection": lambda each: each.connection,
    "owner": lambda each: each.owner,
    "severity": lambda each: each.severity,
    "period": _month,
}


def _by(told: Callable[[Response], str], responses: Iterable[Response], made_at: float) -> list[dict[str, Any]]:
    groups: dict[str, list[Response]] = {}
    for each in responses:
        groups.setdefault(told(each), []).append(each)
    return [
        {
            "name": name,
            "credentials": len(groups[name]),
            "proven_dead": times(CLOCKS["proven_dead"], groups[name], made_at),
            **exposure(groups[name], made_at),
        }
        for name in sorted(groups)
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
