"""An incident's report with the access logs that a person brings for it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, BinaryIO

from rotator import clock
from rotator.access import reading
from rotator.access.event import Event
from rotator.access.own import Own
from rotator.access.persistence import Acts, minted
from rotator.access.strangers import stories
from rotator.bootstrap import Rotator
from rotator.ledger.probes import probes
from rotator.ledger.records import IncidentRecord
from rotator.report.timeline import timelines
from rotator.shown.timelines import planned


def with_logs(
    parts: Rotator, report: Mapping[str, Any], record: IncidentRecord, files: Iterable[tuple[str, BinaryIO]]
) -> dict[str, Any]:
    """Return a report in which access logs are read too, our own uses taken out; and what of them tells nothing.

    Raises BadInput for a file that is no access log, or damaged.
    """
    exposed_at = {each["id"]: record.incident.exposed_at for each in report["credentials"] if each["id"]}
    own, acts, unread = Own(probes(parts.database, record.incident.id)), Acts(), Counter[str]()

    def events() -> Iterable[Event]:
        for each in reading.events(files, unread, now=clock.now()):
            if not own.has(each):
                acts.add(each)
            yield each

    told = stories(events(), exposed_at, own)
    made = minted(acts, {name: at or 0.0 for name, at in exposed_at.items()})
    found = timelines(report, record, planned(parts, record), told, made)
    left_out = [f"{name}: {count:,} records tell nothing, and are left out" for name, count in sorted(unread.items())]
    return {**report, "timelines": found, "access": left_out}
