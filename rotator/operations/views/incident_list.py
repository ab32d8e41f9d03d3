"""Incidents, as a list."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rotator.flow.incident import Purpose
from rotator.ledger.listing import Part
from rotator.operations.view import ListOf
from rotator.shown import incident_list

if TYPE_CHECKING:
    from rotator.bootstrap import Rotator


def _incidents(parts: Rotator, purpose: str) -> list[dict[str, Any]]:
    return incident_list.listed(parts, Part(Purpose(purpose) if purpose else None))


INCIDENTS = ListOf("/incidents", _incidents, by="purpose")
