"""Vendors as lists show them: what each holds and reaches, what was attested of it, whether it is paused."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

from rotator import clock
from rotator.bootstrap import Rotator
from rotator.flow.registry import Change, as_told
from rotator.flow.vendor import Attestation, Level, Said, Vendor, compared, words_of
from rotator.held import Held, Reached, held_by, held_by_each, is_grant, reached, reached_by_each
from rotator.ledger import pause_gates
from rotator.ledger.pauses import Pause, Pauses
from rotator.ledger.vendors import SoftwareList
from rotator.report.clocks import moment
from rotator.report.overridden import overridden_of
from rotator.shown import vendor_uses
from rotator.uncut import named, uncut

VALID, ENDED, TO_COME = "valid", "ended", "to come"
MOST = 500
"""How many of the credentials that what a vendor holds leads to are shown, the nearest: `further` counts all."""


def listed(parts: Rotator) -> list[dict[str, Any]]:
    """Return every vendor by its name, and those that the inventory names and nobody registered."""
    vendors = {each.name: each for each in parts.vendors.every(software=False)}
    strangers = {each: Vendor(each, each, Level.MEDIUM) for each in unregistered(parts)}
    every = {**vendors, **strangers}
    held = held_by_each(parts, every.values())
    reach = reached_by_each(parts, held, every.values())
    paused = {each.vendor: each for each in Pauses(parts.database).every() if each.is_open}
    lists: dict[str, list[SoftwareList]] = {}
    for each in parts.vendors.lists():
        lists.setdefault(each.vendor, []).append(each)
    return [
        _known(vendor, paused.get(name), lists.get(name, ()))
        | _counted(parts, held[name], reach[name])
        | {"registered": name in vendors}
        for name, vendor in sorted(every.items())
    ]


def one(parts: Rotator, name: str, called: str = "") -> dict[str, Any]:  # noqa: ARG001 - as every document is made
    """Return all that is known of a vendor. Raises BadInput where none is registered by this name."""
    vendor = parts.vendors.one(name)
    held = held_by(parts, vendor)
    reach = reached(parts, held, vendor.datasets)
    pauses = Pauses(parts.database).every(name)
    with parts.database.read() as connection:
        overrides = pause_gates.overrides(connection, vendor=name)
    words = {word for each in parts.vendors.every(software=False) for word in words_of(each)}
    open_one = next((each for each in pauses if each.is_open), None)
    return {
        **_known(vendor, open_one, parts.vendors.lists(name)),
        **_counted(parts, held, reach),
        "registered": True,
        "contacts": list(vendor.contacts),
        "accounts": list(vendor.accounts),
        "systems": list(vendor.systems),
        "sub_processors": [{"name": each, "registered": compared(each) in words} for each in vendor.sub_processors],
        "user_impact": _judged(vendor.user_impact),
        "cost_of_change": _judged(vendor.cost_of_change),
        "breaches": [{"on": each.on.isoformat(), "what": each.what, "source": each.source} for each in vendor.breaches],
        "holds": [_held(parts, each) for each in held],
        "reaches": _reached(reach),
        "pauses": [_pause(each) for each in pauses],
        "uncut": named(uncut(parts, open_one, held)) if open_one is not None else [],
        "overridden": overridden_of(overrides),
        "uses": vendor_uses.known(parts, name, held),
    }


def unregistered(parts: Rotator) -> list[str]:
    """Return the names that the inventory has as `vendor`, and under which nobody is registered."""
    known = {each.name for each in parts.vendors.every(software=False)}
    return sorted({each.custody.vendor for each in parts.entries if each.custody.vendor} - known)


def change(of: Change) -> dict[str, Any]:
    """Return what an import does to one vendor or dataset as data."""
    return {
        "act": of.act.value,
        "of": of.sort.value,
        "name": of.name,
        "before": of.before,
        "after": of.after,
        "where": of.where,
    }


def standing(attestation: Attestation, day: date) -> str:
    """Return how an attestation stands on a day: within its term, behind it or before it."""
    return VALID if attestation.is_valid(day) else ENDED if day > attestation.valid_to else TO_COME


def today() -> date:
    """Return the day, in UTC."""
    return datetime.fromtimestamp(clock.now(), UTC).date()


def _known(vendor: Vendor, pause: Pause | None, lists: Iterable[SoftwareList]) -> dict[str, Any]:
    day = today()
    valid = [each for each in vendor.attestations if each.is_valid(day)]
    return {
        "name": vendor.name,
        "title": vendor.title,
        "criticality": vendor.criticality.value,
        "owner": vendor.owner,
        "paused": _pause(pause) if pause is not None else None,
        "attestations": [_attested(each, day) for each in vendor.attestations],
        "valid_until": max((each.valid_to.isoformat() for each in valid), default=""),
        "software": [_list(each) for each in lists],
    }


def _counted(parts: Rotator, held: Sequence[Held], reach: Reached) -> dict[str, Any]:
    kinds = Counter(each.kind for each in held)
    grants = sum(count for kind, count in kinds.items() if is_grant(parts, kind))
    return {
        "credentials": len(held) - grants,
        "grants": grants,
        "kinds": dict(sorted(kinds.items())),
        "unnamed": sum(1 for each in held if not each.ref.id),
        "dead": sum(1 for each in held if each.is_dead),
        "stated_dead": sum(1 for each in held if each.death is not None and not each.is_dead),
        "further": len(reach.credentials),
        "datasets": [each.name for each in reach.datasets],
        "worst": reach.worst.value if reach.worst is not None else "",
        "undescribed": [each.name for each in reach.datasets if each.sensitivity is None],
    }


def _attested(attestation: Attestation, day: date) -> dict[str, Any]:
    days = {"age_days": (day - attestation.valid_from).days, "ends_in_days": (attestation.valid_to - day).days}
    return {"scope": "", "sha256": "", **as_told(attestation), "standing": standing(attestation, day), **days}


def _list(found: SoftwareList) -> dict[str, Any]:
    at = moment(found.at)
    return {"source": found.source, "at": at, "sha256": found.digest, "components": found.components}


def _judged(said: Said | None) -> Mapping[str, str] | None:
    return {"level": said.level.value, "why": said.why} if said is not None else None


def _pause(pause: Pause) -> dict[str, Any]:
    return {
        "number": pause.number,
        "incident": pause.incident,
        "at": moment(pause.at),
        "by": pause.by,
        "reason": pause.reason,
        "restored_at": moment(pause.restored_at),
        "restored_by": pause.restored_by or "",
        "restored_why": pause.restored_why or "",
    }


def _held(parts: Rotator, held: Held) -> dict[str, Any]:
    ref = held.ref
    return {
        "kind": held.kind,
        "connection": ref.connection,
        "owner": ref.owner,
        "id": ref.id,
        "grant": is_grant(parts, held.kind),
        "criticality": held.custody.criticality,
        "datasets": list(held.custody.datasets),
        "how": held.how,
        "death": death(held),
    }


def death(held: Held) -> dict[str, str] | None:
    """Return since when a credential is dead, how sure that is, and by which run; None for what lives."""
    if held.death is None:
        return None
    return {"evidence": held.death.evidence.value, "at": moment(held.death.at), "run": held.death.run}


def _reached(reach: Reached) -> dict[str, Any]:
    return {
        "datasets": [
            {
                "name": each.name,
                "sensitivity": each.sensitivity.value if each.sensitivity is not None else "",
                "manifest": each.manifest,
                "via": list(each.via),
            }
            for each in reach.datasets
        ],
        "credentials": [
            {
                "kind": each.ref.provider,
                "connection": each.ref.connection,
                "owner": each.ref.owner,
                "id": each.ref.id,
                "criticality": each.custody.criticality,
                "via": list(each.via),
            }
            for each in reach.credentials[:MOST]
        ],
        "warnings": list(reach.warnings),
    }
