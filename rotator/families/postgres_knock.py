"""One login at a PostgreSQL server, spoken by ourselves, because libpq tells no code when a login is refused.

Its text may be in any language, and one refusal proves much less than another. Nothing but SCRAM (and the old MD5) is
answered: a server that asks for the password in clear text gets none. See postgresql.org, "Frontend/Backend Protocol".
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import socket
import struct
from base64 import b64decode, b64encode

from rotator.credential import Secret
from rotator.errors import Unavailable
from rotator.families.postgres_scram import keys, md5
from rotator.families.server_login import ServerAddress, door, exactly
from rotator.ports.provider import Answer, Verdict

INVALID_PASSWORD = "28P01"  # noqa: S105 - a code
NOT_AUTHORIZED = "28000"

_VERSION = 196608
_SSL_REQUEST = struct.pack("!ii", 8, 80877103)
_OK, _CLEAR_TEXT, _MD5, _SASL, _SASL_CONTINUE, _SASL_FINAL = 0, 3, 5, 10, 11, 12
_SCRAM = b"SCRAM-SHA-256"
_LENGTH_FIELD = 4
_LONGEST = 1 << 20
"""Bytes of one message; no server says as much before it lets somebody in."""


def knock(address: ServerAddress, role: str, password: Secret) -> Verdict:
    """Log in and leave. Raises Unavailable when there was no answer."""
    with door(address) as plain:
        return _Login(_encrypted(plain, address), role, password).verdict(address.database)


def _encrypted(plain: socket.socket, address: ServerAddress) -> socket.socket:
    if address.tls is None:
        return plain
    plain.sendall(_SSL_REQUEST)
    if plain.recv(1) != b"S":
        raise Unavailable("no_encryption", f"{address} offers no TLS, and the connection does not say tls = false")
    return address.tls.wrap_socket(plain, server_hostname=address.host)


class _Login:
    def __init__(self, wire: socket.socket, role: str, password: Secret) -> None:
        self._wire, self._role, self._password = wire, role, password
        self._nonce = secrets.token_urlsafe(18)
        self._server_signature: bytes | None = None
        self._answered = self._let_in = False

    def verdict(self, database: str) -> Verdict:
        names = {"user": self._role, "database": database or "postgres", "application_name": "rotator"}
        startup = b"".join(f"{key}\0{value}\0".encode() for key, value in names.items()) + b"\0"
        self._wire.sendall(struct.pack("!ii", len(startup) + 8, _VERSION) + startup)
        while True:
            kind, body = self._receive()
            if kind == b"E":
                return self._refused(body)
            if kind == b"R" and (said := self._asked(struct.unpack("!i", body[:4])[0], body[4:])):
                return said
            if kind == b"Z":
                self._wire.sendall(b"X" + struct.pack("!i", 4))
                return Verdict(Answer.ACCEPTED, "logged_in")

    def _asked(self, method: int, body: bytes) -> Verdict | None:
        """Answer what the server asks; return a verdict where that cannot be."""
        if method == _OK:
            self._let_in = True
            return None if self._answered else _open("no_password_asked")  # trust, or a certificate
        if method == _SASL and _SCRAM in body.split(b"\0"):
            first = f"n,,n=,r={self._nonce}".encode()
            self._send(_SCRAM + b"\0" + struct.pack("!i", len(first)) + first)
        elif method == _SASL_CONTINUE:
            self._send(self._proof(body.decode()))
        elif method == _SASL_FINAL:
            self._answered = True
            if self._server_signature is None or body != b"v=" + b64encode(self._server_signature):
                return _open("server_not_proven")
        elif method == _MD5:
            self._answered = True
            inner = md5(self._password.reveal() + self._role).encode() + body[:4]
            self._send(b"md5" + hashlib.md5(inner, usedforsecurity=False).hexdigest().encode() + b"\0")
        else:
            return _open("asked_in_clear_text" if method == _CLEAR_TEXT else f"asked_by_method_{method}")
        return None

    def _proof(self, server_first: str) -> bytes:
        said = dict(part.split("=", 1) for part in server_first.split(","))
        if not said["r"].startswith(self._nonce):
            raise ValueError("another login's nonce")
        derived = keys(self._password, b64decode(said["s"]), int(said["i"]))
        final = f"c=biws,r={said['r']}"
        message = f"n=,r={self._nonce},{server_first},{final}".encode()
        signature = hmac.digest(derived.stored, message, "sha256")
        self._server_signature = hmac.digest(derived.server, message, "sha256")
        proof = bytes(a ^ b for a, b in zip(derived.client, signature, strict=True))
        return f"{final},p={b64encode(proof).decode()}".encode()

    def _refused(self, body: bytes) -> Verdict:
        fields = {part[:1]: part[1:].decode(errors="replace") for part in body.split(b"\0") if part}
        code = fields.get(b"C", "unknown")
        if self._let_in and code == NOT_AUTHORIZED:
            # The password was right, and then the role may not log in: this is about the role, and not the password.
            return Verdict(Answer.REJECTED, "login_not_permitted", names_id=True)
        if self._let_in:
            return Verdict(Answer.ACCEPTED, f"password_right_then_{code.lower()}")
        if code == INVALID_PASSWORD:
            return Verdict(Answer.REJECTED, "invalid_password")
        return _open(f"sqlstate_{code.lower()}")  # 28000 here: pg_hba.conf lets nobody in from this address

    def _send(self, body: bytes) -> None:
        self._wire.sendall(b"p" + struct.pack("!i", len(body) + 4) + body)

    def _receive(self) -> tuple[bytes, bytes]:
        kind, size = struct.unpack("!ci", exactly(self._wire, 1 + _LENGTH_FIELD))
        if not _LENGTH_FIELD <= size <= _LONGEST:
            raise ValueError("not a message of PostgreSQL")
        return kind, exactly(self._wire, size - _LENGTH_FIELD)


def _open(reason: str) -> Verdict:
    return Verdict(Answer.INCONCLUSIVE, reason)
