"""What PostgreSQL stores of a password, computed here: so the server, its log and its activity view see no password.

A SCRAM verifier reads `SCRAM-SHA-256$ITERATIONS:SALT$STOREDKEY:SERVERKEY` (postgresql.org, pg_authid; RFC 5802). Its
salt, which the server itself shows to whoever begins a login, tells one password of a role from the next.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import stringprep
import unicodedata
from base64 import b64decode, b64encode
from dataclasses import dataclass

from rotator.credential import Secret

ITERATIONS = 4096
"""The server's own default; its setting scram_iterations speaks only of what it hashes itself."""
SALT_BYTES = 16

_VERIFIER = re.compile(r"SCRAM-SHA-256\$(\d+):([A-Za-z0-9+/=]+)\$([A-Za-z0-9+/=]+):([A-Za-z0-9+/=]+)")
_MD5 = re.compile(r"md5([0-9a-f]{32})")
_MD5_TAG = 8
"""Digits of an old MD5 hash that name it; it has no salt of its own."""


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of one password under one salt."""

    client: bytes
    server: bytes

    @property
    def stored(self) -> bytes:
        return hashlib.sha256(self.client).digest()


def keys(password: Secret, salt: bytes, iterations: int) -> Keys:
    """Derive the keys as RFC 5802 says; takes some milliseconds."""
    salted = hashlib.pbkdf2_hmac("sha256", _prepared(password).encode(), salt, iterations)
    return Keys(hmac.digest(salted, b"Client Key", "sha256"), hmac.digest(salted, b"Server Key", "sha256"))


def verifier(password: Secret, tag: str) -> str:
    """Return what the server shall store. Raises ValueError when the tag is no salt."""
    salt = bytes.fromhex(tag)
    derived = keys(password, salt, ITERATIONS)
    parts = (b64encode(part).decode() for part in (salt, derived.stored, derived.server))
    return "SCRAM-SHA-256${}:{}${}:{}".format(ITERATIONS, *parts)


def tag_of(stored: str | None) -> str | None:
    """Name a stored password by its salt, an old one by the first of its hash; None where there is none."""
    if stored is None:
        return None
    if found := _VERIFIER.fullmatch(stored):
        return b64decode(found[2]).hex()
    if found := _MD5.fullmatch(stored):
        return found[1][:_MD5_TAG]
    return "unknown"


def is_of(stored: str, role: str, password: Secret) -> bool:
    """Tell whether this is what the server stores of that password."""
    if found := _VERIFIER.fullmatch(stored):
        derived = keys(password, b64decode(found[2]), int(found[1]))
        return hmac.compare_digest(derived.stored, b64decode(found[3]))
    return hmac.compare_digest(stored, "md5" + md5(password.reveal() + role))


def md5(text: str) -> str:
    """Return the digest that servers before SCRAM ask for."""
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def _prepared(password: Secret) -> str:
    """Put a password into the form that both sides hash (SASLprep); plain ASCII is that already."""
    text = password.reveal()
    if text.isascii():
        return text
    mapped = ("" if stringprep.in_table_b1(each) else " " if stringprep.in_table_c12(each) else each for each in text)
    return unicodedata.normalize("NFKC", "".join(mapped))
