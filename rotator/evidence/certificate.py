"""Certificates: what was seen of a canary of one kind in a live account, signed as checkpoints are.

What is signed is what it says, as canonical JSON: how a file of it is spaced, and in which order, says nothing, so that
it may be laid out for people, or taken out of a longer answer. One is believed for ninety days, of the release that
made it alone: what a vendor or we change is to be tried anew.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import rfc8785

from rotator.errors import BadInput
from rotator.evidence import signing
from rotator.evidence.signing import SigningKey

FORMAT = "rotator certificate 1"
LASTS_S = 90 * 86400.0
SKEW_S = 3600.0
"""How far another machine's clock may be ahead."""
CERTIFIED, FAILED = "certified", "failed"
LIVE_ACCOUNT = "live_account"
_LONGEST = 1 << 20


@dataclass(frozen=True, slots=True)
class Certificate:
    """One as it is kept: its `body` is RFC 8785 canonical JSON, the signature is over these bytes."""

    body: str
    signature: str

    @property
    def told(self) -> dict[str, Any]:
        """Return what it says."""
        found: dict[str, Any] = json.loads(self.body)
        return found

    @property
    def sha256(self) -> str:
        """Return the hash of what it says, by which the service's evidence names it."""
        return hashlib.sha256(self.body.encode()).hexdigest()

    @property
    def document(self) -> dict[str, Any]:
        """Return it as it is written to a file."""
        return {"certificate": self.told, "signature": self.signature}


def make(key: SigningKey, told: Mapping[str, Any]) -> Certificate:
    """Return what was seen, signed."""
    body = rfc8785.dumps({**told, "format": FORMAT, "key": key.public}).decode()
    return Certificate(body, key.sign(signing.CERTIFICATE, body))


def read(text: str, where: str) -> Certificate:
    """Return the certificate of a file, unchecked, however it is laid out. Raises BadInput for what is none."""
    match _parsed(text):
        case {
            "certificate": {"format": str(name), "key": str(), "at": float() | int(), "rotator": str()} as told,
            "signature": str(signature),
            **more,
        } if name == FORMAT and not more:
            with contextlib.suppress(rfc8785.CanonicalizationError):
                return Certificate(rfc8785.dumps(told).decode(), signature)
    mend = "one is written by `rotator provider certify --to FOLDER`"
    raise BadInput("this is no certificate", where, mend)


def _parsed(text: str) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_once) if len(text) <= _LONGEST else None
    except (ValueError, RecursionError):
        return None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse what says a thing twice: its readers would not read the same."""
    if len(found := dict(pairs)) != len(pairs):
        raise ValueError
    return found


def wrong(certificate: Certificate, trusted: str = "") -> str:
    """Say why it is not to be believed, "" where it is: altered, or signed by another key than the `trusted` one."""
    key = str(certificate.told["key"])
    if trusted and key != trusted:
        return f"it is signed by another key: {signing.fingerprint(key)}"
    if not signing.holds(key, signing.CERTIFICATE, certificate.body, certificate.signature):
        return "its signature is not that key's: it was altered"
    return ""


def out_of_date(told: Mapping[str, Any], now: float, release: str) -> str:
    """Say why it says nothing of today any more, "" where it does. `now` in epoch seconds."""
    if told["rotator"] != release:
        return f"it is of rotator {told['rotator']}"
    if now - float(told["at"]) > LASTS_S:
        return f"it is older than {LASTS_S / 86400.0:.0f} days"
    if float(told["at"]) > now + SKEW_S:
        return "it is of a time to come"
    return ""
