"""Seal exposed secrets for the final knock, and fingerprint them, both under the deployment's own key.

AES-256-GCM with a random 96-bit nonce (NIST SP 800-38D); the run's id is bound in, so that a blob cannot be moved.
Fingerprints are HMAC-SHA-256: useless for guessing without the key.
"""

from __future__ import annotations

import functools
import hashlib
import hmac
import os
from pathlib import Path
from typing import TYPE_CHECKING

from rotator import key_file
from rotator.credential import Secret
from rotator.errors import BadInput

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_WHAT, _WHERE = "the seal key", "ROTATOR_SEAL_KEY"
_NONCE_BYTES = 12


class Seal:
    """Seal, open and fingerprint secrets with one deployment key of 32 bytes.

    Each command has one, and few use it: what encrypts is imported and made at first use.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key

    @functools.cached_property
    def _aead(self) -> AESGCM:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415

        return AESGCM(_derive(self._key, b"rotator seal v1"))

    @functools.cached_property
    def _mac(self) -> bytes:
        return _derive(self._key, b"rotator fingerprint v1")

    def close(self, secret: Secret, run: str) -> bytes:
        """Return the sealed secret, bound to the run."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._aead.encrypt(nonce, secret.reveal().encode(), run.encode())

    def open(self, blob: bytes, run: str) -> Secret:
        """Return the secret. Raises BadInput when the key is not the one that sealed it, or the blob was altered."""
        from cryptography.exceptions import InvalidTag  # noqa: PLC0415

        try:
            return Secret(self._aead.decrypt(blob[:_NONCE_BYTES], blob[_NONCE_BYTES:], run.encode()).decode())
        except (InvalidTag, ValueError):  # the latter for a blob too short to have a nonce
            raise BadInput(
                "a sealed secret cannot be opened", run, "is the seal key the one it was sealed with?"
            ) from None

    def fingerprint(self, secret: Secret) -> str:
        """Return a short name for the secret that tells nothing about it."""
        return "fp:" + hmac.new(self._mac, secret.reveal().encode(), hashlib.sha256).hexdigest()[:24]


def from_text(text: str) -> Seal:
    """Return the seal of a base64 key."""
    return Seal(key_file.from_text(text, _WHAT, _WHERE))


def from_file(path: Path) -> Seal:
    """Return the seal of a key file, made at first use with mode 0600. Raises BadInput when it cannot be used."""
    return Seal(key_file.from_file(path, _WHAT, _WHERE))


def _derive(key: bytes, purpose: bytes) -> bytes:
    from cryptography.hazmat.primitives.hashes import SHA256  # noqa: PLC0415
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF  # noqa: PLC0415

    return HKDF(SHA256(), key_file.BYTES, salt=None, info=purpose).derive(key)
