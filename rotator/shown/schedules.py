"""What will happen by itself, and when: what waits for its time, and what expires."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from typing import Any

from rotator import clock
from rotator.bootstrap import Rotator
from rotator.errors import BadInput
from rotator.flow.planned import OWNER_ASKED
from rotator.flow.playbook_words import Subject, Until, Verb
from rotator.ledger.looking import Looking
from rotator.report.clocks import moment
from rotator.runtime_lock import is_unattended
from rotator.shown import hygiene

ON_A_PAGE = 50
SOON_S = 14 * 86400.0
"""What expires within so long is shown."""


def schedules(parts: Rotator, page: int) -> dict[str, Any]:
    """Return what comes, a page of it or the last one, the next first; and what expires soon, or has."""
    looking, now = Looking(parts.database), clock.now()
    count, found = looking.scheduled(ON_A_PAGE, (page - 1) * ON_A_PAGE)
    pages = max(-(-count // ON_A_PAGE), 1)
    if page > pages:  # what was on it has come by now
        return schedules(parts, pages)
    shut = looking.gates_shut(each["incident"] for each in found)
    return {
        "count": count,
        "page": page,
        "pages": pages,
        "rows": [_row(each, shut, now) for each in found],
        "start": "rotator up" if is_unattended(parts) else "",
        "orders": [_order(each, now) for each in parts.settings.standing_orders],
        "tokens": _tokens(parts, now),
        **_policies(parts, now),
    }


def _policies(parts: Rotator, now: float) -> dict[str, Any]:
    """Return hygiene's policies and what is due, or the first mistake in their files: nothing begins by them then."""
    try:
        return {"policies": hygiene.schedule(hygiene.look(parts, now), now), "mistake": ""}
    except BadInput as error:
        return {"policies": [], "mistake": str(error)}


def _row(row: Mapping[str, Any], shut: Mapping[str, list[str]], now: float) -> dict[str, Any]:
    destroys = row["verb"] == Verb.REVOKE and row["subject"] == Subject.EXPOSED
    held = destroys and Until.NO_LEGAL_HOLD.value in shut.get(row["incident"], ())
    facts = json.loads(row["facts"])
    return {
        "due_at": moment(row["due_at"]),
        "is_late": row["due_at"] < now,
        "what": _what(row, facts),
        "step": row["name"],
        "target": row["target"],
        "kept_by": "a legal hold" if held else "",
        "owners": str(facts[OWNER_ASKED]) if OWNER_ASKED in facts else "",
        "run": row["run"],
        "incident": row["incident"],
        "provider": row["kind"],
        "owner": row["owner"],
        "id": row["credential"],
    }


def _what(row: Mapping[str, Any], facts: Mapping[str, Any]) -> str:
    if OWNER_ASKED in facts:
        return "its owners' time to speak is over"
    if row["verb"] == Verb.REVOKE:
        return "it is destroyed for good" if row["subject"] == Subject.EXPOSED else "its replacement is destroyed"
    if row["verb"] == Verb.COMPARE:
        return "it is compared once more: is something left over?"
    if row["verb"] == Verb.WATCH:
        return "both live until then: is the old one still used?"
    return f"{row['verb']} {row['subject']}"


def _order(order: Any, now: float) -> dict[str, Any]:
    """Return a standing order; it holds to the end of its last day, in UTC."""
    ends = datetime.combine(order.expires + timedelta(days=1), time(), UTC).timestamp()
    return {
        "name": order.name,
        "triggers": ", ".join(order.triggers),
        "environments": ", ".join(order.environments),
        "by": order.approved_by,
        "expires": order.expires.isoformat(),
        "state": "expired" if ends <= now else "expires soon" if ends - now < SOON_S else "in force",
    }


def _tokens(parts: Rotator, now: float) -> list[dict[str, Any]]:
    """Return the API's tokens that open, and expire soon: the next first."""
    alive = (each for each in parts.tokens.listed() if each.state(now) == "active")
    return [
        {"name": each.name, "role": each.role.value, "by": each.by, "expires_at": moment(each.expires_at)}
        for each in sorted(alive, key=lambda each: each.expires_at)
        if each.expires_at - now < SOON_S
    ]
