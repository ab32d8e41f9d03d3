"""An incident, whole and with its plan: the same data at the command line and over HTTP."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from rotator import clock, footholds
from rotator.bootstrap import Rotator
from rotator.ledger.records import IncidentRecord
from rotator.report.clocks import moment
from rotator.report.dismissed import exposure_rows
from rotator.report.incident import build
from rotator.runtime_lock import is_unattended, is_unmanned
from rotator.shown import timelines


def report(parts: Rotator, incident: str, called: str = "rotator") -> dict[str, Any]:
    """Return an incident's report, what is known of each credential in time, and its `progress`.

    Raises BadInput for an incident that is not there.
    """
    record = parts.reading.incident(incident)
    strange = footholds.strangers(parts, record)
    progress = parts.reading.progress(incident, clock.now())
    unmanned = is_unmanned(parts) and progress.busy
    uncut = _uncut(parts, record)
    found = build(record, called, unattended=is_unattended(parts), unmanned=unmanned, strange=strange)
    for each in found["incident"]["pauses"]:
        each["uncut"] = uncut.get(each["vendor"], []) if not each["restored_at"] else []
    return {**found, "timelines": timelines.of_report(parts, found, record), "progress": asdict(progress)}


def _uncut(parts: Rotator, record: IncidentRecord) -> dict[str, list[dict[str, str]]]:
    """Return what the vendors that it pauses hold, and nobody has cut, by vendor."""
    open_ones = [one for each in record.family for one in each.pauses if one.is_open]
    if not open_ones:
        return {}
    from rotator.uncut import named, uncut_by_each  # noqa: PLC0415 - only who paused a vendor waits for it

    parts.look_again()
    return {vendor: named(held) for vendor, held in uncut_by_each(parts, open_ones).items()}


def plan(parts: Rotator, incident: str, called: str = "rotator") -> dict[str, Any]:
    """Return an incident's report with its newest revision as it was `planned`, and those that one yes `covered` too.

    Those are the earlier ones that nobody approved either. Raises BadInput for an incident that is not there.
    """
    record, shown = parts.reading.incident(incident), parts.reading.planned(incident)
    open_ones = {each.number for each in record.revisions if each.approved_at is None}
    covered = [parts.reading.planned(incident, number) for number in shown.get("covers", ()) if number in open_ones]
    return {
        **build(record, called, stale=parts.enrolment.stale(incident)),
        "planned": shown,
        "covered": covered,
    }


def exposures(parts: Rotator, incident: str) -> list[dict[str, Any]]:
    """Return what is exposed: how sure each is, where it was seen, as what it was dismissed.

    Raises BadInput for an incident that is not there.
    """
    record = parts.reading.incident(incident)
    seen = [parts.dismissing.exposures(each.incident.id) for each in record.family]
    return exposure_rows(record, {of: places for each in seen for of, places in each.items()})


def gates(parts: Rotator, incident: str) -> list[dict[str, Any]]:
    """Return an incident's gates: how each stands, who said so, and how many steps wait for it.

    `open_footholds` are the hosts to which no new secret goes, whatever is said of the gate `host_isolated`.
    """
    hosts = {"host_isolated": parts.gates.open_footholds(incident)}
    found = parts.gates.of(incident)
    return [{**asdict(each), "at": moment(each.at), "open_footholds": hosts.get(each.name, [])} for each in found]
