"""What a report says of an incident as a whole: its times, what keeps it waiting, and who said yes to what.

What was merged into it keeps stops, gates, footholds and reviews of its own. They are told here with the rest, each
with the incident that its command names.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from rotator.ledger.records import IncidentRecord
from rotator.report.approval import approvals
from rotator.report.clocks import moment
from rotator.report.datasets import of_incidents
from rotator.report.gates import gates
from rotator.report.overridden import overridden_of
from rotator.report.paused import pauses_of
from rotator.report.people import alive_again, as_called, to_approve, to_be_resumed, told
from rotator.report.revisions import revisions


def whole(
    every: Sequence[IncidentRecord],
    called: str,
    *,
    unattended: bool,
    unmanned: bool,
    strange: Collection[str],
    stale: str,
    something_stopped: bool,
    sizes: Mapping[int, int] | None = None,
) -> dict[str, Any]:
    """Return it, of an incident and of `every` one that was merged into it, itself first.

    `sizes` is as in `revisions`, all else as in `incident.build`.
    """
    record = every[0]
    incident = record.incident
    is_begun = any(each.approved_at is not None for each in every)
    # What is over is kept from nothing by a stop; what has not begun will be.
    may_be_stopped = something_stopped or not (is_begun or incident.closed_at)
    may_be_reopened = incident.closed_at is not None and record.evidence_deleted_at is None
    return {
        "id": incident.id,
        "title": incident.title,
        "severity": incident.severity.value,
        "exposed_at": moment(incident.exposed_at),
        "detected_at": moment(incident.detected_at),
        "declared_at": moment(incident.declared_at),
        "closed_at": moment(incident.closed_at) or None,
        "closed_by": record.closed_by or "",
        "closed_reason": record.closed_reason or "",
        "reopen": as_called(f"rotator incident reopen {incident.id} --reason …", called) if may_be_reopened else "",
        "evidence_deleted_at": moment(record.evidence_deleted_at) or None,
        "approved_at": moment(record.approved_at),
        "begun": is_begun,
        "plan": record.plan_digest,
        "warnings": list(dict.fromkeys(line for each in every for line in each.warnings)),
        "alive_again": [one for each in every for one in alive_again(each, called)],
        "to_be_resumed": [one for each in every for one in to_be_resumed(each, called)],
        "start": f"{called} up" if unattended else "",
        "work": f"{called} incident watch {incident.id}" if unmanned else "",
        "told": [told(one) for each in every for one in each.told],
        "datasets": of_incidents((each.incident.id, each.datasets) for each in every),
        "overridden": overridden_of(one for each in every for one in each.overrides),
        "pauses": pauses_of((one for each in every for one in each.pauses), called),
        "stops": _stops(every, called) if may_be_stopped else [],
        **gates(every, called, strange),
        **to_approve(record, called, stale),
        **revisions(record, sizes),
        **approvals(every, called),
    }


def _stops(every: Sequence[IncidentRecord], called: str) -> list[dict[str, Any]]:
    found = dict.fromkeys(one for each in every for one in each.stops)
    return [
        {**asdict(each), "at": moment(each.at), "what": each.what, "command": as_called(each.lifted_by, called)}
        for each in found
    ]
