"""The credentials that could live shortly: where each lies, how old it is, and how it is converted."""

from __future__ import annotations

from typing import Any

from rotator.bootstrap import Rotator
from rotator.flow.risk import factor_of
from rotator.flow.short_life import ShortLived
from rotator.ledger.routines import Routines
from rotator.report.clocks import moment
from rotator.shown.segmentation import Measured

_DAY_S = 86400.0


def rows(measured: Measured, parts: Rotator, now: float) -> list[dict[str, Any]]:
    """Return them as data, the most critical first, then the oldest; of whom nobody knows the age last."""
    graph = measured.graph()
    made = {each.ref: each.made_at for each in Routines(parts.database).there()}
    sites = graph.sites()
    found = []
    for number, each in enumerate(graph.stock):
        playbook = parts.playbooks.get(each.ref.provider)
        if playbook is None or playbook.short_lived is None:
            continue
        at = made.get(each.ref)
        row = {
            "provider": each.ref.provider,
            "connection": each.ref.connection,
            "owner": each.ref.owner,
            "id": each.ref.id,
            "criticality": graph.criticality[number],
            "places": sites.get(number, []),
            "made_at": moment(at),
            "age_days": None if at is None else int(max(now - at, 0.0) // _DAY_S),
            "by": playbook.short_lived.by,
            "moves": moves(playbook.short_lived),
            "prepared_by": "machine" if playbook.short_lived.is_prepared else "person",
        }
        found.append((-factor_of(graph.criticality[number]), now if at is None else at, row))
    return [row for *_, row in sorted(found, key=lambda each: each[:2])]


def listed(parts: Rotator, now: float) -> list[dict[str, Any]]:
    """Return them as the inventory has them now."""
    return rows(Measured(parts), parts, now)


def moves(short: ShortLived) -> list[str]:
    """Return who does which move, in order: `1. person: …`, `2. machine: prepare`."""
    return [
        f"{number}. person: {each.person}" if each.person else f"{number}. machine: {each.machine}"
        for number, each in enumerate(short.moves, 1)
    ]
