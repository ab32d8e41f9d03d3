"""What would be new for a vendor that is paused: refused where a person or a drill asks for it and no run makes it.

A run asks the ledger itself as it writes its intent: see `ledger/pause_guard.py`.
"""

from __future__ import annotations

from collections.abc import Callable

from rotator.bootstrap import Rotator
from rotator.credential import CredentialRef
from rotator.errors import BadInput
from rotator.flow.scope import Custodies, Custody


def refuse_paused(parts: Rotator, like: CredentialRef) -> None:
    """Raise BadInput where something made like this one, or in its place, would be new for a vendor that is paused."""
    parts.look_again()
    if vendor := paused_holder(parts)(like):
        what = f"{vendor}, which holds what {like.owner or 'the account'} has, is paused"
        mend = f"nothing new is made for it; `rotator vendor gates {vendor}` shows what lets it in again"
        raise BadInput(what, like.provider, mend)


def paused_holder(parts: Rotator) -> Callable[[CredentialRef], str]:
    """Return what tells which vendor that is paused now holds a credential, "" where none does.

    Several may hold one: that the inventory names another takes nothing from what the registry says (`holds`), nor
    from what the vendor held as it was paused.
    """
    paused = parts.pauses.paused()
    kept = parts.pauses.held() if paused else {}
    registered = [each for each in parts.vendors.every(software=False) if each.name in paused] if paused else []
    more = Custodies(Custody(match, vendor=each.name) for each in registered for match in each.holds)

    def holder(ref: CredentialRef) -> str:
        named = parts.custodies.of(ref).vendor if paused else ""
        if named in paused:
            return named
        return more.of(ref).vendor or kept.get((ref.provider, ref.connection, ref.id), "")

    return holder
