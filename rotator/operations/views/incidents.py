"""Incidents, and what belongs to one."""

from __future__ import annotations

from typing import Any

from rotator.bootstrap import Rotator
from rotator.flow.incident import Purpose
from rotator.ledger.listing import Part
from rotator.operations.view import ListOf, OfIncident
from rotator.shown import incidents


def _incidents(parts: Rotator, purpose: str) -> list[dict[str, Any]]:
    return incidents.listed(parts, Part(Purpose(purpose) if purpose else None))


REPORT = OfIncident("/incidents/{incident}", incidents.report)
PLAN = OfIncident("/incidents/{incident}/plan", incidents.plan)
INCIDENTS = ListOf("/incidents", _incidents, by="purpose")
EXPOSURES = ListOf("/incidents/{incident}/exposures", incidents.exposures)
GATES = ListOf("/incidents/{incident}/gates", incidents.gates)
