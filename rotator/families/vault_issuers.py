"""The keys of one SSH engine of Vault by which it signs: which is a credential's, and in whose place one was made."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from rotator.credential import CredentialRef
from rotator.errors import Rejected
from rotator.families.vault_ssh import Issuer

_DIGITS = 16
IN_PLACE_OF = "-for-"
"""What stands, in the name of a replacement, before the id of the one in whose place it was made."""


def issuer_of(issuers: Iterable[Issuer], ref: CredentialRef) -> Issuer | None:
    """Return the key that a credential names, None where it is gone."""
    return next((each for each in issuers if each.fingerprint == ref.id), None)


def held(issuers: Iterable[Issuer], ref: CredentialRef) -> Issuer:
    """Return the key that a credential names. Raises Rejected("authority_gone")."""
    issuer = issuer_of(issuers, ref)
    if issuer is None:
        raise Rejected("authority_gone", f"{ref.owner} has no {ref.id} any more")
    return issuer


def replaced_by(issuers: Iterable[Issuer], issuer: Issuer) -> Issuer | None:
    """Return the one in whose place it was made, as its name says."""
    named = issuer.name.partition(IN_PLACE_OF)[2]
    return next((each for each in issuers if named and each.id == named), None)


def name_for(marker: str) -> str:
    """Return how a replacement's name begins, by which it is found again."""
    return f"rotator-{hashlib.sha256(marker.encode()).hexdigest()[:_DIGITS]}"


def signs(issuer: Issuer | None) -> str:
    """Say whether a key signs for somebody."""
    if issuer is None:
        return "no: the server has no such key"
    return "by default" if issuer.signs_by_default else "for roles that name it"
