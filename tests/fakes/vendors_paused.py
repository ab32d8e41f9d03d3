"""A vendor is paused in a ledger, as it is by a declared incident, with nothing that is cut."""

from __future__ import annotations

from rotator.bootstrap import Rotator
from rotator.flow.incident import Incident, Severity
from rotator.flow.planned import Plan
from rotator.flow.scope import Unresolved
from rotator.ledger import pauses
from rotator.ledger.pauses import Pause

TASK = Unresolved(None, "acme", (), "nobody knows what it holds", "ask its owner")


def pause(parts: Rotator, vendor: str, incident: str = "inc-9", at: float = 0.0, checklist: str = "[]") -> Pause:
    """Pause it by an incident that is a task for a person."""
    declared = Incident(incident, f"PAUSE {vendor}", Severity.HIGH, detected_at=at, declared_at=at)
    found: list[Pause] = []

    def begin(connection, of, _digest):
        given = Pause(vendor, 0, of, at, "ana", "breached", checklist)
        found.append(pauses.begin(connection, given, {}))

    parts.enrolment.declare(declared, Plan((), (TASK,)), {}, {}, "ana", then=begin)
    return found[0]
