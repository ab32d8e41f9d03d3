"""A certificate authority for the fake API server: its own certificate, and those by which clients come in."""

from __future__ import annotations

import ipaddress
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID


class Authority:
    """One authority, with a key of its own."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name("kubernetes")
        made = _begun(self._name, self._name, self._key.public_key(), timedelta(days=1))
        constraints = x509.BasicConstraints(ca=True, path_length=None)
        usage = x509.KeyUsage(
            digital_signature=True,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            key_cert_sign=True,
            crl_sign=True,
            encipher_only=False,
            decipher_only=False,
        )
        made = made.add_extension(constraints, critical=True).add_extension(usage, critical=True)
        self._certificate = made.sign(self._key, hashes.SHA256())

    @property
    def pem(self) -> bytes:
        """Return its own certificate."""
        return self._certificate.public_bytes(serialization.Encoding.PEM)

    def server(self, address: str) -> bytes:
        """Return a key and a certificate for a server, in PEM."""
        names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))])
        return self._signed(_name(address), ExtendedKeyUsageOID.SERVER_AUTH, names)

    def client(self, user: str, *groups: str, lives: timedelta = timedelta(hours=1)) -> bytes:
        """Return a key and a certificate for a user, in PEM."""
        return self._signed(_name(user, *groups), ExtendedKeyUsageOID.CLIENT_AUTH, None, lives)

    def _signed(
        self,
        subject: x509.Name,
        usage: x509.ObjectIdentifier,
        names: x509.SubjectAlternativeName | None,
        lives: timedelta = timedelta(hours=1),
    ) -> bytes:
        key = ec.generate_private_key(ec.SECP256R1())
        made = _begun(subject, self._name, key.public_key(), lives)
        made = made.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        own = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        made = made.add_extension(own, critical=False)
        if names is not None:
            made = made.add_extension(names, critical=False)
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return made.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM) + private


def _begun(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, lives: timedelta
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    begun = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key)
    begun = begun.serial_number(x509.random_serial_number())
    return begun.not_valid_before(min(now, now + lives) - timedelta(minutes=5)).not_valid_after(now + lives)


def _name(common: str, *groups: str) -> x509.Name:
    groups_named = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in groups]
    return x509.Name([*groups_named, x509.NameAttribute(NameOID.COMMON_NAME, common)])
