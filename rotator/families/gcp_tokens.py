"""Tokens for a service account's key: a JWT that the key signs, exchanged at Google's token service.

Source: Google identity, "Using OAuth 2.0 for Server to Server Applications" (the JWT, and what its refusals say).
"""

from __future__ import annotations

import base64
import json
from urllib.parse import urlencode

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from rotator import clock
from rotator.credential import Secret
from rotator.errors import Rejected
from rotator.families.http_wire import Reply, Wire

CLOUD = "https://www.googleapis.com/auth/cloud-platform"
LEAST = "https://www.googleapis.com/auth/userinfo.email"
"""The least that a token can be asked for; a knock throws it away unused."""

LIFE_S = 300
_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"


def private_key(pem: Secret) -> RSAPrivateKey:
    """Read a key. Raises Rejected("unreadable") for what is cut short or no RSA key."""
    try:
        key = load_pem_private_key(pem.reveal().encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, RSAPrivateKey):
        raise Rejected("unreadable", "this is no service account's private key")
    return key


def assertion(email: str, pem: Secret, audience: str, scope: str, key_id: str | None) -> Secret:
    """Return a JWT that the key signs: whoever holds it may get a token for some minutes."""
    now = int(clock.now())
    header = {"alg": "RS256", "typ": "JWT", **({"kid": key_id} if key_id else {})}
    claims = {"iss": email, "scope": scope, "aud": audience, "iat": now, "exp": now + LIFE_S}
    signed = b".".join(_coded(json.dumps(part).encode()) for part in (header, claims))
    signature = private_key(pem).sign(signed, PKCS1v15(), hashes.SHA256())
    return Secret(b".".join([signed, _coded(signature)]).decode())


def exchanged(wire: Wire, address: str, signed: Secret) -> Reply:
    """Ask for a token; any answer is returned."""
    form = urlencode({"grant_type": _GRANT, "assertion": signed.reveal()}).encode()
    return wire.send("POST", address, {"Content-Type": "application/x-www-form-urlencoded"}, content=form)


def _coded(part: bytes) -> bytes:
    return base64.urlsafe_b64encode(part).rstrip(b"=")
