"""Drills as lists: how each went, and how fast canaries die by provider and week."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from rotator import clock
from rotator.bootstrap import Rotator
from rotator.errors import BadInput
from rotator.flow.drill import slow, took_s, trend
from rotator.flow.response import CLOCKS, Response, rounded, spans
from rotator.ledger import drill_rule, drills, responses
from rotator.ledger.drills import DrillRow
from rotator.report.clocks import moment

LAST = "last"
TOLD = ("declared", "contained", "acknowledged", "proven_dead", "replaced", "converged")
"""The clocks that are shown of a canary, all from detection on."""


def listed(parts: Rotator) -> list[dict[str, Any]]:
    """Return every drill, the latest first."""
    with parts.database.read() as connection:
        rows = drills.every(connection)
        of: dict[str, list[Response]] = {}
        for each in responses.drilled(connection, 0.0, float("inf")):
            of.setdefault(each.incident, []).append(each)
    return [_row(each, of.get(each.incident, [])) for each in rows]


def trends(parts: Rotator) -> list[dict[str, Any]]:
    """Return how long canaries lived, by provider and ISO week."""
    with parts.database.read() as connection:
        found = responses.drilled(connection, 0.0, float("inf"))
    return [dict(each) for each in trend(found, clock.now())]


def standing(parts: Rotator) -> list[dict[str, Any]]:
    """Return of each kind how its latest drill went: when it was, how long the worst canary lived, and if it was late.

    `slow` says why it was, and is empty where it was in time.
    """
    target_s = parts.settings.drills.target
    with parts.database.read() as connection:
        ended = {each.incident for each in drills.every(connection) if each.ended_at is not None}
        of: dict[str, list[Response]] = {}
        for each in sorted(responses.drilled(connection, 0.0, float("inf")), key=lambda one: one.detected_at):
            if each.incident in ended:
                of.setdefault(each.provider, []).append(each)
    return [_stands(provider, found, target_s) for provider, found in sorted(of.items())]


def _stands(provider: str, found: Sequence[Response], target_s: float | None) -> dict[str, Any]:
    last = found[-1].incident
    latest = [each for each in found if each.incident == last]
    return {
        "provider": provider,
        "incident": last,
        "at": latest[-1].detected_at,
        "worst_s": max((seconds for each in latest if (seconds := took_s(each)) is not None), default=None),
        "slow": slow(latest, [each for each in found if each.incident != last], target_s),
    }


def drill(parts: Rotator, incident: str, _called: str = "") -> dict[str, Any]:
    """Return one drill, by its incident or `last`. Raises BadInput where there is none."""
    with parts.database.read() as connection:
        latest = drills.every(connection)[:1] if incident == LAST else []
        row = latest[0] if latest else drills.find(connection, incident)
        if row is None:
            raise BadInput("no drill was held of that name", incident, "rotator drill list shows them")
        answered, late = drill_rule.answered(connection, row, parts.settings.drills.target)
    return shown(row, answered, late if row.ended_at is not None else ())


def shown(row: DrillRow, answers: Sequence[Response], late: Sequence[str]) -> dict[str, Any]:
    """Return one drill with the clocks of each of its canaries, in seconds, None for what did not come."""
    return {**_row(row, answers), "slow": list(late), "canaries": [_canary(each) for each in answers]}


def _row(row: DrillRow, answers: Sequence[Response]) -> dict[str, Any]:
    times = [seconds for each in answers if (seconds := seconds_of(each)["proven_dead"]) is not None]
    return {
        "incident": row.incident,
        "name": row.name,
        "trigger": row.trigger,
        "by": row.by,
        "at": moment(row.at),
        "ended_at": moment(row.ended_at),
        "outcome": row.outcome or "under way",
        "providers": sorted({each.provider for each in answers}),
        "count": len(answers),
        "proven_dead_s": rounded(median(times)) if times else None,
        "worst_s": rounded(max(times, default=None)),
    }


def _canary(each: Response) -> dict[str, Any]:
    named = {"provider": each.provider, "connection": each.connection, "owner": each.owner, "id": each.credential}
    return {**named, "strategy": each.strategy, "stated": each.stated, "seconds": seconds_of(each)}


def seconds_of(each: Response) -> Mapping[str, float | None]:
    """Return what each clock says of a canary."""
    found = {name: spans(CLOCKS[name], [each], 0.0) for name in TOLD}
    return {
        name: rounded(of[0].seconds) if of and of[0] is not None and of[0].ended else None for name, of in found.items()
    }
