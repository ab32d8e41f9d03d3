"""What is said of each credential that a vendor holds as it is paused: who holds it, with which material, whose it is.

A report's credentials count where the vendor holds them; what no machine can cut is told to whom it concerns.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from rotator import attribution
from rotator.bootstrap import Rotator
from rotator.credential import CredentialRef, Leaked
from rotator.flow.exposure import INVENTORY, LIST, Certainty, Exposure
from rotator.flow.scope import Scoped, Unresolved
from rotator.flow.stock import spoken_of_as
from rotator.flow.vendor import Vendor
from rotator.held import Held
from rotator.ledger import pauses
from rotator.material import Read
from rotator.uncut import where


def exposures(vendor: Vendor, held: Sequence[Held], read: Sequence[Read]) -> list[Exposure]:
    """Return what says that each is within a vendor's reach, with its material where that was read."""
    of = {each.ref: each for each in read if each.secret is not None}
    return [_exposure(vendor, each, of.get(each.ref)) for each in held]


def _exposure(vendor: Vendor, held: Held, read: Read | None) -> Exposure:
    ref = held.ref
    links = [f"{vendor.name} holds it ({held.how})"]
    if read is not None:
        links.append(f"its secret was read from {read.place}")
    if not ref.id:
        links.append(
            "no id of it is known: a person must say which it is, or `rotator inventory discover --save` list it"
        )
    return Exposure(
        source=LIST if held.kind else INVENTORY,
        rule=held.kind or str(ref),
        leaked=Leaked(
            id=ref.id or None,
            secret=read.secret if read is not None else None,
            owner=ref.owner or None,
            connection=ref.connection or None,
        ),
        path=where(vendor.name, ref),
        certainty=Certainty.REACHABLE,
        via=tuple(links),
    )


def reported(
    parts: Rotator, vendor: Vendor, told: Sequence[Exposure], held: Sequence[Held]
) -> tuple[list[Scoped], list[str]]:
    """Return those of a report that the vendor holds, as their issuers name them, and say what is left of it."""
    if not told:
        return [], []
    findings = attribution.triage_of(parts).identify(attribution.suspects(parts, told))
    refs = {each.ref for each in held}
    kept = [each for each in findings.scoped if not refs.isdisjoint(spoken_of_as(issued(each)))]
    left = [f"{each.kind} {each.ref.id}" for each in findings.scoped if each not in kept]
    notes = [f"left, since nothing says that {vendor.name} holds it: {each}" for each in left]
    nameless = (f"{each.kind or 'a credential'} ({each.reason})" for each in findings.unresolved)
    return kept, [*notes, *(f"left, since nobody can say whose it is: {each}" for each in nameless)]


def issued(each: Scoped) -> CredentialRef:
    """Name a credential as its issuer does: it may be acted upon through another connection."""
    return replace(each.ref, connection=each.issuer)


def named_by_issuers(vendor: Vendor, held: Sequence[Held], found: Sequence[Scoped]) -> Iterator[CredentialRef]:
    """Yield what a vendor holds as the inventory has it, and as issuers name it: through either it may be replaced."""
    yield from (each.ref for each in held)
    begins = pauses.held_as(vendor.name)
    for each in found:
        if any(one.path.startswith(begins) for one in each.exposures):
            yield from (each.ref, issued(each))


def nobody_knows(vendor: Vendor) -> Unresolved:
    """Leave to a person what a vendor holds that nobody wrote down."""
    seen = Exposure(INVENTORY, "what it holds", Leaked(id=vendor.name), pauses.held_as(vendor.name))
    reason = f"nobody knows of anything that {vendor.name} holds: neither the inventory nor the registry names it"
    mend = f"find it out, write it in the inventory (`vendor`) or the registry (`holds`), and pause {vendor.name} again"
    return Unresolved(None, vendor.name, (seen,), reason, f"{_whom(vendor)}: {mend}")


def for_people(vendor: Vendor, left: Sequence[Unresolved], held: Sequence[Held]) -> tuple[Unresolved, ...]:
    """Say to whom each task is that is about something it holds, and whom to ask at the vendor."""
    of = {where(vendor.name, each.ref): each for each in held}
    found = []
    for each in left:
        its = next((of[one.path] for one in each.exposures if one.path in of), None)
        found.append(each if its is None else replace(each, mend=f"{_whom(vendor, its)}: {each.mend}"))
    return tuple(found)


def _whom(vendor: Vendor, held: Held | None = None) -> str:
    who = (held.custody.contact if held is not None else "") or vendor.owner or "its owner, whom nobody named"
    return f"{who} (at {vendor.name}: {', '.join(vendor.contacts)})" if vendor.contacts else who
