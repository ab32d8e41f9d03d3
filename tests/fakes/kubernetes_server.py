"""An API server in front of `kubernetes_cluster`: a fake of the published REST behaviour, ours, and not a real one.

It speaks plain HTTP, or TLS with an authority of its own, under which it also takes client certificates: the user is
the certificate's common name, its groups the organisations. Whoever is not the administrator may ask who he is and what
he may do, and do what rules grant him (`kubernetes_access`).
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import re
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import ClassVar
from urllib.parse import parse_qsl, urlsplit

from rotator.credential import Secret
from tests.fakes.http_server import Request, listening
from tests.fakes.kubernetes_access import Access, Rule
from tests.fakes.kubernetes_authority import Authority
from tests.fakes.kubernetes_cluster import GROUPS, KINDS, LEGACY, OF_ACCOUNT, Cluster, Object, Refused, User

_OBJECT = re.compile(
    r"(?P<group>/api/v1|/apis/[a-z0-9.]+/v1)(?:/namespaces/(?P<namespace>[^/]+))?/(?P<resource>[a-z]+)(?:/(?P<name>[^/]+))?(?P<token>/token)?"
)
_REVIEW = "/apis/authentication.k8s.io/v1/"
_PATCHES = frozenset({"application/merge-patch+json", "application/strategic-merge-patch+json"})


@dataclass(frozen=True)
class KubernetesServer:
    """A running server. `ca_file` and `authority` are None where it speaks plain HTTP."""

    address: str
    cluster: Cluster
    access: Access
    calls: list[str]
    authority: Authority | None = None
    ca_file: Path | None = None

    @property
    def admin(self) -> Secret:
        """Return the administrator's token: what the rotator itself uses."""
        return Secret(self.cluster.admin_token)

    def distrust(self, fingerprint: str) -> None:
        """Refuse one client certificate: what it meets under a new authority, when all others have got a new one."""
        self.cluster.distrusted.add(fingerprint)

    def account(self, name: str, namespace: str = "default") -> Object:
        """Make a service account unless it is there."""
        with contextlib.suppress(Refused):
            return self.cluster.create("serviceaccounts", namespace, {"metadata": {"name": name}})
        return self.cluster.read("serviceaccounts", namespace, name)

    def bearer(self, name: str, *rules: Rule) -> Secret:
        """Make an account of that name in a namespace apart, with these rules, and return its token."""
        self.account(name, "bearers")
        self.access.rules[f"system:serviceaccount:bearers:{name}"] = list(rules)
        made = self.legacy_token(f"{name}-token", name, "bearers")
        return Secret(base64.b64decode(made["data"]["token"]).decode())

    def legacy_token(self, secret: str, account: str, namespace: str = "default") -> Object:
        """Make a Secret with a token of the account in it; return the Secret as it then stands."""
        body = {"metadata": {"name": secret, "annotations": {OF_ACCOUNT: account}}, "type": LEGACY}
        self.cluster.create("secrets", namespace, body)
        return self.cluster.read("secrets", namespace, secret)


@contextlib.contextmanager
def kubernetes_server(tls_in: Path | None = None) -> Iterator[KubernetesServer]:
    """Run the server until the block ends, over TLS when given a folder for its certificates."""
    cluster, access, calls = Cluster(), Access(), []
    requests = type("Asked", (_Asked,), {"cluster": cluster, "access": access, "calls": calls})
    authority = Authority() if tls_in else None
    ca_file = context = None
    if tls_in and authority:
        ca_file = tls_in / "ca.pem"
        ca_file.write_bytes(authority.pem)
        (tls_in / "server.pem").write_bytes(authority.server("127.0.0.1"))
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(ca_file))
        context.load_cert_chain(tls_in / "server.pem")
        context.verify_mode = ssl.CERT_OPTIONAL
    with listening(requests, context) as address:
        yield KubernetesServer(address, cluster, access, calls, authority, ca_file)


