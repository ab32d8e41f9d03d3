"""Refuse what would be new for a vendor that is paused, where a person or a drill asks for it and no run makes it.

A run asks the ledger itself as it writes its intent: see `ledger/pause_guard.py`.
"""

from __future__ import annotations

from rotator.bootstrap import Rotator
from rotator.credential import CredentialRef
from rotator.errors import BadInput


def refuse_paused(parts: Rotator, like: CredentialRef) -> None:
    """Raise BadInput where something made like this one, or in its place, would be new for a vendor that is paused."""
    parts.look_again()
    if vendor := parts.paused_holder()(like):
        what = f"{vendor}, which holds what {like.owner or 'the account'} has, is paused"
        mend = f"nothing new is made for it; `rotator vendor gates {vendor}` shows what lets it in again"
        raise BadInput(what, like.provider, mend)
