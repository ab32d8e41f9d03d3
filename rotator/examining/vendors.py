"""What the doctor looks at of vendors: who was altered, is not registered, and of whom nothing valid is attested."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches

from rotator import clock
from rotator.bootstrap import Rotator
from rotator.errors import RotatorError
from rotator.examining.finding import Finding
from rotator.flow import reminding
from rotator.flow.order import names as first_of
from rotator.flow.vendor import Level, Vendor, valid
from rotator.ledger import vendor_chains
from rotator.ledger.attestations import ends_at, last_of_each_kind
from rotator.ledger.database import LedgerFailed
from rotator.shown.vendors import today, unregistered
from rotator.uncut import uncut_by_each

OLD_S = 90 * 86400.0
"""After so many seconds a list of what a critical vendor runs says little of today."""


def vendors(parts: Rotator, called: str) -> Iterator[Finding]:
    """Look at the registry; where none is registered and the inventory names none there is nothing to say."""
    try:
        wrong = vendor_chains.altered(parts.database)
    except LedgerFailed:
        return  # who looks at the ledger has said so
    if wrong:
        what = f"altered in the ledger, past the service: {first_of(wrong)}"
        yield Finding(False, what, f"compare with a backup; `{called} evidence export` names all, and has the chains")
        return  # nothing else can be said of rows that are not believed
    try:
        every = parts.vendors.every(software=False)
        strangers = unregistered(parts)
    except (RotatorError, LedgerFailed):
        return  # who looks at the ledger, or the configuration, has said so
    if strangers:
        known = [each.name for each in every]
        near = {each: get_close_matches(each, known, n=1) for each in strangers}
        told = [f"{each} (did you mean `{near[each][0]}`?)" if near[each] else each for each in strangers]
        what = f"the inventory names vendors that nobody has registered: {first_of(told)}"
        mend = f"{called} vendor list names all; register them by `{called} vendor import`: docs/vendors.md"
        yield Finding(True, what, mend, warns=bool(every), aside=not every)
    if every:
        yield from _uncut(parts, called)
        yield from _attested(every, called)
        yield from _listed(parts, every, called)


def _uncut(parts: Rotator, called: str) -> Iterator[Finding]:
    """Say what paused vendors hold that nobody has cut: it was found to be theirs since."""
    for vendor, held in uncut_by_each(parts, [each for each in parts.pauses.every() if each.is_open]).items():
        names = [" ".join(filter(None, (each.kind, each.ref.id or each.ref.owner))) for each in held]
        what = f"{vendor} is paused, and HOLDS what was found since and nobody has cut: {first_of(names)}"
        yield Finding(False, what, f"{called} vendor pause {vendor} --reason … adds it to its incident")


def _listed(parts: Rotator, every: list[Vendor], called: str) -> Iterator[Finding]:
    """Say which critical vendors' newest list of what they run is old, or not there: no advisory finds them."""
    newest: dict[str, float] = {}
    for each in parts.vendors.lists():
        newest[each.vendor] = max(each.at, newest.get(each.vendor, each.at))
    critical = [each.name for each in every if each.criticality is Level.CRITICAL]
    unknown = [each for each in critical if each not in newest]
    old = [each for each in critical if clock.now() - newest.get(each, clock.now()) > OLD_S]
    told = [f"of {first_of(unknown)} there is none"] if unknown else []
    told += [f"the newest of {first_of(old)} is older than {OLD_S / 86400:.0f} days"] if old else []
    if told:
        what = f"lists of what critical vendors run: {'; '.join(told)}"
        yield Finding(True, what, f"take them by `{called} vendor sbom`, or from their pipelines", warns=True)


def _attested(every: list[Vendor], called: str) -> Iterator[Finding]:
    bare = [each.name for each in every if each.criticality is Level.CRITICAL and not valid(each, today(), ())]
    if bare:
        what = f"of critical vendors nothing valid is attested: {first_of(bare)}"
        yield Finding(True, what, f"ask them; record it by `{called} vendor attest`", warns=True)
    now = clock.now()
    ending = [
        f"{vendor.name}'s {each.kind} ({'ended' if now >= ends_at(each) else 'ends'} {each.valid_to})"
        for vendor in every
        for each in sorted(last_of_each_kind(vendor), key=lambda one: one.valid_to)
        if reminding.of_an_attestation(ends_at(each), now) is not None
    ]
    if ending:
        what = f"attestations of vendors have ended, or end before long: {first_of(ending)}"
        yield Finding(True, what, f"{called} vendor list shows until when each is valid", warns=True)
    if not bare and not ending:
        count = "1 vendor is" if len(every) == 1 else f"{len(every):,} vendors are"
        yield Finding(True, f"{count} registered, and no attestation ends before long")
