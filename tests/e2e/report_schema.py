"""The contract of `-o json` as a JSON Schema: what programs may rely on. More may stand beside it."""

from __future__ import annotations

from typing import Any

STATES = ("proven_dead", "stated_dead", "settling", "pending", "held", "manual", "failed", "dismissed", "let_in_again")
TEXT = {"type": "string"}
COUNT = {"type": "integer", "minimum": 0}
SECONDS = {"type": ["number", "null"], "minimum": 0}
MOMENT = {"type": "string", "pattern": r"^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z)?$"}
MOMENT_OR_NULL = {"anyOf": [MOMENT, {"type": "null"}]}


def _object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "required": sorted(properties), "properties": properties}


STEP = _object(
    id=TEXT,
    target={"type": ["string", "null"]},
    do=TEXT,
    state={"enum": ["pending", "running", "held", "skipped", "done", "failed", "uncertain"]},
    attempts=COUNT,
    intended_at=MOMENT,
    settled_at=MOMENT,
    reason={"type": ["string", "null"]},
)
CREDENTIAL = _object(
    provider=TEXT,
    connection=TEXT,
    owner=TEXT,
    id=TEXT,
    strategy={"enum": ["", "contain_first", "replace_first", "revoke_only", "cut_only"]},
    state={"enum": list(STATES)},
    evidence={"enum": ["proven", "stated", "none"]},
    requested_at=MOMENT,
    acknowledged_at=MOMENT,
    proven_dead_at=MOMENT,
    replaced_at=MOMENT,
    replacement=TEXT,
    steps={"type": "array", "items": STEP},
)
REPORT = _object(
    incident=_object(
        id=TEXT,
        title=TEXT,
        severity=TEXT,
        exposed_at=MOMENT,
        detected_at=MOMENT,
        declared_at=MOMENT,
        closed_at=MOMENT_OR_NULL,
    ),
    totals=_object(credentials=COUNT, **dict.fromkeys(STATES, COUNT)),
    replaced=COUNT,
    converged=COUNT,
    unidentified=COUNT,
    time_to_revoke=_object(mean_s=SECONDS, p50_s=SECONDS, p95_s=SECONDS, max_s=SECONDS, still_open=COUNT),
    by_provider={
        "type": "object",
        "additionalProperties": _object(credentials=COUNT, proven_dead=COUNT, mean_s=SECONDS),
    },
    credentials={"type": "array", "items": CREDENTIAL},
)


def inconsistencies(report: dict[str, Any]) -> list[str]:
    """Return what the figures say that the entries deny."""
    totals, entries = dict(report["totals"]), report["credentials"]
    found = []
    if totals.pop("credentials") != sum(totals.values()) or sum(totals.values()) != len(entries):
        found.append("the totals do not partition the credentials")
    found += [
        f"{state}: {count}" for state, count in totals.items() if count != sum(e["state"] == state for e in entries)
    ]
    for entry in entries:
        proven = entry["state"] == "proven_dead"
        if (entry["evidence"] == "proven", bool(entry["proven_dead_at"])) != (proven, proven):
            found.append(f"{entry['id']} is {entry['state']} by {entry['evidence']}")
        clocks = [entry[name] for name in ("requested_at", "acknowledged_at", "proven_dead_at") if entry[name]]
        if clocks != sorted(clocks):
            found.append(f"{entry['id']} was dead before it was touched")
    times = report["time_to_revoke"]
    if times["still_open"] != len(entries) - sum(totals[each] for each in ("proven_dead", "dismissed", "let_in_again")):
        found.append("time to revoke leaves out what is open")
    figures = [times[name] for name in ("p50_s", "p95_s", "max_s") if times[name] is not None]
    if figures != sorted(figures):
        found.append("the percentiles are not in order")
    if (times["max_s"] is None) != (totals["proven_dead"] == 0):
        found.append("the longest time is of no death, or none is told of one")
    if not times["still_open"] and totals["proven_dead"] and None in times.values():
        found.append("a figure is not told though nothing is open")
    return found
