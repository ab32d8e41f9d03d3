"""The objects that keep service accounts' tokens alive: Secrets and Pods, by name and uid, and what is known of each.

An owner is NAMESPACE/ACCOUNT, an id `secrets/NAME@UID` or `pods/NAME@UID`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from rotator.credential import CredentialRef
from rotator.errors import Rejected
from rotator.families.kubernetes import Kubernetes
from rotator.families.kubernetes_since import LEGACY, OF_ACCOUNT

ID = re.compile(r"(?P<resource>secrets|pods)/(?P<name>[a-z0-9.-]+)@(?P<uid>[0-9A-Za-z-]+)")
OURS, MARKER, ACCOUNT = "app.kubernetes.io/managed-by", "rotator/marker", "rotator/service-account"
"""The labels and annotations of a Secret that rotator made."""
_LAST_USED = "kubernetes.io/legacy-token-last-used"


def at(ref: CredentialRef) -> tuple[str, str]:
    """Return the namespace and the account of a token."""
    return account_of(ref.owner)


def account_of(owner: str) -> tuple[str, str]:
    """Return the namespace and the account of an owner. Raises Rejected("not_this_account") for what is none."""
    namespace, slash, account = owner.partition("/")
    if not slash or "/" in account or not namespace or not account:
        raise Rejected("not_this_account", f"{owner!r} is no NAMESPACE/ACCOUNT")
    return namespace, account


def named(ref: CredentialRef) -> tuple[str, str, str]:
    """Return the object's resource, name and uid. Raises Rejected("not_this_account") for what is no such id."""
    found = ID.fullmatch(ref.id)
    if found is None:
        raise Rejected("not_this_account", f"{ref.id!r} names no object that keeps a token alive")
    return found["resource"], found["name"], found["uid"]


def facts(found: Mapping[str, Any]) -> dict[str, str]:
    """Return the object's age, its end where that has begun, and the token's last use where the cluster keeps it."""
    metadata = found["metadata"]
    told = {"created_at": str(metadata.get("creationTimestamp") or "")}
    if last := (metadata.get("labels") or {}).get(_LAST_USED):
        told["last_used_at"] = str(last)
    if gone := metadata.get("deletionTimestamp"):
        told["being_deleted_since"] = str(gone)
    return {name: value for name, value in told.items() if value}


def with_tokens(cluster: Kubernetes, path: str) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Yield the Secrets below a path that keep a token alive: the owner, the id and the metadata of each."""
    for chosen in ({"fieldSelector": f"type={LEGACY}"}, {"labelSelector": f"{OURS}=rotator"}):
        for each in cluster.listed(path, **chosen):
            metadata = each["metadata"]
            annotations = metadata.get("annotations") or {}
            account = annotations.get(ACCOUNT) or annotations.get(OF_ACCOUNT)
            if account and metadata.get("namespace"):
                yield f"{metadata['namespace']}/{account}", f"secrets/{metadata['name']}@{metadata['uid']}", metadata
