"""Client certificates of Kubernetes, as kubeconfig files hold them. The owner is the common name: the user.

The API server checks no revocation list: a certificate is refused when it has expired, or when the authority that
signed it is trusted no more, which ends everybody's. So a person decides; the knock then proves what became of it.
The material is the certificate and its key in PEM, or the kubeconfig that holds both. The id is the certificate's
SHA256 fingerprint. The rotator's own account needs nothing: the certificate itself is asked who it is.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Sequence
from http import HTTPStatus
from typing import ClassVar

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import NameOID

from rotator.credential import CredentialRef, Leaked, Secret
from rotator.errors import Rejected
from rotator.families.kubernetes import FAMILY, WHO_AM_I, Kubernetes, is_own, refused_name, within
from rotator.kind import Kind
from rotator.permissions import LOOK, Permission
from rotator.ports.connection import Connection
from rotator.ports.provider import Answer, Capability, Provider, Status, Verdict
from rotator.rest_kind import RestKind

SETTLE_S = 60.0
"""Not published. API servers read a new authority's file again within a minute, each by itself."""

_FIELDS = ("client-certificate-data", "client-key-data")
_PEM = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----.+?-----END \1-----", re.DOTALL)


def connect(connection: Connection, name: str, rest: RestKind | None = None) -> Provider:
    """Return the provider of one cluster's client certificates."""
    return KubernetesClientCertificate(connection, name)


class KubernetesClientCertificate(Kind):
    """Client certificates that one cluster lets in."""

    family: ClassVar[str] = FAMILY
    capability: ClassVar[Capability] = Capability.MANUAL
    sends_secret: ClassVar[bool] = False
    secret_field: str = "kubeconfig"  # noqa: S105 - the name of a field
    settle_s = SETTLE_S

    def __init__(self, connection: Connection, name: str) -> None:
        super().__init__(connection, name)
        self._cluster = Kubernetes(connection)

    def identify(self, leaked: Leaked) -> CredentialRef:
        """Read the certificate; nobody is asked. Only a knock tells whether this cluster lets it in."""
        self._must_belong(leaked, self._cluster.address)
        if leaked.secret is None:
            raise Rejected("unreadable", "a certificate is named by itself: the report must hold it")
        certificate, _ = _read(leaked.secret)
        return self._ref_of(_user(certificate), _id(certificate))

    def inspect(self, ref: CredentialRef) -> Status:
        """Raise Rejected: a cluster keeps no list of the certificates that it let be signed."""
        raise Rejected("no_view", f"no cluster shows how {ref.id} stands; the knock does")

    def siblings(self, ref: CredentialRef) -> frozenset[CredentialRef]:
        """Raise Rejected: nor of whose they are."""
        raise Rejected("no_view", f"no cluster lists the certificates of {ref.owner}")

    def verify(self, ref: CredentialRef, secret: Secret) -> Verdict:
        """Come in by the certificate and ask who that is."""
        certificate, pem = _read(secret)
        if _id(certificate) != ref.id:
            return Verdict(Answer.INCONCLUSIVE, "another_certificate")
        body = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
        reply = self._cluster.knock_by_certificate(WHO_AM_I, pem, body)
        user = within(reply.content, "status", "userInfo", "username") if reply.ok else None
        if user == ref.owner:
            return Verdict(Answer.ACCEPTED, "who_am_i")
        if (reply.status == HTTPStatus.UNAUTHORIZED and is_own(reply)) or user == "system:anonymous":
            return Verdict(Answer.REJECTED, "unauthorized")
        if reply.status == HTTPStatus.FORBIDDEN and f'"{ref.owner}"' in refused_name(reply):
            return Verdict(Answer.ACCEPTED, "known_without_permission")
        return Verdict(Answer.INCONCLUSIVE, "another_user" if user else f"http_{reply.status}")

    def revoke(self, ref: CredentialRef) -> None:
        """Raise Rejected: no call revokes a client certificate."""
        raise Rejected("unsupported", f"{ref.id} cannot be revoked alone: a person must choose what to do")

    def permissions(self, whose: str | None) -> Sequence[Permission]:  # noqa: ARG002 - the same for everybody
        """Say that nothing is needed, once the API server has answered: only the certificate itself is shown to it."""
        self._cluster.reach()
        return (Permission((LOOK,), "nothing: a certificate is asked who it is by itself", granted=True),)


def _read(secret: Secret) -> tuple[x509.Certificate, Secret]:
    """Return the certificate, and it with its key in PEM. Raises Rejected("unreadable")."""
    text = secret.reveal()
    parts = [found[0] for found in _PEM.finditer(text)] or [_field(text, name) for name in _FIELDS]
    pem = "\n".join(part.strip() for part in parts) + "\n"
    try:
        certificate = x509.load_pem_x509_certificate(pem.encode())
        private = next((part for part in parts if "PRIVATE KEY" in part), "")
        key = serialization.load_pem_private_key(private.encode(), None).public_key()
    except (ValueError, TypeError):
        raise Rejected("unreadable", "no whole certificate with its key, in PEM or in a kubeconfig") from None
    forms = (serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    if key.public_bytes(*forms) != certificate.public_key().public_bytes(*forms):
        raise Rejected("unreadable", "the key is not the certificate's")
    return certificate, Secret(pem)


def _field(text: str, name: str) -> str:
    found = re.search(rf"^\s*{name}:\s*[\"']?([A-Za-z0-9+/=]+)", text, re.MULTILINE)
    try:
        return base64.b64decode(found[1], validate=True).decode("ascii") if found else ""
    except (binascii.Error, UnicodeDecodeError):
        return ""


def _id(certificate: x509.Certificate) -> str:
    return f"sha256:{certificate.fingerprint(hashes.SHA256()).hex()}"


def _user(certificate: x509.Certificate) -> str:
    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    if not names:
        raise Rejected("unreadable", "the certificate names no user")
    return str(names[0].value)
