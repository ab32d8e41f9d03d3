"""Prove possession of a transit key's version: forge with the material what the server itself would have made.

The material goes nowhere: a probe is encrypted or signed with it here, under the version's number, and the server is
asked to decrypt or check that. While the version lives, it takes the forgery for its own work.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305

from rotator.credential import Secret
from rotator.errors import Rejected

SECRET_FIELD = "key"  # noqa: S105 - the name of a field

_PROBE = b"a probe by rotator, which holds nothing"
_NONCE = 12
_SEED = 32
_BYTES = {"aes128-gcm96": 16, "aes256-gcm96": 32, "chacha20-poly1305": 32}
_SIGNING = {"ed25519", "ecdsa-p256", "ecdsa-p384", "ecdsa-p521", "rsa-2048", "rsa-3072", "rsa-4096"}
KNOCKABLE = frozenset({*_BYTES, *_SIGNING})
"""The types of key whose work can be forged here. Derived keys, XChaCha20 and HMAC keys are not among them."""


@dataclass(frozen=True, slots=True)
class Forgery:
    """What to ask: which of the key's calls, with which body, and the answer's field that says that it was believed."""

    call: str
    body: Mapping[str, str]
    field: str
    believed: object


def forge(kind: str, version: int, secret: Secret) -> Forgery:
    """Make a probe for a key of that type. Raises Rejected("unreadable") when the material is no such key."""
    text = _material(secret)
    if kind in _BYTES:
        key = _decoded(text)
        if len(key) != _BYTES[kind]:
            raise Rejected("unreadable", f"no key of type {kind}")
        nonce = os.urandom(_NONCE)
        cipher = AESGCM(key) if kind.startswith("aes") else ChaCha20Poly1305(key)
        made = nonce + cipher.encrypt(nonce, _PROBE, None)
        return Forgery("decrypt", {"ciphertext": f"vault:v{version}:{_text(made)}"}, "plaintext", _text(_PROBE))
    signature = _signer(kind, text)(_PROBE)
    body = {"input": _text(_PROBE), "signature": f"vault:v{version}:{_text(signature)}"}
    return Forgery("verify", body, "valid", believed=True)


def may_be(kind: str, secret: Secret) -> bool:
    """Tell whether the material may be a key of that type."""
    try:
        return kind in KNOCKABLE and forge(kind, 1, secret) is not None
    except Rejected:
        return False


def _material(secret: Secret) -> str:
    text = secret.reveal().strip()
    if not text.startswith("{"):
        return text
    try:
        return str(json.loads(text)[SECRET_FIELD]).strip()
    except (ValueError, KeyError, TypeError):
        raise Rejected("unreadable", f"the document has no {SECRET_FIELD}") from None


def _signer(kind: str, text: str) -> Callable[[bytes], bytes]:
    if kind == "ed25519":
        key = _decoded(text)
        pair = Ed25519PrivateKey.from_private_bytes(key[:_SEED]) if len(key) == 2 * _SEED else None
        if pair is None or pair.public_key().public_bytes_raw() != key[_SEED:]:
            raise Rejected("unreadable", "no Ed25519 key as the server exports one")
        return pair.sign
    try:
        private = serialization.load_pem_private_key(text.encode(), None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise Rejected("unreadable", "no whole private key in PEM") from None
    if isinstance(private, ec.EllipticCurvePrivateKey) and kind.startswith("ecdsa"):
        curve = private
        return lambda data: curve.sign(data, ec.ECDSA(hashes.SHA256()))
    if isinstance(private, rsa.RSAPrivateKey) and kind == f"rsa-{private.key_size}":
        pss, big = padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.MAX_LENGTH), private
        return lambda data: big.sign(data, pss, hashes.SHA256())
    raise Rejected("unreadable", f"no key of type {kind}")


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise Rejected("unreadable", "neither base64 nor PEM") from None


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()