class _Asked(Request):
    cluster: ClassVar[Cluster]
    access: ClassVar[Access]
    calls: ClassVar[list[str]]

    def answered(self, sent: bytes) -> None:
        self.calls.append(f"{self.command} {self.path}")
        try:
            status, answer = self._answer(json.loads(sent) if sent else {})
        except Refused as refusal:
            status, answer = refusal.status, _status(refusal)
        self.reply(status, json.dumps(answer).encode(), {"Content-Type": "application/json"})

    def _answer(self, body: Object) -> tuple[HTTPStatus, Object]:
        user = self._user()
        url = urlsplit(self.path)
        if url.path in ("/api", "/version"):
            return HTTPStatus.OK, {"kind": "APIVersions", "versions": ["v1"]}
        if url.path == f"{_REVIEW}selfsubjectreviews" and self.command == "POST":
            answer = {"kind": "SelfSubjectReview", "apiVersion": "authentication.k8s.io/v1"}
            return HTTPStatus.CREATED, {**answer, "status": {"userInfo": user.info()}}
        if (review := self.access.review(user, self.command, url.path, body)) is not None:
            return HTTPStatus.CREATED, review
        self.access.admit(user, self.command, url.path)
        if url.path == f"{_REVIEW}tokenreviews" and self.command == "POST":
            return HTTPStatus.CREATED, self._reviewed(body)
        found = _OBJECT.fullmatch(url.path)
        if found is None or found["resource"] not in KINDS:
            raise Refused(HTTPStatus.NOT_FOUND, "NotFound", "the server could not find the requested resource")
        if found["group"] != GROUPS.get(found["resource"], "/api/v1"):
            raise Refused(HTTPStatus.NOT_FOUND, "NotFound", "the server could not find the requested resource")
        if found["token"] and self.command == "POST":
            return HTTPStatus.CREATED, self.cluster.token(found["namespace"], found["name"], body)
        return self._object(found["resource"], found["namespace"], found["name"], body, dict(parse_qsl(url.query)))

    def _object(
        self, resource: str, namespace: str | None, name: str | None, body: Object, query: dict[str, str]
    ) -> tuple[HTTPStatus, Object]:
        cluster = self.cluster
        if name is None and self.command == "GET":
            return HTTPStatus.OK, _page(
                resource, [each for each in cluster.listed(resource, namespace) if _chosen(each, query)], query
            )
        if namespace is not None and name is None and self.command == "POST":
            return HTTPStatus.CREATED, cluster.create(resource, namespace, body)
        if namespace is None or name is None:
            raise Refused(HTTPStatus.METHOD_NOT_ALLOWED, "MethodNotAllowed", "the server does not allow this method")
        if self.command == "GET":
            return HTTPStatus.OK, cluster.read(resource, namespace, name)
        if self.command == "PUT":
            return HTTPStatus.OK, cluster.replace(resource, namespace, name, body)
        if self.command == "PATCH":
            if self.headers.get("Content-Type") not in _PATCHES:
                raise Refused(
                    HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
                    "UnsupportedMediaType",
                    "the body of the request was in an unknown format",
                )
            return HTTPStatus.OK, cluster.patch(resource, namespace, name, body)
        return HTTPStatus.OK, cluster.delete(resource, namespace, name, body.get("preconditions") or {})

    def _user(self) -> User:
        scheme, _, token = self.headers.get("Authorization", "").partition(" ")
        user = self.cluster.user_of(token) if scheme == "Bearer" else self._by_certificate()
        if user is None:
            raise Refused(HTTPStatus.UNAUTHORIZED, "Unauthorized", "Unauthorized")
        return user

    def _by_certificate(self) -> User | None:
        if not isinstance(self.connection, ssl.SSLSocket) or not (raw := self.connection.getpeercert(binary_form=True)):
            return None
        if hashlib.sha256(raw).hexdigest() in self.cluster.distrusted:
            return None
        shown = self.connection.getpeercert()
        named = [pair for part in (shown or {}).get("subject", ()) for pair in part]
        names = [value for key, value in named if key == "commonName"]
        groups = [value for key, value in named if key == "organizationName"]
        return User(names[0], (*groups, "system:authenticated")) if names else None

    def _reviewed(self, body: Object) -> Object:
        user = self.cluster.user_of(str((body.get("spec") or {}).get("token") or ""))
        told = {"authenticated": True, "user": user.info()} if user else {"error": "invalid bearer token"}
        return {"kind": "TokenReview", "apiVersion": "authentication.k8s.io/v1", "status": told}


def _chosen(each: Object, query: dict[str, str]) -> bool:
    metadata = each["metadata"]
    fields = {"metadata.name": metadata["name"], "metadata.namespace": metadata["namespace"], "type": each.get("type")}
    for wanted in filter(None, query.get("fieldSelector", "").split(",")):
        key, _, value = wanted.partition("=")
        if fields.get(key) != value.removeprefix("="):
            return False
    for wanted in filter(None, query.get("labelSelector", "").split(",")):
        key, equals, value = wanted.partition("=")
        held = metadata.get("labels", {}).get(key)
        if held is None or (equals and held != value.removeprefix("=")):
            return False
    return True


def _page(resource: str, found: list[Object], query: dict[str, str]) -> Object:
    begin, limit = int(query.get("continue") or 0), int(query.get("limit") or 0) or len(found)
    more = {"continue": str(begin + limit)} if begin + limit < len(found) else {}
    return {"kind": f"{KINDS[resource]}List", "metadata": more, "items": found[begin : begin + limit]}


def _status(refusal: Refused) -> Object:
    told = {"status": "Failure", "message": refusal.message, "reason": refusal.reason, "code": int(refusal.status)}
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, **told}
