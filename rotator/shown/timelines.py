"""What is known of an incident's credentials in time. With access logs: `accessed.py`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rotator.bootstrap import Rotator
from rotator.ledger.records import IncidentRecord
from rotator.report.timeline import timelines


def of_report(parts: Rotator, report: Mapping[str, Any], record: IncidentRecord) -> list[dict[str, Any]]:
    """Return it, from what the ledger has."""
    return timelines(report, record, planned(parts, record))


def planned(parts: Rotator, record: IncidentRecord) -> list[dict[str, Any]]:
    """Return every revision of its plan, and of what was merged into it, as it was shown."""
    return [parts.reading.planned(of.incident.id, each.number) for of in record.family for each in of.revisions]
