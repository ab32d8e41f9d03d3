"""A stored secret to which a run of the same plan delivers: its value is what that run replaces, nothing of its own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from rotator.credential import CredentialRef
from rotator.flow.exposure import Certainty
from rotator.flow.order import Shared
from rotator.flow.scope import Scoped
from rotator.ports.store import Place

_STORES: Mapping[str, str] = {
    "aws_secret": "aws_secrets_manager",
    "aws_ssm_parameter": "aws_ssm_parameter",
    "gcp_secret_version": "gcp_secret_manager",
}
"""The kinds that are what a store keeps, and that store. The owner of such a credential is the name in the store."""


def answered_by_delivery(
    known: Iterable[Scoped], sharing: Mapping[CredentialRef, Shared]
) -> dict[CredentialRef, tuple[Place, CredentialRef]]:
    """Return which of them need no answer of their own: by the place, and by whose replacement is delivered there.

    Were they waited for, what replaces the value would wait for a person to replace it first. `sharing` are the
    replacements that the plan makes. What a report names itself, and what the rotator uses, keeps its run.
    """
    makers = {place: each.first for each in sharing.values() for place in each.deliver}
    found = {}
    for each in known:
        if each.lifeline is not None or each.kind not in _STORES or _is_seen(each):
            continue
        place = Place(_STORES[each.kind], each.ref.connection, each.ref.owner)
        if (maker := makers.get(place)) is not None:
            found[each.ref] = place, maker
    return found


def told_of(answered: Mapping[CredentialRef, tuple[Place, CredentialRef]]) -> list[str]:
    """Say of each place what becomes of what is kept there."""
    versions: dict[tuple[Place, CredentialRef], list[str]] = {}
    for ref, at in answered.items():
        versions.setdefault(at, []).append(ref.id)
    return [
        f"{place} needs no answer of its own: its value is replaced by what replaces {maker.id}"
        + (f"; nobody here knows what its {len(ids) - 1:,} other versions open" if len(ids) > 1 else "")
        for (place, maker), ids in sorted(versions.items(), key=lambda each: str(each[0][0]))
    ]


def _is_seen(each: Scoped) -> bool:
    return any(one.certainty is Certainty.SEEN for one in each.exposures)
