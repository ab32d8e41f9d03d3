"""Vendors by risk, each with the terms that it is of: made once for as long as what it follows from says the same."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from functools import partial
from typing import Any

from rotator import clock
from rotator.alarm.kept_advisories import kept
from rotator.bootstrap import Rotator
from rotator.estate import as_now
from rotator.flow.response import CLOCKS, Response, counted, spans
from rotator.flow.response import times as figures
from rotator.flow.survival import Span
from rotator.flow.vendor import Level, Vendor
from rotator.flow.vendor_risk import Known, ranked, reasons
from rotator.flow.vendor_triage import Triage, assess
from rotator.held import held_by_each, reached_by_each
from rotator.ledger import ended, responses, vendor_history
from rotator.packages.advisory import Advisory, merged
from rotator.packages.nature import Nature
from rotator.packages.vendor_software import match
from rotator.shown import vendor_triage, vendors
from rotator.shown.beside import Beside
from rotator.shown.vendors import standing, today, unregistered
from rotator.vendor_uses import of_each

SHOWN = ("likelihood", "worst", "breadth", "sensitivity")
"""The terms that a risk is of; what a pause would cost is triage's."""
MOST = 20
"""So many vendors are kept whole at once; what one holds is looked for among all that is known, which takes seconds."""
YEAR_S = 365 * 86400.0
"""Of so long how fast what vendors held was answered is told."""
_NO_TIMES = {each: figures([]) for each in ("proven_dead", "drilled", "detected", "advised")}


def risks(parts: Rotator) -> Risks:
    """Return the risks that these parts keep, for everybody who looks at them."""
    found: Risks = parts.__dict__.setdefault("vendor_risks", Risks(parts))
    return found


class Risks:
    """The risks of one ledger's vendors; `rows` has each, the riskiest first, and last who is not registered."""

    def __init__(self, parts: Rotator) -> None:
        self._parts, self._now, self._alone = parts, as_now(parts), threading.Lock()
        self.rows = Beside(self._mark, lambda: _made(self._now.parts()), is_large=self._now.is_large)
        self._documents: dict[str, Beside[dict[str, Any]]] = {}

    def one(self, name: str) -> Beside[dict[str, Any]]:
        """Return all that is known of a vendor. Raises BadInput where none is registered by this name."""
        self._parts.vendors.one(name)
        with self._alone:
            found = self._documents.pop(name, None)
            if found is None:
                made = partial(self._document, name)
                found = Beside(self._mark, made, is_large=self._now.is_large)
            self._documents[name] = found  # the last one looked at stands last
            for each in list(self._documents)[:-MOST]:
                del self._documents[each]
            return found

    def _document(self, name: str) -> dict[str, Any]:
        return vendors.one(self._now.parts(), name)

    def _mark(self) -> tuple[object, ...]:
        ledger = self._parts.database
        return (
            self._now.version(),
            ended.mark(ledger),
            vendor_history.mark(ledger),
            today(),
            kept(self._parts).mark(),
        )


def told(parts: Rotator) -> list[dict[str, Any]]:
    """Return each row with how long it took, of the last year: until what it held was dead, and until that was seen.

    `advised` is from an advisory's publication until it arrived here, of those that touch it.
    """
    found = times(parts)
    return [{**each, "times": found.get(each["vendor"], _NO_TIMES)} for each in risks(parts).rows.now()]


def times(parts: Rotator, vendor: str = "") -> dict[str, dict[str, Any]]:
    """Return the figures of each vendor by name, or of one: of those of which there is something to tell."""
    now = clock.now()
    real, drilled = responses.of_vendors(parts.database, now - YEAR_S, now, vendor)
    mine, tried, advised = _by_vendor(counted(real)), _by_vendor(drilled), _advised(parts, now - YEAR_S, vendor)
    return {
        name: {
            "proven_dead": figures(spans(CLOCKS["proven_dead"], mine.get(name, ()), now)),
            "drilled": figures(spans(CLOCKS["proven_dead"], tried.get(name, ()), now)),
            "detected": figures(spans(CLOCKS["detected"], mine.get(name, ()), now)),
            "advised": figures(advised.get(name, ())),
        }
        for name in {*mine, *tried, *advised}
    }


def _advised(parts: Rotator, since: float, vendor: str) -> dict[str, list[Span | None]]:
    of: dict[str, list[Span | None]] = {}
    for each in parts.advisories.since(since):
        took = None if each.published_at is None else Span(max(each.at - each.published_at, 0.0), ended=True)
        for one in each.touched:
            if vendor in {"", one.vendor}:
                of.setdefault(one.vendor, []).append(took)
    return of


def _by_vendor(found: Iterable[Response]) -> dict[str, list[Response]]:
    of: dict[str, list[Response]] = {}
    for each in found:
        of.setdefault(each.vendor, []).append(each)
    return of


def _made(parts: Rotator) -> list[dict[str, Any]]:
    registered = parts.vendors.every()
    advisories = _grave(parts)
    known = Known(
        today(),
        match(advisories, {each.name: each.software for each in registered}),
        vendor_triage.made_at(parts),
        len(advisories),
        of_each(parts),
    )
    speaks = reasons(registered, known)
    strangers = [Vendor(each, each, Level.MEDIUM) for each in unregistered(parts)]
    held = held_by_each(parts, [*registered, *strangers])
    reach = reached_by_each(parts, held, [*registered, *strangers])
    judged = parts.assessments.every(())
    paused = {each.vendor: each.incident for each in parts.pauses.every() if each.is_open}
    found = ranked(
        assess(
            each,
            speaks[each.name],
            vendor_triage.counted(parts, held[each.name], reach[each.name]),
            judged.get(each.name, ()),
        )
        for each in registered
    )
    rows = [_row(each, rank, paused.get(each.vendor.name, "")) for rank, each in enumerate(found, 1)]
    return [*rows, *(_stranger(each.name, len(held[each.name])) for each in strangers)]


def _grave(parts: Rotator) -> list[Advisory]:
    """Return the events that are kept, but for ordinary vulnerabilities: those count by a person's word alone."""
    escalated = parts.advisories.escalated()
    every = merged(kept(parts).every())
    return [each for each in every if each.sign.nature is not Nature.ORDINARY or each.names & escalated.keys()]


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
        "dead": holds.dead,
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
        "dead": 0,
        "further": 0,
        "datasets": [],
    }
