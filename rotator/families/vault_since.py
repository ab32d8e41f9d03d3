"""What a Vault server tells of what was made since: its tokens and AppRoles' secret ids, by when and for whom.

No lookup names a token's parent ("Token auth method (API)": its answer has `orphan`, `entity_id` and `path`, and no
parent). So of a token that another one made it is known that it was made, and not by which; one that is no orphan dies
with its parent. What was written to the server besides, its audit device alone tells.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from rotator.credential import CredentialRef
from rotator.families.vault_accessors import Holder
from rotator.ports.listing import Made, MintedSince

_CREATED = "auth/token/create"


def tokens_since(kind: str, holders: Mapping[str, Holder], ref: CredentialRef, since: float) -> MintedSince:
    """Return the tokens of the same holder, and orphans that some token made. A child dies with what made it."""
    exposed = holders.get(ref.id)
    made = []
    for accessor, holder in sorted(holders.items()):
        at = seconds(holder.created_at)
        if accessor == ref.id or at is None or at < since:
            continue
        of_its_own = holder.owner == ref.owner or (exposed and exposed.entity and exposed.entity == holder.entity)
        if of_its_own or (holder.orphan and holder.path.startswith(_CREATED)):
            told = f"{accessor} of {holder.owner}" if holder.owner != accessor else accessor
            made.append(Made("a token", told, at, kind, holder.owner, accessor, sure=bool(of_its_own)))
    untold = "what it wrote there: policies, entities, roles and secrets (its audit device tells)"
    return MintedSince("its tokens", tuple(made), cannot_tell=(untold,))


def secret_ids_since(
    kind: str, found: Iterable[tuple[str, Mapping[str, Any]]], ref: CredentialRef, since: float
) -> MintedSince:
    """Return the other secret ids of the same role: the server does not tell who made them."""
    made = []
    for accessor, told in found:
        at = seconds(str(told.get("creation_time") or ""))
        if accessor != ref.id and at is not None and at >= since:
            made.append(Made("a secret id", f"{accessor} of {ref.owner}", at, kind, ref.owner, accessor, sure=False))
    untold = "what the tokens did that were got with it (the audit device tells)"
    return MintedSince("the secret ids of its role", tuple(made), cannot_tell=(untold,))


def seconds(text: str) -> float | None:
    """Return a time as the server writes it, in seconds since 1970; None for what is none."""
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        return None
