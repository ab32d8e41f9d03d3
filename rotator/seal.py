"""Seal exposed secrets for the final knock, and fingerprint them, both under the deployment's own key.

AES-256-GCM with a random 96-bit nonce (NIST SP 800-38D); the run's id is bound in, so that a blob cannot be moved.
Fingerprints are HMAC-SHA-256: useless for guessing without the key.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import hashlib
import hmac
import os
import tempfile
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from rotator.credential import Secret
from rotator.errors import BadInput

_KEY_BYTES = 32
_NONCE_BYTES = 12


class Seal:
    """Seal, open and fingerprint secrets with one deployment key of 32 bytes."""

    def __init__(self, key: bytes) -> None:
        if len(key) != _KEY_BYTES:
            raise BadInput(f"the seal key has {len(key)} bytes, not {_KEY_BYTES}", "ROTATOR_SEAL_KEY", MAKE_KEY)
        self._aead = AESGCM(_derive(key, b"rotator seal v1"))
        self._mac = _derive(key, b"rotator fingerprint v1")

    def close(self, secret: Secret, run: str) -> bytes:
        """Return the sealed secret, bound to the run."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._aead.encrypt(nonce, secret.reveal().encode(), run.encode())

    def open(self, blob: bytes, run: str) -> Secret:
        """Return the secret. Raises BadInput when the key is not the one that sealed it, or the blob was altered."""
        try:
            return Secret(self._aead.decrypt(blob[:_NONCE_BYTES], blob[_NONCE_BYTES:], run.encode()).decode())
        except (InvalidTag, ValueError):  # the latter for a blob too short to have a nonce
            raise BadInput(
                "a sealed secret cannot be opened", run, "is the seal key the one it was sealed with?"
            ) from None

    def fingerprint(self, secret: Secret) -> str:
        """Return a short name for the secret that tells nothing about it."""
        return "fp:" + hmac.new(self._mac, secret.reveal().encode(), hashlib.sha256).hexdigest()[:24]


MAKE_KEY = (
    "make one with: python3 -c 'import secrets, base64; print(base64.b64encode(secrets.token_bytes(32)).decode())'"
)


def from_text(text: str) -> Seal:
    """Return the seal of a base64 key."""
    try:
        return Seal(base64.b64decode(text.strip(), validate=True))
    except (binascii.Error, ValueError):
        raise BadInput("the seal key is not base64", "ROTATOR_SEAL_KEY", MAKE_KEY) from None


def from_file(path: Path) -> Seal:
    """Return the seal of a key file, made at first use with mode 0600. Raises BadInput when it cannot be used."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not path.exists():
            _make(path)
        text = path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        said = error.strerror if isinstance(error, OSError) else "not text"
        raise BadInput(f"the seal key cannot be kept there ({said})", str(path), "is data_dir right?") from None
    return from_text(text)


def _make(path: Path) -> None:
    """Write a key whole before it gets its name, since another process may read it at any moment."""
    descriptor, draft = tempfile.mkstemp(dir=path.parent, prefix="seal.")  # of mode 0600
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(base64.b64encode(os.urandom(_KEY_BYTES)).decode() + "\n")
        with contextlib.suppress(FileExistsError):  # another process was faster: its key is the one
            os.link(draft, path)
    finally:
        Path(draft).unlink()


def _derive(key: bytes, purpose: bytes) -> bytes:
    return HKDF(SHA256(), _KEY_BYTES, salt=None, info=purpose).derive(key)
