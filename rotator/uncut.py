"""What a paused vendor holds and nobody has cut: it was found to be the vendor's since the pause."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rotator.bootstrap import Rotator
from rotator.credential import CredentialRef
from rotator.held import Held, held_by_each
from rotator.ledger import pauses
from rotator.ledger.pauses import Pause


def where(vendor: str, ref: CredentialRef) -> str:
    """Return by which words an exposure says that a vendor holds a credential: its incident is asked by them."""
    return f"{pauses.held_as(vendor)}{ref}"


def uncut(parts: Rotator, pause: Pause, held: Iterable[Held]) -> list[Held]:
    """Return what a paused vendor holds of which the incident of its pause does not speak."""
    known = parts.pauses.spoken_of(pause)
    return [each for each in held if where(pause.vendor, each.ref) not in known]


def uncut_by_each(parts: Rotator, open_ones: Sequence[Pause]) -> dict[str, list[Held]]:
    """Return the same for each of these pauses, by vendor; what there is is gone through once."""
    if not open_ones:
        return {}
    held = held_by_each(parts, [parts.vendors.one(each.vendor) for each in open_ones])
    return {each.vendor: found for each in open_ones if (found := uncut(parts, each, held[each.vendor]))}
