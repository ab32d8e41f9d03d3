"""Pause a vendor: an ordinary incident for all that it holds, which makes nothing new for it, and its pause.

Pausing it again adds what it holds by now to the same incident.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from rotator import clock, growth, held_exposures, response, standing_orders
from rotator.bootstrap import Rotator
from rotator.credential import CredentialRef
from rotator.errors import BadInput
from rotator.flow.checklist import frozen
from rotator.flow.exposure import Exposure
from rotator.flow.incident import Severity
from rotator.flow.narrowing import Reach, reach_before, together
from rotator.flow.revision import Present
from rotator.flow.scope import Scoped
from rotator.flow.vendor import Vendor
from rotator.held import held_by, reached
from rotator.intake.shapes import holds_material
from rotator.ledger import pauses, vendors
from rotator.ledger.acts import said
from rotator.ledger.growing import Added
from rotator.ledger.pauses import Pause
from rotator.material import Read, read_delivered
from rotator.report.clocks import moment
from rotator.report.plain import plain
from rotator.response import Prepared
from rotator.standing_orders import Declared
from rotator.uncut import uncut

READ = "material_read"
"""What a record says that tells from where the material of a vendor's credential was read."""
_LONGEST = 200


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody wants who pauses a vendor.

    `told` are credentials that were reported with it, `notices` the advisories for which it is paused. Without `reads`
    no material is read from where it is delivered.
    """

    vendor: str
    reason: str
    told: Sequence[Exposure] = ()
    notices: Sequence[str] = ()
    reads: bool = True
    exposed_at: float | None = None


@dataclass(frozen=True, slots=True)
class Pausing:
    """What a pause would do: the plan, as it is shown, and what to know of it. Nothing of it is written.

    `there` is the pause that is open already, `present` what its incident has. `unknown`: nobody knows of anything that
    the vendor holds. `held` is what it does, `datasets` which that reaches, with manifests; `reach` is that of what is
    new.
    """

    wanted: Wanted
    vendor: Vendor
    prepared: Prepared
    shown: Mapping[str, Any]
    notes: tuple[str, ...]
    began: float
    there: Pause | None = None
    present: Present | None = None
    unknown: bool = False
    held: frozenset[CredentialRef] = frozenset()
    datasets: Mapping[str, str] = field(default_factory=dict)
    reach: Reach = field(default_factory=Reach)

    @property
    def severity(self) -> Severity:
        """Return how bad it is: as critical as the vendor is."""
        return Severity(self.vendor.criticality.value)

    @property
    def title(self) -> str:
        """Return what people call the incident."""
        return plain(f"PAUSE {self.vendor.name}: {self.wanted.reason}")[:_LONGEST]

    @property
    def incident(self) -> str:
        """Return the incident in which the vendor is paused already, "" where it is not."""
        return self.present.incident if self.present is not None else ""

    @property
    def plans_nothing(self) -> bool:
        """Tell whether its incident has all that the vendor holds by now."""
        plan = self.prepared.plan
        return self.there is not None and not (plan.runs or plan.manual or plan.excluded or self.prepared.seen)

    @property
    def new_datasets(self) -> Mapping[str, str]:
        """Return the datasets, with manifests, that are to be checked too before it is let in again."""
        known = {} if self.there is None else self.there.datasets
        return {
            name: manifest
            for name, manifest in self.datasets.items()
            if name not in known or (manifest and not known[name])
        }

    @property
    def is_nothing(self) -> bool:
        """Tell whether nothing would be added."""
        return self.plans_nothing and not self.new_datasets


def prepare(parts: Rotator, wanted: Wanted, by: str) -> Pausing:
    """Plan the end of all that a vendor holds, or of what its incident does not have yet.

    Issuers are asked, and material is read from where it is delivered, which is evidence at once. Raises BadInput where
    no vendor is registered so, no reason is given, or its incident is closed.
    """
    began = clock.now()
    said(by, wanted.reason)
    if any(map(holds_material, (wanted.reason, *wanted.notices))):
        raise BadInput("a secret seems to stand in it", "--reason or --notice", "take it out: it is shown to many")
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
        response.suspects(parts, exposures),
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
    refs = frozenset(held_exposures.named_by_issuers(vendor, held, prepared.scoped))
    datasets = {each.name: each.manifest for each in reached(parts, held, vendor.datasets).datasets}
    reach = together([*(reach_before(each.ref.connection, each.custody) for each in new), *_followed(parts, prepared)])
    return Pausing(wanted, vendor, prepared, shown, notes, began, there, present, unknown, refs, datasets, reach)


def told(found: Pausing) -> list[str]:
    """Say what is known before anything is done: that it is paused already, what has which material, what is left."""
    lines = []
    if (there := found.there) is not None:
        lines.append(
            f"{there.vendor} is paused since {moment(there.at)}, by {there.by} in {found.incident}: {there.reason}"
        )
        lines.append(
            f"{found.incident} has all that it holds by now" if found.plans_nothing else "what it holds since then:"
        )
        if new := ", ".join(sorted(found.new_datasets)):
            lines.append(f"to be checked too before it is let in again: {new}")
    elif found.unknown:
        name = found.vendor.name
        lines.append(
            f"nobody knows of anything that {name} holds: it is paused all the same, and nothing new is made for it"
        )
    return [*lines, *found.notes]


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
