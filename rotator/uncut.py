"""What a paused vendor holds and nobody has cut: it was found to be the vendor's since the pause."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rotator import clock
from rotator.bootstrap import Rotator
from rotator.credential import CredentialRef
from rotator.held import Held, held_by_each
from rotator.ledger import outlook, pauses, uncut_told, vendor_history
from rotator.ledger.pauses import Pause


def where(vendor: str, ref: CredentialRef) -> str:
    """Return by which words an exposure says that a vendor holds a credential: its incident is asked by them."""
    return f"{pauses.held_as(vendor)}{ref}"


def uncut(parts: Rotator, pause: Pause, held: Iterable[Held]) -> list[Held]:
    """Return what a paused vendor holds of which the incident of its pause does not speak."""
    known = parts.pauses.spoken_of(pause)
    return [each for each in held if where(pause.vendor, each.ref) not in known]


def named(held: Iterable[Held]) -> list[dict[str, str]]:
    """Return these as reports tell them."""
    return [
        {"provider": each.kind, "connection": each.ref.connection, "owner": each.ref.owner, "id": each.ref.id}
        for each in held
    ]


class Watch:
    """Tells people of what is found while a vendor is paused; it is looked for again once something else is known."""

    def __init__(self, parts: Rotator) -> None:
        self._parts = parts
        self._of: tuple[object, ...] = ()

    def run(self) -> list[str]:
        """Have people told of what is new; return the vendors that hold it."""
        parts = self._parts
        open_ones = [each for each in parts.pauses.every() if each.is_open]
        of = (open_ones, outlook.mark(parts.database), vendor_history.mark(parts.database)) if open_ones else ()
        if of == self._of:
            return []
        parts.look_again()
        found = uncut_by_each(parts, open_ones)
        told = [each.vendor for each in open_ones if each.vendor in found and self._tell(each, found[each.vendor])]
        self._of = of
        return told

    def _tell(self, pause: Pause, held: Iterable[Held]) -> list[str]:
        names = {where(pause.vendor, each.ref): f"{each.kind} {each.ref.id or each.ref.owner}".strip() for each in held}
        incident = self._parts.pauses.told_under(pause)
        return uncut_told.tell_new(self._parts.database, pause, incident, names, clock.now())


def uncut_by_each(parts: Rotator, open_ones: Sequence[Pause]) -> dict[str, list[Held]]:
    """Return the same for each of these pauses, by vendor; what there is is gone through once."""
    if not open_ones:
        return {}
    held = held_by_each(parts, [parts.vendors.one(each.vendor) for each in open_ones])
    return {each.vendor: found for each in open_ones if (found := uncut(parts, each, held[each.vendor]))}
