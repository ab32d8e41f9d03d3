"""What a cluster tells of what was made since: tokens in Secrets, service accounts, role bindings, certificates.

Every object has `metadata.creationTimestamp`, and in `managedFields` when its fields were last written, by what a
client calls itself. Who made it stands in the API server's audit log alone; a request for a certificate has the user in
`spec.username`, which the API server fills in. Source: the API reference of Kubernetes, "ObjectMeta" and
"CertificateSigningRequest" (kept for an hour or a day, then deleted). What TokenRequest gave is kept nowhere.

The rotator's own account needs list on secrets, serviceaccounts, rolebindings, clusterrolebindings and
certificatesigningrequests, in all namespaces; what it may not list is told.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from itertools import islice
from typing import Any

from rotator.errors import Rejected
from rotator.families.kubernetes import Kubernetes, path_of, within
from rotator.ports.listing import Made, MintedSince

LEGACY = "kubernetes.io/service-account-token"
OF_ACCOUNT = "kubernetes.io/service-account.name"
MOST = 2000
"""How many objects of a sort are looked through: four pages."""
_RBAC, _CERTIFICATES = "/apis/rbac.authorization.k8s.io/v1", "/apis/certificates.k8s.io/v1"
_REQUESTS = "certificatesigningrequests"
_OF_THE_CLUSTER = frozenset({"clusterrolebindings", _REQUESTS})
"""What lies in no namespace."""
_ASKED = "tokens in Secrets, service accounts, role bindings and requests for certificates"
UNTOLD = (
    "tokens that it requested, what it read or changed besides, and who made what (the API server's audit log tells)"
)
_UNDO = "look in the audit log who bound it, and delete it if nobody needs it"
_SIGNED = "deny it, or, where it was signed, replace what the certificate opens: it lives until its time"


def made_since(cluster: Kubernetes, kind: str, owner: str, but: str, since: float) -> MintedSince:
    """Return what was made in the cluster since; `but` is the id of the exposed token. Raises what nothing was told by.

    Where all namespaces may not be listed, the owner's is.
    """
    namespace, _, account = owner.partition("/")
    look = _Look(cluster.exchange(), namespace, since)
    made = [
        Made("a token in a Secret", f"{name} of {whose}", at, kind, whose, name, sure=False)
        for each, at in look.of("secrets", "tokens in Secrets", fieldSelector=f"type={LEGACY}")
        if (name := _id(each)) != but and (whose := _whose(each))
    ]
    made += [
        Made("a service account", _name(each), at, sure=False)
        for each, at in look.of("serviceaccounts", "service accounts")
    ]
    for resource in ("rolebindings", "clusterrolebindings"):
        made += [
            Made("a role binding", f"{_name(each)} to {within(each, 'roleRef', 'name')}", at, mend=_UNDO, sure=False)
            for each, at in look.of(resource, resource, _RBAC)
        ]
    user = f"system:serviceaccount:{namespace}:{account}"
    made += [
        Made("a request for a certificate", _name(each), at, mend=_SIGNED)
        for each, at in look.of(_REQUESTS, "requests for certificates", _CERTIFICATES)
        if within(each, "spec", "username") == user
    ]
    return look.told(made)


class _Look:
    """One look at several lists, which share a deadline."""

    def __init__(self, cluster: Kubernetes, namespace: str, since: float) -> None:
        self._cluster, self._namespace, self._since = cluster, namespace, since
        self._ends, self._is_heard = [UNTOLD], False

    def of(
        self, resource: str, called: str, group: str = "/api/v1", **chosen: str
    ) -> Iterator[tuple[Mapping[str, Any], float]]:
        """Yield what a list shows that was made since, with when. Raises what the first list was refused with."""
        found = self._listed(resource, called, group, chosen)
        if len(found) > MOST:
            self._ends.append(f"more than the first {MOST:,} {called}")
        for each in found[:MOST]:
            at = _at(each, is_changed_too=group == _RBAC)
            if at is not None and at >= self._since:
                yield each, at

    def told(self, made: list[Made]) -> MintedSince:
        return MintedSince(_ASKED, tuple(made), cannot_tell=tuple(self._ends))

    def _listed(self, resource: str, called: str, group: str, chosen: Mapping[str, str]) -> list[Mapping[str, Any]]:
        """Return the list of all namespaces, else of the owner's own, else nothing and say so."""
        paths = [f"{group}/{resource}"]
        if resource not in _OF_THE_CLUSTER:
            paths.append(path_of(resource, self._namespace, group=group))
        for path in paths:
            try:
                found = list(islice(self._cluster.listed(path, **chosen), MOST + 1))
            except Rejected as refusal:
                refused = refusal
                continue
            if path != paths[0]:
                self._ends.append(f"{called} of other namespaces than {self._namespace} ({refused.reason})")
            self._is_heard = True
            return found
        if not self._is_heard:
            raise refused
        self._ends.append(f"{called} ({refused.reason})")
        return []


def _at(shown: Mapping[str, Any], *, is_changed_too: bool) -> float | None:
    """Return when it was made, or last written where that gives rights as well; None where it is not told."""
    times = [within(shown, "metadata", "creationTimestamp")]
    if is_changed_too:
        fields = within(shown, "metadata", "managedFields")
        times += [within(each, "time") for each in fields] if isinstance(fields, list) else []
    return max((at for each in times if (at := _seconds(each)) is not None), default=None)


def _seconds(text: object) -> float | None:
    try:
        found = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return found.timestamp() if found.tzinfo else None


def _id(secret: Mapping[str, Any]) -> str:
    return f"secrets/{secret['metadata']['name']}@{secret['metadata']['uid']}"


def _whose(secret: Mapping[str, Any]) -> str:
    """Return NAMESPACE/ACCOUNT, "" where it names no account: then no token was put into it."""
    account, namespace = within(secret, "metadata", "annotations", OF_ACCOUNT), within(secret, "metadata", "namespace")
    return f"{namespace}/{account}" if account and namespace else ""


def _name(shown: Mapping[str, Any]) -> str:
    namespace = within(shown, "metadata", "namespace")
    return f"{namespace}/{shown['metadata']['name']}" if namespace else str(shown["metadata"]["name"])
