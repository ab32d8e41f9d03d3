"""One credential of an incident, whole: each step, where it was seen, why it is included, and its evidence."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from rotator.bootstrap import Rotator
from rotator.ledger.looking import BEGINNING, Looking
from rotator.report.clocks import moment
from rotator.report.plain import plain
from rotator.shown import credentials

SEEN, RECORDS = 100, 50
"""How many places, and how many records of evidence, stand on one page."""
_KNOWN = frozenset(
    {"at", "chain", "seq", "previous", "step", "do", "state", "from", "target", "attempt", "act", "reason"}
)
_LONGEST = 400


def credential(parts: Rotator, incident: str, run: str, after: tuple[str, int] = BEGINNING) -> dict[str, Any]:
    """Return it; `chains` is its evidence behind `after`. Raises BadInput where the incident has none such."""
    row = credentials.one(parts, incident, run)
    looking = Looking(parts.database)
    found = looking.evidence(run, after, RECORDS + 1)
    sightings = looking.seen(run, SEEN + 1)
    return {
        "row": row,
        "seen": [_place(each) for each in sightings[:SEEN]],
        "seen_more": row["exposures"] - SEEN if len(sightings) > SEEN else 0,
        "chains": _chains(found[:RECORDS]),
        "next": (found[RECORDS - 1]["chain"], found[RECORDS - 1]["seq"]) if len(found) > RECORDS else None,
    }


def _place(row: Mapping[str, Any]) -> dict[str, str]:
    where = row["path"] if row["line"] is None else f"{row['path']}:{row['line']}"
    return {
        "certainty": row["certainty"],
        "where": plain(where),
        "by": plain(f"{row['source']}: {row['rule']}"),
        "commit": plain(row["commit"] or ""),
        "scanner_says": row["scanner_says"] or "",
    }


def _chains(records: Sequence[Mapping[str, Any]]) -> list[tuple[str, list[dict[str, Any]]]]:
    """Return records by chain, each in words beside its hash and the bytes that were hashed."""
    found: dict[str, list[dict[str, Any]]] = {}
    for each in records:
        found.setdefault(each["chain"], []).append(record(each))
    return list(found.items())


def record(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a record of a chain in words, beside its hash and the bytes that were hashed."""
    body = json.loads(row["body"])
    more = {name: value for name, value in body.items() if name not in _KNOWN and value not in (None, "", {}, [])}
    facts = more.pop("facts", {})
    told = {**facts, **more} if isinstance(facts, dict) else more
    at = body.get("at")
    return {
        "seq": row["seq"],
        "hash": row["hash"],
        "body": row["body"],
        "at": moment(at) if isinstance(at, int | float) else "",
        "step": plain(str(body.get("step") or body.get("act") or "")),
        "did": plain(_did(body)),
        "reason": plain(str(body.get("reason") or "")),
        "facts": [(plain(str(name)), _short(name, value)) for name, value in told.items()],
    }


def _did(body: Mapping[str, Any]) -> str:
    if "do" not in body:
        return ""
    where = f" on {body['target']}" if body.get("target") else ""
    return f"{body['do']}{where}: {body.get('from')} → {body.get('state')}"


def _short(name: str, value: object) -> str:
    """Return a fact; of moments, which are named so, the time that people read."""
    if isinstance(value, int | float) and name.endswith(("_at", "_since")):
        return moment(value)
    text = plain(value if isinstance(value, str) else json.dumps(value))
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
