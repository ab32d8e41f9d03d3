"""What a Kubernetes cluster keeps, as its published API tells it: a fake of ours, not somebody else's.

Objects with uids and resource versions; service accounts and their tokens, legacy ones in Secrets and bound ones from
TokenRequest; workloads whose rollouts are done at once unless they are told to be stuck.
"""

from __future__ import annotations

import base64
import copy
import hashlib
import hmac
import json
import secrets
import threading
import time
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

Object = dict[str, Any]

LEGACY = "kubernetes.io/service-account-token"
OF_ACCOUNT = "kubernetes.io/service-account.name"
WORKLOADS = frozenset({"deployments", "statefulsets", "daemonsets"})
KINDS = {
    "secrets": "Secret",
    "serviceaccounts": "ServiceAccount",
    "pods": "Pod",
    "deployments": "Deployment",
    "statefulsets": "StatefulSet",
    "daemonsets": "DaemonSet",
    "rolebindings": "RoleBinding",
    "clusterrolebindings": "ClusterRoleBinding",
    "certificatesigningrequests": "CertificateSigningRequest",
}
GROUPS = {
    **dict.fromkeys(WORKLOADS, "/apis/apps/v1"),
    **dict.fromkeys(("rolebindings", "clusterrolebindings"), "/apis/rbac.authorization.k8s.io/v1"),
    "certificatesigningrequests": "/apis/certificates.k8s.io/v1",
}
"""Where what is not of the core lies."""
SHORTEST_S = 600
"""TokenRequest refuses a shorter life, in seconds."""


class Refused(Exception):  # noqa: N818 - an answer, not a defect
    """An answer of the API server that is not a success, as its Status object."""

    def __init__(self, status: HTTPStatus, reason: str, message: str) -> None:
        super().__init__(message)
        self.status, self.reason, self.message = status, reason, message


@dataclass(frozen=True)
class User:
    """Who asks: a name, its groups, and what the token says besides."""

    name: str
    groups: tuple[str, ...] = ("system:authenticated",)
    extra: dict[str, list[str]] = field(default_factory=dict)

    def info(self) -> Object:
        return {"username": self.name, "groups": list(self.groups), "extra": self.extra}


ADMIN = User("admin", ("system:masters", "system:authenticated"))


