"""Incidents as a list: the same data at the command line and over HTTP. Who lists them waits for no report."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rotator.ledger.listing import Part
from rotator.report.clocks import moment

if TYPE_CHECKING:
    from rotator.bootstrap import Rotator


def listed(parts: Rotator, part: Part = Part()) -> list[dict[str, Any]]:  # noqa: B008 - it never changes
    """Return a row for each incident of a part, the newest first. Raises BadInput for one behind no incident."""
    return [
        {
            "id": each.incident.id,
            "title": each.incident.title,
            "purpose": each.purpose.value,
            "severity": each.incident.severity.value,
            "declared_at": moment(each.incident.declared_at),
            "closed_at": moment(each.incident.closed_at) or None,
            "merged_into": each.merged_into,
            "state": each.state,
            "credentials": each.credentials,
            "proven_dead": each.dead,
            "stated_dead": each.stated,
            "manual": each.manual,
            "dismissed": each.dismissed,
            "reviews": each.reviews,
        }
        for each in parts.reading.incidents(part)
    ]
