"""Pause a vendor: an ordinary incident for all that it holds, which makes nothing new for it, and its pause.

Pausing it again adds what it holds by now to the same incident.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from rotator import attribution, clock, growth, held_exposures, response, standing_orders
from rotator.bootstrap import Rotator
from rotator.credential import CredentialRef
from rotator.flow.checklist import frozen
from rotator.flow.incident import Severity
from rotator.flow.narrowing import Reach, reach_before, together
from rotator.flow.scope import Custodies, Custody, Scoped
from rotator.flow.vendor import Vendor
from rotator.held import held_by, reached
from rotator.ledger import pauses, vendors
from rotator.ledger.acts import said_for_good
from rotator.ledger.growing import Added
from rotator.ledger.pauses import Pause
from rotator.ledger.under_way import under_way
from rotator.material import Read, read_delivered
from rotator.planned_pause import Pausing, Wanted
from rotator.report.clocks import moment
from rotator.response import Prepared
from rotator.standing_orders import Declared
from rotator.uncut import uncut

READ = "material_read"
"""What a record says that tells from where the material of a vendor's credential was read."""


def prepare(parts: Rotator, wanted: Wanted, by: str) -> Pausing:
    """Plan the end of all that a vendor holds, or of what its incident does not have yet.

    Issuers are asked, and material is read from where it is delivered, which is evidence at once. Raises BadInput where
    no vendor is registered so, no reason is given, or its incident is closed.
    """
    began, arrived = clock.now(), parts.advisories.first(wanted.notices)
    said_for_good(by, wanted.reason, *wanted.notices)
    parts.look_again()
    vendor = parts.vendors.one(wanted.vendor)
    held, there = held_by(parts, vendor), parts.pauses.of(vendor.name)
    present = None if there is None else parts.enrolment.present(parts.pauses.told_under(there))
    new = held if there is None else uncut(parts, there, held)
    reported, left = held_exposures.reported(parts, vendor, wanted.told, held)
    having = {held_exposures.issued(each) for each in reported if each.leaked.secret is not None}
    read = read_delivered(parts, [each for each in new if each.ref not in having]) if wanted.reads else []
    _note_read(parts, vendor, there, read, by)
    exposures = [*held_exposures.exposures(vendor, new, read), *(one for each in reported for one in each.exposures)]
    unknown = not held
    prepared = growth.prepare(
        parts,
        attribution.suspects(parts, exposures),
        unresolved=[held_exposures.nobody_knows(vendor)] if unknown and there is None else [],
        present=present,
        exposed_at=wanted.exposed_at,
        severity=Severity(vendor.criticality.value),
        unreplaced={each.ref: f"{vendor.name}, which holds it, is paused: nothing new is made for it" for each in held},
    )
    tasks = held_exposures.for_people(vendor, prepared.plan.manual, held)
    prepared = replace(prepared, plan=replace(prepared.plan, manual=tasks))
    notes = (*left, *_of_material(prepared, reported, read))
    shown = growth.shown(parts, present, prepared, {})
    refs = frozenset([*held_exposures.named_by_issuers(vendor, held, prepared.scoped), *_under_way(parts, vendor)])
    datasets = {each.name: each.manifest for each in reached(parts, held, vendor.datasets).datasets}
    reach = together([*(reach_before(each.ref.connection, each.custody) for each in new), *_followed(parts, prepared)])
    if arrived is not None and there is None:
        began = min(began, arrived.at)
        notes = (*notes, f"detected as {arrived.name} arrived, at {moment(arrived.at)}: the clocks begin there")
    return Pausing(wanted, vendor, prepared, shown, notes, began, there, present, unknown, refs, datasets, reach)


