"""Sign and check with Ed25519 (RFC 8032). What is signed begins with what it is, so that nothing passes for another."""

from __future__ import annotations

import base64
import binascii
import hashlib
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from rotator import key_file

CHECKPOINT, PACK = b"rotator checkpoint 1\n", b"rotator evidence pack 1\n"
CERTIFICATE = b"rotator certificate 1\n"
"""What a signature is for."""
_WHAT, _WHERE = "the signing key", "evidence.signing_key"


class SigningKey:
    """The deployment's signing key: 32 bytes that never leave the process."""

    def __init__(self, seed: bytes) -> None:
        self._private = Ed25519PrivateKey.from_private_bytes(seed)
        self.public = base64.b64encode(self._private.public_key().public_bytes_raw()).decode()

    def __repr__(self) -> str:
        return f"<signing key {fingerprint(self.public)}>"

    def __reduce__(self) -> str:
        raise TypeError("a signing key leaves no process")

    def sign(self, purpose: bytes, body: str) -> str:
        """Return the signature of a text, in base64."""
        return base64.b64encode(self._private.sign(purpose + body.encode())).decode()


def holds(public: str, purpose: bytes, body: str, signature: str) -> bool:
    """Tell whether the signature is that key's of that text; what is no key and no signature is none."""
    try:
        key = Ed25519PublicKey.from_public_bytes(base64.b64decode(public, validate=True))
        key.verify(base64.b64decode(signature, validate=True), purpose + body.encode())
    except (InvalidSignature, binascii.Error, ValueError):
        return False
    return True


def fingerprint(public: str) -> str:
    """Return the name of a public key that people compare: 32 hexadecimal digits of its SHA-256, in groups of four."""
    digits = hashlib.sha256(public.encode()).hexdigest()[:32]
    return " ".join(digits[at : at + 4] for at in range(0, 32, 4))


def from_text(text: str) -> SigningKey:
    """Return the key of 32 bytes in base64. Raises BadInput for anything else."""
    return SigningKey(key_file.from_text(text, _WHAT, _WHERE))


def from_file(path: Path) -> SigningKey:
    """Return the key of a file, made at first use with mode 0600. Raises BadInput when it cannot be used."""
    return SigningKey(key_file.from_file(path, _WHAT, _WHERE))
