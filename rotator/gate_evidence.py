"""What the gates of a pause rest on that nobody gave for one: advisories, checks of datasets, lists, papers, words.

It says since when what the vendor held was exposed, by which manifests its datasets are told, and who brought it all.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from rotator.alarm.kept_advisories import kept
from rotator.bootstrap import Rotator
from rotator.errors import BadInput
from rotator.flow.exposure import Disposition
from rotator.flow.gate_facts import Brought, Checked, Since
from rotator.flow.vendor import Vendor
from rotator.held import Held, reached
from rotator.ledger import brought, datasets
from rotator.ledger.datasets import Check
from rotator.ledger.dismissals import Dismissal
from rotator.ledger.pauses import Pause
from rotator.ledger.records import IncidentRecord
from rotator.packages import advisory
from rotator.packages.advisory import Advisory

ADVISORY = "an advisory"


def events(parts: Rotator, pause: Pause, records: Iterable[str]) -> tuple[Advisory, ...]:
    """Return the advisories of a pause: as they were looked up, or given for it in evidence."""
    there = kept(parts)
    known = [one for each in pause.notices if (had := there.read(each, fetched=True)) is not None for one in had[0]]
    return advisory.merged([*known, *(each for text in records for each in advisory_of(text))])


def advisory_of(text: str) -> tuple[Advisory, ...]:
    """Return the advisories of a record's text. Raises BadInput for what is none."""
    return advisory.read(ADVISORY, io.BytesIO(text.encode()))


def of_pipelines(parts: Rotator, vendor: str) -> frozenset[str]:
    """Return the lists that a vendor's own build sends."""
    return frozenset(each.name or "" for each in parts.settings.triggers if each.vendor == vendor)


def is_dead(each: Dismissal) -> bool:
    """Tell whether a dismissal says that something is dead: a person's word, on which the gate `cut` rests."""
    return each.stands and each.disposition is Disposition.ALREADY_DEAD


def exposed(parts: Rotator, pause: Pause, every: Sequence[IncidentRecord], events: Iterable[Advisory]) -> Since:
    """Return since when what it held was exposed: as somebody said, else the earliest moment that anything tells."""
    incidents = [each.incident for each in every]
    said = {
        each.id: Since(each.exposed_at, "when it was exposed, as was said")
        for each in incidents
        if each.exposed_at is not None
    }
    told = [Since(each.published.timestamp(), f"when {each.id} was published") for each in events if each.published]
    if (arrived := parts.advisories.first(pause.notices)) is not None:
        told.append(Since(arrived.at, f"when {arrived.name} arrived"))
    detected = min(each.detected_at for each in incidents)
    told.append(Since(detected, "when it was detected: nobody has said since when it was exposed"))
    # Who paused it may know better than what is told; what was merged since makes it earlier, and never later.
    known = said.values() if pause.incident in said else [*said.values(), *told]
    return min(known, key=lambda each: each.at)


def brought_of(
    parts: Rotator, pause: Pause, every: Sequence[IncidentRecord], checked: Iterable[Checked], held: Sequence[Held]
) -> Iterator[Brought]:
    """Yield what gates rest on and nobody gave for one of them, since the pause."""
    dismissals = (each for of in every for each in of.dismissals if is_dead(each) and each.at > pause.at)
    yield from (Brought(each.at, each.by, f"that {each.of} is dead") for each in dismissals)
    for each in checked:
        if each.given_at is not None and each.given_at > pause.at:
            people = (each.checked_by, *filter(None, [each.read_by]))
            yield from (Brought(each.given_at, who, f"the check of {each.name}") for who in people)
    with parts.database.read() as connection:
        yield from brought.lists_and_papers(connection, pause, of_pipelines(parts, pause.vendor))
        yield from brought.manifests(connection, pause, {each.name for each in checked})
        yield from brought.entries(connection, pause, [each.ref for each in held])


def datasets_of(
    parts: Rotator, vendor: Vendor, pause: Pause, exposed: Since, held: Iterable[Held]
) -> Iterator[Checked]:
    """Yield each dataset that it could reach, then or as is known now; a manifest may be called so too.

    What was named as it was paused tells of it: who names another manifest since, or says that it reached less, opens
    nothing by that. Where that one is too young, an older one of the same place is sound, whoever named it.
    """
    named = {each.name: each.manifest for each in reached(parts, held, vendor.datasets).datasets}
    then = {each: manifest for each, manifest in pause.datasets.items() if manifest or each not in named}
    with parts.database.read() as connection:
        for each, told in {**named, **then}.items():
            try:
                manifest = datasets.one(connection, told or each)
            except BadInput:
                yield Checked(each)
                continue
            older = None
            if manifest.at >= exposed.at:
                older = datasets.recorded_before(connection, manifest.source, exposed.at)
            instead, manifest = (manifest.name, older) if older is not None else ("", manifest)
            check = datasets.standing(connection, manifest.name)
            found = Checked(each, manifest.name, manifest.at, instead_of=instead)
            yield found if check is None else _checked(found, check)


def _checked(found: Checked, check: Check) -> Checked:
    when = replace(found, checked_at=check.seen_at, given_at=check.at, checked_by=check.by, read_by=check.read_by)
    return replace(when, is_as_recorded=check.is_as_recorded, seen=_seen(check))


def _seen(check: Check) -> str:
    """Name what a check found: all that was there, and of how many files it could not be told."""
    return " ".join([check.digest, *(f"{number} {sort}" for sort, number in sorted(check.counts.items()) if number)])
