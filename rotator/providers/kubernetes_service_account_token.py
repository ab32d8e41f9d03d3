"""Service accounts' tokens of Kubernetes, each named by the object that keeps it alive. The owner is NAMESPACE/ACCOUNT.

An id is `secrets/NAME@UID` for a legacy token and one that rotator made, `pods/NAME@UID` for one that a Pod was given.

A token is killed by deleting that object, so all tokens that are bound to it die together; one that is bound to nothing
ends with its time alone, and is refused here. A Pod's controller starts another, which gets a token of its own.
A replacement is a token bound to an empty Secret of its own; its life is what the API server grants, a year at most.
The rotator's own account needs: create on tokenreviews and serviceaccounts/token; get on serviceaccounts; get, list,
create and delete on secrets; get and delete on pods. Whoever has signed in may ask whether it has them.
What it needs to tell what was made since, and can do without, stands in families/kubernetes_since.py.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any, ClassVar

from rotator.credential import CredentialRef, Issued, Leaked, Secret
from rotator.errors import Rejected, Unavailable, Uncertain
from rotator.families.kubernetes import (
    FAMILY,
    SECRET_FIELD,
    WHO_AM_I,
    Kubernetes,
    is_absent,
    object_of,
    path_of,
    told,
    within,
)
from rotator.families.kubernetes_anchors import ACCOUNT, ID, MARKER, OURS, account_of, at, facts, named, with_tokens
from rotator.families.kubernetes_knock import judged
from rotator.families.kubernetes_permissions import of_tokens
from rotator.families.kubernetes_since import LEGACY, made_since
from rotator.families.kubernetes_tokens import Claims, read_token
from rotator.families.own_words import unreadable
from rotator.kind import Kind
from rotator.permissions import Permission
from rotator.ports.connection import Connection
from rotator.ports.listing import Discovered, MintedSince
from rotator.ports.provider import Answer, Capability, Provider, State, Status, Verdict
from rotator.rest_kind import RestKind

CACHED_S = 10.0
"""An API server remembers for so long that a token was good (its TokenSuccessCacheTTL, 10 s by default); and each of
several remembers by itself."""
_LIFE_S = 365 * 24 * 3600


def connect(connection: Connection, name: str, rest: RestKind | None = None) -> Provider:
    """Return the provider of one cluster's tokens."""
    return KubernetesServiceAccountToken(connection, name)


