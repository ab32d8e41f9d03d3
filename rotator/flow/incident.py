"""Incidents: exposures handled together, from the moment one is declared."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How bad it is, as the person who declares says."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"

    def outranks(self, other: Severity) -> bool:
        """Tell whether it is worse than another."""
        order = list(Severity)
        return order.index(self) > order.index(other)


class Purpose(StrEnum):
    """Why an incident is there."""

    RESPONSE = "response"
    DRILL = "drill"
    HYGIENE = "hygiene"


@dataclass(frozen=True, slots=True)
class Incident:
    """One incident. All times are seconds since the epoch, UTC.

    `exposed_at` is when the secrets came within the attacker's reach, as far as anyone knows; `detected_at` when
    somebody found out; `declared_at` when the rotator was told.
    """

    id: str
    title: str
    severity: Severity
    detected_at: float
    declared_at: float
    exposed_at: float | None = None
    closed_at: float | None = None