class Cluster:
    """The state. `longest_token_s` caps what TokenRequest gives; `stuck` names workloads whose rollouts never end.

    `distrusted` are the SHA256 fingerprints of client certificates that are refused.
    """

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.admin_token = secrets.token_urlsafe(32)
        self.longest_token_s: int | None = None
        self.stuck: set[tuple[str, str]] = set()
        self.lingering_pods = False
        self.distrusted: set[str] = set()
        self._key = secrets.token_bytes(32)
        self._version = 0
        self._objects: dict[tuple[str, str, str], Object] = {}

    # Objects

    def create(self, resource: str, namespace: str, body: Object) -> Object:
        with self.lock:
            metadata = body.setdefault("metadata", {})
            if not metadata.get("name"):
                metadata["name"] = f"{metadata.get('generateName', 'x-')}{secrets.token_hex(3)}"
            name = metadata["name"]
            if (resource, namespace, name) in self._objects:
                raise Refused(HTTPStatus.CONFLICT, "AlreadyExists", f'{resource} "{name}" already exists')
            made = copy.deepcopy(body)
            made["metadata"] |= {"namespace": namespace, "uid": str(uuid.uuid4()), "creationTimestamp": _stamp()}
            made = self._kept(resource, made)
            answer = copy.deepcopy(made)
            if resource == "secrets" and made.get("type") == LEGACY:
                self._fill(made)  # the token controller comes after the answer
            return answer

    def read(self, resource: str, namespace: str, name: str) -> Object:
        with self.lock:
            found = self._objects.get((resource, namespace, name))
            if found is None:
                raise Refused(HTTPStatus.NOT_FOUND, "NotFound", f'{resource} "{name}" not found')
            return copy.deepcopy(found)

    def listed(self, resource: str, namespace: str | None) -> list[Object]:
        with self.lock:
            found = [each for key, each in sorted(self._objects.items()) if key[0] == resource]
            return [copy.deepcopy(each) for each in found if namespace in (None, each["metadata"]["namespace"])]

    def standing(self, resource: str) -> list[Object]:
        """Return the objects themselves, for who plants something in them."""
        with self.lock:
            return [each for key, each in sorted(self._objects.items()) if key[0] == resource]

    def replace(self, resource: str, namespace: str, name: str, body: Object) -> Object:
        with self.lock:
            standing = self.read(resource, namespace, name)
            for field_name in ("uid", "resourceVersion"):
                given = body.get("metadata", {}).get(field_name)
                if given and given != standing["metadata"][field_name]:
                    raise Refused(HTTPStatus.CONFLICT, "Conflict", "the object has been modified; apply your changes")
            if standing.get("immutable"):
                raise Refused(HTTPStatus.UNPROCESSABLE_ENTITY, "Invalid", "field is immutable when `immutable` is set")
            kept = {key: standing["metadata"][key] for key in ("uid", "creationTimestamp", "namespace", "name")}
            new = copy.deepcopy(body)
            new["metadata"] = {
                **new.get("metadata", {}),
                **kept,
                "generation": standing["metadata"].get("generation", 1),
            }
            if resource in WORKLOADS and new.get("spec") != standing.get("spec"):
                new["metadata"]["generation"] += 1
            return copy.deepcopy(self._kept(resource, new))

    def patch(self, resource: str, namespace: str, name: str, change: Object) -> Object:
        with self.lock:
            return self.replace(resource, namespace, name, _merged(self.read(resource, namespace, name), change))

    def delete(self, resource: str, namespace: str, name: str, preconditions: Object) -> Object:
        with self.lock:
            standing = self.read(resource, namespace, name)
            for field_name, wanted in preconditions.items():
                if standing["metadata"].get(field_name) != wanted:
                    message = f"the {field_name} in the precondition ({wanted}) does not match the one in record"
                    raise Refused(HTTPStatus.CONFLICT, "Conflict", message)
            if resource == "pods" and self.lingering_pods:
                self._objects[resource, namespace, name]["metadata"]["deletionTimestamp"] = _stamp()
                return standing
            del self._objects[resource, namespace, name]
            if resource == "serviceaccounts":
                for each in self.listed("secrets", namespace):
                    if each.get("type") == LEGACY and each["metadata"].get("annotations", {}).get(OF_ACCOUNT) == name:
                        del self._objects["secrets", namespace, each["metadata"]["name"]]
            return standing

    def _kept(self, resource: str, made: Object) -> Object:
        self._version += 1
        metadata = made["metadata"]
        metadata["resourceVersion"] = str(self._version)
        metadata["managedFields"] = [{"manager": "whoever", "operation": "Update", "time": _stamp()}]
        if resource == "secrets":
            plain = made.pop("stringData", {})
            data = {**made.get("data", {}), **{key: _b64(text.encode()) for key, text in plain.items()}}
            made |= {"data": data, "type": made.get("type", "Opaque")}
        if resource in WORKLOADS:
            metadata.setdefault("generation", 1)
            replicas = made.get("spec", {}).get("replicas", 1)
            done = (metadata["namespace"], metadata["name"]) not in self.stuck
            ready = dict.fromkeys(("replicas", "readyReplicas", "availableReplicas"), replicas)
            made["status"] = {
                **ready,
                "observedGeneration": metadata["generation"],
                "updatedReplicas": replicas if done else 0,
            }
        made |= {"kind": KINDS[resource], "apiVersion": GROUPS.get(resource, "/api/v1").split("/", 2)[2]}
        self._objects[resource, metadata["namespace"], metadata["name"]] = made
        return made

    # Tokens

    def token(self, namespace: str, account: str, request: Object) -> Object:
        """Answer a TokenRequest."""
        with self.lock:
            owner = self.read("serviceaccounts", namespace, account)
            spec = request.get("spec") or {}
            seconds = int(spec.get("expirationSeconds") or 3600)
            if seconds < SHORTEST_S:
                message = "spec.expirationSeconds: may not specify a duration less than 10 minutes"
                raise Refused(HTTPStatus.UNPROCESSABLE_ENTITY, "Invalid", message)
            seconds = min(seconds, self.longest_token_s or seconds)
            claims = _of_account(namespace, owner)
            if bound := spec.get("boundObjectRef"):
                resource = {"Secret": "secrets", "Pod": "pods"}[bound["kind"]]
                standing = self.read(resource, namespace, bound["name"])["metadata"]
                if bound.get("uid", standing["uid"]) != standing["uid"]:
                    raise Refused(
                        HTTPStatus.CONFLICT, "Conflict", "the UID in the bound object reference does not match"
                    )
                claims[bound["kind"].lower()] = {"name": bound["name"], "uid": standing["uid"]}
            expires = int(time.time()) + seconds
            text = self._signed({"iss": "https://kubernetes.default.svc", "exp": expires, "kubernetes.io": claims})
            return {
                "kind": "TokenRequest",
                "apiVersion": "authentication.k8s.io/v1",
                "spec": {**spec, "expirationSeconds": seconds},
                "status": {"token": text, "expirationTimestamp": _stamp(expires)},
            }

    def user_of(self, token: str) -> User | None:
        """Return whose token it is, None when it is refused."""
        with self.lock:
            if hmac.compare_digest(token, self.admin_token):
                return ADMIN
            claims = self._claims(token)
            if claims is None or claims.get("exp", time.time() + 1) < time.time():
                return None
            return (
                self._legacy(claims, token) if "kubernetes.io" not in claims else self._bound(claims["kubernetes.io"])
            )

    def _legacy(self, claims: Object, token: str) -> User | None:
        at = "kubernetes.io/serviceaccount/"
        namespace, account = claims[f"{at}namespace"], claims[f"{at}service-account.name"]
        secret = self._objects.get(("secrets", namespace, claims[f"{at}secret.name"]))
        owner = self._objects.get(("serviceaccounts", namespace, account))
        if secret is None or owner is None or owner["metadata"]["uid"] != claims[f"{at}service-account.uid"]:
            return None
        if secret["data"].get("token") != _b64(token.encode()):
            return None
        secret["metadata"].setdefault("labels", {})["kubernetes.io/legacy-token-last-used"] = _stamp()[:10]
        return _user(namespace, account)

    def _bound(self, claims: Object) -> User | None:
        namespace, account = claims["namespace"], claims["serviceaccount"]
        living = {"serviceaccounts": account}
        living |= {f"{kind}s": claims[kind] for kind in ("secret", "pod") if kind in claims}
        for resource, named in living.items():
            standing = self._objects.get((resource, namespace, named["name"]))
            if standing is None or standing["metadata"]["uid"] != named["uid"]:
                return None
        extra = {}
        if pod := claims.get("pod"):
            extra = {
                "authentication.kubernetes.io/pod-name": [pod["name"]],
                "authentication.kubernetes.io/pod-uid": [pod["uid"]],
            }
        return _user(namespace, account["name"], extra)

    def _fill(self, secret: Object) -> None:
        metadata = secret["metadata"]
        account = metadata.get("annotations", {}).get(OF_ACCOUNT, "")
        owner = self._objects.get(("serviceaccounts", metadata["namespace"], account))
        if owner is None:
            del self._objects["secrets", metadata["namespace"], metadata["name"]]
            return
        metadata["annotations"]["kubernetes.io/service-account.uid"] = owner["metadata"]["uid"]
        at = "kubernetes.io/serviceaccount/"
        claims = {
            "iss": "kubernetes/serviceaccount",
            f"{at}namespace": metadata["namespace"],
            f"{at}secret.name": metadata["name"],
            f"{at}service-account.name": account,
            f"{at}service-account.uid": owner["metadata"]["uid"],
            "sub": f"system:serviceaccount:{metadata['namespace']}:{account}",
        }
        secret["data"] = {
            "token": _b64(self._signed(claims).encode()),
            "namespace": _b64(metadata["namespace"].encode()),
        }

    def _signed(self, claims: Object) -> str:
        text = ".".join(_url(json.dumps(part).encode()) for part in ({"alg": "RS256", "typ": "JWT"}, claims))
        return f"{text}.{self._signature(text)}"

    def _signature(self, text: str) -> str:
        return _url(hmac.digest(self._key, text.encode(), hashlib.sha256))

    def _claims(self, token: str) -> Object | None:
        text, _, signature = token.rpartition(".")
        if not hmac.compare_digest(signature.encode(), self._signature(text).encode()):
            return None
        body = text.partition(".")[2]
        return dict(json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))))


def _user(namespace: str, account: str, extra: dict[str, list[str]] | None = None) -> User:
    groups = ("system:serviceaccounts", f"system:serviceaccounts:{namespace}", "system:authenticated")
    return User(f"system:serviceaccount:{namespace}:{account}", groups, extra or {})


def _of_account(namespace: str, owner: Object) -> Object:
    metadata = owner["metadata"]
    return {"namespace": namespace, "serviceaccount": {"name": metadata["name"], "uid": metadata["uid"]}}


def _merged(standing: Any, change: Any) -> Any:
    """Merge as RFC 7386 says; for maps a strategic merge does the same."""
    if not isinstance(change, dict):
        return change
    merged = dict(standing) if isinstance(standing, dict) else {}
    for key, value in change.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = _merged(merged.get(key), value)
    return merged


def _stamp(seconds: float | None = None) -> str:
    return datetime.fromtimestamp(time.time() if seconds is None else seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
