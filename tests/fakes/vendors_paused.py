"""A vendor is paused in a ledger, as it is by a declared incident, with nothing that is cut."""

from __future__ import annotations

from collections.abc import Collection

from rotator import restoring
from rotator.bootstrap import Rotator
from rotator.credential import CredentialRef
from rotator.flow.incident import Incident, Severity
from rotator.flow.letting_in import GateStanding
from rotator.flow.planned import Plan
from rotator.flow.scope import Unresolved
from rotator.ledger import pauses
from rotator.ledger.pauses import Pause

TASK = Unresolved(None, "acme", (), "nobody knows what it holds", "ask its owner")


def pause(  # noqa: PLR0917 - an act
    parts: Rotator,
    vendor: str,
    incident: str = "inc-9",
    at: float = 0.0,
    checklist: str = "[]",
    held: Collection[CredentialRef] = (),
    notices: tuple[str, ...] = (),
) -> Pause:
    """Pause it, which held these, by an incident that is a task for a person."""
    declared = Incident(incident, f"PAUSE {vendor}", Severity.HIGH, detected_at=at, declared_at=at)
    found: list[Pause] = []

    def begin(connection, of, _digest):
        given = Pause(vendor, 0, of, at, "ana", "breached", checklist, notices)
        found.append(pauses.begin(connection, given, {}, held))

    parts.enrolment.declare(declared, Plan((), (TASK,)), {}, {}, "ana", then=begin)
    return found[0]


def override(parts: Rotator, by: str, vendor: str, gate: str, reason: str) -> GateStanding:
    """Look at a gate, and open it against what is seen."""
    seen = restoring.gate_of(restoring.standing(parts, vendor), gate).seen_as
    return restoring.override(parts, by, vendor, gate, reason, seen)
