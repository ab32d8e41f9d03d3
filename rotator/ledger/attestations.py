"""Attestations of vendors that end, or have ended: who answers for the vendor is told in time, and again.

One of a kind that a later one of that kind follows is not told of. What was told is a record of the vendor's chain.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import Connection, delete, insert, select

from rotator.flow import reminding
from rotator.flow.vendor import Attestation, Vendor
from rotator.ledger import tables, vendors
from rotator.ledger.database import Database
from rotator.ledger.messages import CRITICALITY, TITLE
from rotator.ledger.notices import tell
from rotator.notices.event import Event

REMINDED = "vendor_reminded"
_MARK = "attested "
_LONGEST, _KEPT = 40, 24
"""Letters of what a notice is about, and of a vendor's name in it where that is too long."""
_noticed = tables.noticed


def last_of_each_kind(vendor: Vendor) -> list[Attestation]:
    """Return of each kind the attestation that ends last."""
    last: dict[str, Attestation] = {}
    for each in vendor.attestations:
        known = last.setdefault(each.kind, each)
        last[each.kind] = max(known, each, key=lambda one: one.valid_to)
    return list(last.values())


def ends_at(attestation: Attestation) -> float:
    """Return when the last day of an attestation is over, in epoch seconds, UTC."""
    return _epoch(attestation.valid_to) + timedelta(days=1).total_seconds()


def remind(database: Database, now: float) -> list[str]:
    """Have people told of what ends; return the vendors of which they are."""
    with database.read() as connection:
        if not _due(connection, now):
            return []
    with database.write() as connection:
        due = _due(connection, now)  # who led before may have told since
        for vendor, at, ending in due:
            about = _about(vendor.name)
            of_it = _noticed.c.what.startswith(_MARK, autoescape=True)
            connection.execute(delete(_noticed).where(_noticed.c.incident == about, of_it))
            connection.execute(insert(_noticed).values(incident=about, what=f"{_MARK}{at:.3f}"))
            told, owner = _told(ending, now), vendor.owner or "nobody: name one"
            facts: dict[str, object] = {"vendor": vendor.name, "owner": owner, "what": told}
            facts |= {TITLE: vendor.title, CRITICALITY: vendor.criticality.value}
            facts["command"] = f"rotator vendor show {vendor.name}"
            tell(connection, about, Event.ATTESTATION_ENDS, facts, now)
            record = {"at": now, "act": REMINDED, "by": "rotator", "owner": vendor.owner, "what": told}
            vendors.act(connection, vendor.name, record)
        return [vendor.name for vendor, _, _ in due]


def _due(connection: Connection, now: float) -> list[tuple[Vendor, float, list[Attestation]]]:
    """Return the vendors of which people are to be told, since when, and what ends of each."""
    marks = select(_noticed.c.incident, _noticed.c.what).where(_noticed.c.what.startswith(_MARK, autoescape=True))
    told = {row.incident: float(row.what.removeprefix(_MARK)) for row in connection.execute(marks)}
    found = []
    # In the order in which an import takes them, whatever the database's own is: else each waits for the other.
    for vendor in sorted(vendors.every(connection), key=lambda each: each.name):
        at = {each: reminding.of_an_attestation(ends_at(each), now) for each in last_of_each_kind(vendor)}
        ending = {each: since for each, since in at.items() if since is not None}
        if ending and round(max(ending.values()), 3) > told.get(_about(vendor.name), float("-inf")):
            found.append((vendor, max(ending.values()), sorted(ending, key=lambda each: each.valid_to)))
    return found


def _told(ending: Iterable[Attestation], now: float) -> list[str]:
    said = []
    for each in ending:
        is_over = now >= ends_at(each)
        said.append(f"{each.kind} by {each.issuer} {'ended' if is_over else 'ends'} on {each.valid_to}")
    return said


def _about(name: str) -> str:
    """Return what a notice about a vendor is about, where another's would be an incident."""
    whole, tells_apart = f"{vendors.CHAIN}{name}", hashlib.sha256(name.encode()).hexdigest()[:8]
    return whole if len(whole) <= _LONGEST else f"{vendors.CHAIN}{name[:_KEPT]}.{tells_apart}"


def _epoch(day: date) -> float:
    return datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()