class KubernetesServiceAccountToken(Kind):
    """Tokens of one cluster's service accounts."""

    family: ClassVar[str] = FAMILY
    capability: ClassVar[Capability] = Capability.REVOCABLE
    sends_secret: ClassVar[bool] = True
    nobody: ClassVar[tuple[str, str]] = (
        "rotator-provider-check/nobody",
        "secrets/rotator-provider-check@00000000-0000-4000-8000-000000000000",
    )
    calls: ClassVar[Mapping[str, int]] = {"preserve": 2, "revoke": 2, "issue": 5, "compare": 2}
    secret_field: str = SECRET_FIELD
    also_ends: ClassVar[str] = "the Secret or Pod that it is bound to, with every other token of that"
    settle_s = CACHED_S
    propagation_s = CACHED_S

    def __init__(self, connection: Connection, name: str) -> None:
        super().__init__(connection, name)
        self._cluster = Kubernetes(connection)

    def identify(self, leaked: Leaked) -> CredentialRef:
        """Read whose it is, and let the API server review it, with the rotator's own token."""
        self._must_belong(leaked, self._cluster.address)
        if leaked.secret is None:
            if leaked.owner and leaked.id and ID.fullmatch(leaked.id):
                return self._ref_of(leaked.owner, leaked.id)
            raise Rejected("unreadable", "neither a token nor the object that keeps one alive, with its owner")
        text, claims = read_token(leaked.secret)
        body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "spec": {"token": text}}
        reply = self._cluster.read("/apis/authentication.k8s.io/v1/tokenreviews", body, "POST")
        if (found := told(reply)).get("kind") != "TokenReview" or not isinstance(found.get("status"), Mapping):
            raise unreadable(reply)
        authenticated = within(found, "status", "authenticated") is True
        if not authenticated or within(found, "status", "user", "username") != claims.user:
            raise Rejected("unknown_credential", "the API server takes it for nobody's")
        if not claims.resource:
            raise Rejected("only_expires", "it is bound to no object: it ends with its time, or with its account")
        return self._ref_of(claims.owner, f"{claims.resource}/{claims.name}@{claims.uid or self._uid(claims)}")

    def own(self) -> str | None:
        """Return the id of the rotator's own token, None where it is not a service account's."""
        try:
            _, claims = read_token(self._cluster.own_token())
        except Rejected as error:
            if error.reason == "unreadable":
                return None
            raise
        if not claims.resource:
            return None
        return f"{claims.resource}/{claims.name}@{claims.uid or self._uid(claims)}"

    def inspect(self, ref: CredentialRef) -> Status:
        """Return ACTIVE while the object stands; another one of the same name is not it."""
        found = self._object(ref)
        return Status(State.ABSENT) if found is None else Status(State.ACTIVE, facts(found))

    def siblings(self, ref: CredentialRef) -> frozenset[CredentialRef]:
        """Return the account's Secrets with tokens, and the Pod that was asked about; other Pods come and go."""
        namespace, _ = at(ref)
        found = {each for each, _ in self._secrets(path_of("secrets", namespace)) if each.owner == ref.owner}
        if ref.id.startswith("pods/") and self._object(ref) is not None:
            found.add(ref)
        return frozenset(found)

    def verify(self, ref: CredentialRef, secret: Secret) -> Verdict:
        """Ask as the token who it is."""
        text, claims = read_token(secret)
        resource, name, uid = named(ref)
        if (claims.owner, claims.resource, claims.name) != (ref.owner, resource, name) or claims.uid not in ("", uid):
            return Verdict(Answer.INCONCLUSIVE, "another_token")
        body = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
        reply = self._cluster.knock(WHO_AM_I, Secret(text), body, "POST")
        if is_absent(reply):  # before Kubernetes 1.28
            reply = self._cluster.knock("/api", Secret(text))
            if reply.ok:
                return Verdict(Answer.ACCEPTED, "let_in")
        return judged(reply, claims)

    def revoke(self, ref: CredentialRef) -> None:
        """Delete the object, if it is still the same one.

        Raises Rejected("secret_holds_more") for a Secret that was not made for tokens: what else stands in it would
        be lost with the token that is bound to it.
        """
        found = self._object(ref)
        if found is None:
            return
        resource, name, uid = named(ref)
        if resource == "secrets" and found.get("type") != LEGACY and found.get("data"):
            raise Rejected(
                "secret_holds_more", f"{name} was not made for this token: move what it holds, then delete it"
            )
        preconditions = {"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": {"uid": uid}}
        reply = self._cluster.change("DELETE", path_of(resource, at(ref)[0], name), preconditions)
        if not is_absent(reply) and reply.status != HTTPStatus.CONFLICT:
            told(reply)

    def preserve(self, ref: CredentialRef) -> Mapping[str, str]:
        """Return the object's age, the token's last use where the cluster keeps it, and what goes with it."""
        found = self._object(ref)
        if found is None:
            return {"state": str(State.ABSENT)}
        takes = "the Pod, which its controller starts again" if ref.id.startswith("pods/") else "the Secret"
        return {**facts(found), "deleting_takes": f"{takes}, with every token that is bound to it"}

    def issue(self, ref: CredentialRef, marker: str, preserved: Mapping[str, str]) -> Issued:  # noqa: ARG002
        """Make an empty Secret, and a token that lives as long as it does. Raises Rejected("pod_token") for a Pod's."""
        if ref.id.startswith("pods/"):
            raise Rejected("pod_token", "the Pod that its controller starts next gets a token of its own")
        namespace, account = at(ref)
        self._account(ref)
        name = f"{account[:40]}-rotator-{hashlib.sha256(marker.encode()).hexdigest()[:10]}"
        metadata = {"name": name, "labels": {OURS: "rotator"}, "annotations": {MARKER: marker, ACCOUNT: account}}
        anchor = {"apiVersion": "v1", "kind": "Secret", "type": "Opaque", "metadata": metadata}
        made = told(self._cluster.change("POST", path_of("secrets", namespace), anchor))
        uid = str(made["metadata"]["uid"])
        bound = {"kind": "Secret", "apiVersion": "v1", "name": name, "uid": uid}
        request = {
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenRequest",
            "spec": {"expirationSeconds": _LIFE_S, "boundObjectRef": bound},
        }
        new = ref.with_id(f"secrets/{name}@{uid}")
        try:
            answer = told(
                self._cluster.change("POST", f"{path_of('serviceaccounts', namespace, account)}/token", request)
            )
            status = answer["status"]
            public = {"expires_at": str(status["expirationTimestamp"]), "service_account": ref.owner}
            return Issued(new, Secret(str(status["token"])), public)
        except (Unavailable, KeyError):
            raise Uncertain("token_not_received", f"{name} is there, its token is not") from None
        except Rejected:
            self._take_back(new)
            raise

    def marked(self, ref: CredentialRef, marker: str) -> CredentialRef | None:
        """Return the Secret that carries the marker."""
        for found, metadata in self._secrets(path_of("secrets", at(ref)[0])):
            if found.owner == ref.owner and (metadata.get("annotations") or {}).get(MARKER) == marker:
                return found
        return None

    def discover(self) -> Iterable[Discovered]:
        """Yield every Secret of the cluster that keeps a token alive; Pods are not listed, they renew theirs hourly."""
        for ref, metadata in self._secrets("/api/v1/secrets"):
            yield Discovered(ref, {"state": str(State.ACTIVE), **facts({"metadata": metadata})})

    def minted_since(self, ref: CredentialRef, since: float) -> MintedSince:
        """Return what was made in its cluster since, by whom no list tells. See families/kubernetes_since.py."""
        at(ref)
        return made_since(self._cluster, self.name, ref.owner, ref.id, since)

    def permissions(self, whose: str | None) -> Sequence[Permission]:
        """Ask the API server for each of them, in the owner's namespace or in all."""
        namespace, account = (None, "") if whose is None else account_of(whose)
        return of_tokens(self._cluster.exchange(), namespace, account)

    def _take_back(self, ref: CredentialRef) -> None:
        """Delete a Secret that got no token: it opens nothing, and would look like one."""
        try:
            self.revoke(ref)
        except (Unavailable, Uncertain) as error:
            raise Uncertain("empty_secret_left", error.reason) from None

    def _secrets(self, path: str) -> Iterator[tuple[CredentialRef, Mapping[str, Any]]]:
        for owner, name, metadata in with_tokens(self._cluster, path):
            yield self._ref_of(owner, name), metadata

    def _object(self, ref: CredentialRef) -> Mapping[str, Any] | None:
        resource, name, uid = named(ref)
        reply = self._cluster.read(path_of(resource, at(ref)[0], name))
        if not is_absent(reply):
            found = object_of(reply)
            return found if found["metadata"]["uid"] == uid else None
        self._account(ref)  # else it may be another cluster's
        return None

    def _account(self, ref: CredentialRef) -> None:
        reply = self._cluster.read(path_of("serviceaccounts", *at(ref)))
        if is_absent(reply):
            raise Rejected(
                "not_this_account", f"no account {ref.owner} here; if it was deleted, its tokens went with it"
            )
        told(reply)

    def _uid(self, claims: Claims) -> str:
        reply = self._cluster.read(path_of("secrets", claims.namespace, claims.name))
        if is_absent(reply):
            raise Rejected("unknown_credential", f"its Secret {claims.name} is gone")
        return str(object_of(reply)["metadata"]["uid"])