def declare(parts: Rotator, found: Pausing, by: str, *, approved: bool = False, sender: str | None = None) -> Declared:
    """Declare the incident, with the pause in the same transaction.

    Where it is not `approved`, standing orders for that `sender` begin with what they cover.

    Raises BadInput where somebody paused the vendor meanwhile: then nothing is written.
    """
    plan = found.prepared.plan
    told_of = {"held": len(plan.runs), "tasks": len(plan.manual), "unknown": found.unknown}
    given: dict[str, Any] = {
        "title": found.title,
        "severity": found.severity,
        "detected_at": found.began,
        "exposed_at": found.wanted.exposed_at,
        "shown": found.shown,
        "by": by,
        "then": pauses.beginning(_pause(parts, found, by), told_of, found.held),
    }
    if approved or sender is None:
        made = response.declare(parts, found.prepared, approved=approved, **given)
        return Declared(made, waiting=0 if approved else len(plan.runs))
    return standing_orders.declare(parts, found.prepared, sender, **given)


def add(parts: Rotator, found: Pausing, by: str) -> Added:
    """Add what a paused vendor holds by now to the incident of its pause, as a revision that nobody has approved.

    Where it holds nothing new, what it reaches by now is added to what is to be checked. Raises BadInput where
    somebody has let it in again meanwhile, or added to it: then nothing is written.
    """
    assert found.there is not None  # noqa: S101 - who calls has looked
    assert found.present is not None  # noqa: S101 - as the pause is
    if found.is_nothing:
        return Added()
    why = f"{found.vendor.name} was paused again"
    more = growth.more(found.present, found.prepared, found.began, why, found.shown, severity=found.severity)
    count = len(found.prepared.plan.runs) + len(found.prepared.plan.manual)
    with parts.database.write() as connection:
        added = parts.enrolment.add_within(connection, found.present, more, by)
        pauses.again(connection, found.there, _pause(parts, found, by), {"added": count}, found.held)
    return added


def _pause(parts: Rotator, found: Pausing, by: str) -> Pause:
    """Return the pause as it is to be written, or to be added; which incident it is, and its number, come with that."""
    return Pause(
        vendor=found.vendor.name,
        number=0,
        incident="",
        at=clock.now(),
        by=by,
        reason=found.wanted.reason.strip(),
        checklist=frozen(parts.settings.vendors.checklist),
        notices=tuple(found.wanted.notices),
        datasets=found.datasets,
        reach=found.reach,
    )


def _followed(parts: Rotator, prepared: Prepared) -> Iterator[Reach]:
    """Yield what each reaches that is answered with it: also that which the vendor does not hold, and could come by."""
    for ref in map(held_exposures.issued, prepared.scoped):
        yield reach_before(ref.connection, parts.custodies.of(ref))


def _under_way(parts: Rotator, vendor: Vendor) -> Iterator[CredentialRef]:
    """Yield what a vendor holds of what runs are about: of a match without an id they know what no issuer listed.

    Their plans may be older than the word that it is the vendor's.
    """
    more = Custodies(Custody(match, vendor=vendor.name) for match in vendor.holds)
    for ref in under_way(parts.database):
        if vendor.name in {parts.custodies.of(ref).vendor, more.of(ref).vendor}:
            yield ref


def _note_read(parts: Rotator, vendor: Vendor, there: Pause | None, read: Sequence[Read], by: str) -> None:
    """Keep at once who had which material read from where: that it was read is so whatever comes of it."""
    if not read:
        return
    found = [{"credential": str(each.ref), "place": each.place, "believed": each.secret is not None} for each in read]
    record = {"at": clock.now(), "act": READ, "by": by, "read": found}
    with parts.database.write() as connection:
        vendors.act(connection, vendor.name, record, there.incident if there is not None else None)


def _of_material(prepared: Prepared, reported: Sequence[Scoped], read: Sequence[Read]) -> list[str]:
    """Say of how many the material is known, from where, and why it is not known of others."""
    having = len(prepared.materials)
    without = len(prepared.plan.runs) - having
    found = sum(each.secret is not None for each in read)
    told = sum(each.leaked.secret is not None for each in reported)
    notes = (
        [f"{having:,} can be knocked with: {told:,} reported, {found:,} read from where it is delivered"]
        if having
        else []
    )
    if without > 0:
        notes.append(f"{without:,} have no material here: their issuers' word is all, and their death stated")
    return [*notes, *(f"{each.ref.id}: {each.place or 'its place'}: {each.why}" for each in read if each.why)]
