"""What several senders do alike: they sign a body with a secret that both sides hold."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable

from rotator.triggers.message import Refused, one_matches


def must_be_signed(body: bytes, given: Iterable[str], keys: Iterable[str]) -> None:
    """Raise Refused unless one of the keys makes one of the signatures: HMAC-SHA-256 over the body, in hexadecimal."""
    digests = (hmac.new(key.encode(), body, hashlib.sha256).hexdigest().encode() for key in keys)
    if not one_matches(digests, given):
        raise Refused("wrong_signature")
