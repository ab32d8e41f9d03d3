"""Vendors by risk, each with the terms that it is of: made once for as long as what it follows from says the same."""

from __future__ import annotations

import threading
from typing import Any

from rotator.alarm.kept_advisories import KeptAdvisories
from rotator.bootstrap import Rotator
from rotator.flow.vendor import Level, Vendor
from rotator.flow.vendor_risk import Known, ranked, reasons
from rotator.flow.vendor_triage import Triage, assess
from rotator.held import held_by_each, reached_by_each
from rotator.ledger import outlook, vendor_history
from rotator.packages.vendor_software import match
from rotator.shown import vendor_triage
from rotator.shown.vendors import standing, today, unregistered

SHOWN = ("likelihood", "worst", "breadth", "sensitivity")
"""The terms that a risk is of; what a pause would cost is triage's."""


def risks(parts: Rotator) -> Risks:
    """Return the risks that these parts keep, for everybody who looks at them."""
    found: Risks = parts.__dict__.setdefault("vendor_risks", Risks(parts))
    return found


class Risks:
    """The risks of one ledger's vendors."""

    def __init__(self, parts: Rotator) -> None:
        self._parts, self._making = parts, threading.Lock()
        self._of: tuple[object, ...] = ()
        self._rows: list[dict[str, Any]] = []

    def rows(self) -> list[dict[str, Any]]:
        """Return a row for each vendor, the riskiest first. What nobody registered is told, and has no risk."""
        with self._making:
            kept = KeptAdvisories(self._parts.settings.data_dir / "advisories")
            ledger = self._parts.database
            of = (outlook.mark(ledger), vendor_history.mark(ledger), today(), kept.changed_at())
            if of != self._of:
                self._rows = _made(self._parts.on(ledger), kept)
                self._of = of
            return self._rows


def _made(parts: Rotator, kept: KeptAdvisories) -> list[dict[str, Any]]:
    vendors = parts.vendors.every()
    advisories = kept.every()
    known = Known(
        today(),
        match(advisories, {each.name: each.software for each in vendors}),
        vendor_triage.made_at(parts),
        len(advisories),
        {},
    )
    speaks = reasons(vendors, known)
    strangers = [Vendor(each, each, Level.MEDIUM) for each in unregistered(parts)]
    held = held_by_each(parts, [*vendors, *strangers])
    reach = reached_by_each(parts, held, [*vendors, *strangers])
    judged = parts.assessments.every(())
    paused = {each.vendor: each.incident for each in parts.pauses.every() if each.is_open}
    found = ranked(
        assess(
            each,
            speaks[each.name],
            vendor_triage.counted(parts, held[each.name], reach[each.name]),
            judged.get(each.name, ()),
        )
        for each in vendors
    )
    rows = [_row(each, rank, paused.get(each.vendor.name, "")) for rank, each in enumerate(found, 1)]
    return [*rows, *(_stranger(each.name, len(held[each.name])) for each in strangers)]


def _row(of: Triage, rank: int, paused: str) -> dict[str, Any]:
    """Return one vendor: never its risk without the terms that it is of."""
    vendor, holds = of.vendor, of.holds
    how = [standing(each, today()) for each in vendor.attestations]
    return {
        "rank": rank,
        "vendor": vendor.name,
        "title": vendor.title,
        "criticality": vendor.criticality.value,
        "owner": vendor.owner,
        "registered": True,
        "risk": of.priority,
        "terms": [vendor_triage.term(of.term(name)) for name in SHOWN],
        "grounds": [vendor_triage.ground(each) for each in of.grounds],
        "paused": paused,
        "attestations": {each: how.count(each) for each in dict.fromkeys(how)},
        "credentials": holds.credentials,
        "grants": holds.grants,
        "further": holds.further,
        "datasets": [*(each.name for each in holds.datasets), *holds.undescribed],
    }


def _stranger(name: str, holds: int) -> dict[str, Any]:
    """Return a name that the inventory has, and nobody registered: nothing is known that a risk could be of."""
    return {
        "rank": None,
        "vendor": name,
        "title": name,
        "criticality": "",
        "owner": "",
        "registered": False,
        "risk": None,
        "terms": [],
        "grounds": [],
        "paused": "",
        "attestations": {},
        "credentials": holds,
        "grants": 0,
        "further": 0,
        "datasets": [],
    }
