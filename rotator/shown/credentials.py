"""A few credentials of an incident, each as the report tells it, however many the incident has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rotator.bootstrap import Rotator
from rotator.errors import BadInput
from rotator.report.incident import rows


def few(parts: Rotator, incident: str, names: Sequence[str], called: str = "rotator") -> list[dict[str, Any]]:
    """Return the report's rows of those runs and tasks, in this order; a run that another one tells is told there.

    Left out is what is none of the incident, or of what was merged into it. Raises BadInput for no such incident.
    """
    found: dict[str, dict[str, Any]] = {}
    for each in rows(parts.reading.few(incident, names), called):
        found |= dict.fromkeys([each["run"], *each["also"]], each)
    told = {found[name]["run"]: found[name] for name in names if name in found}
    return list(told.values())


def one(parts: Rotator, incident: str, name: str, called: str = "rotator") -> dict[str, Any]:
    """Return the report's row of one run or task. Raises BadInput where the incident has none of that name."""
    found = few(parts, incident, [name], called)
    if not found:
        raise BadInput("no such credential in this incident", name, f"rotator report {incident} shows them")
    return found[0]
