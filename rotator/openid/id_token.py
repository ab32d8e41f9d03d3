"""Whether an ID token is the provider's word, for us, about this very sign-in (OpenID Connect Core 1.0, 3.1.3.7)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import JWKRegistry, KeySet

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "Ed25519", "EdDSA")
"""Those with a private key, which the provider alone has: nothing that a public key, or nothing at all, could sign."""
LEEWAY_S = 60.0
"""How far the provider's clock may be from ours."""
_KINDS = frozenset({"RSA", "EC", "OKP"})
_HASHES = {"256": hashlib.sha256, "384": hashlib.sha384, "512": hashlib.sha512}
_LONGEST = 255


class NotBelieved(Exception):  # noqa: N818 - what it is
    """A token that says nothing here. `reason` is a stable word; nothing of the token is quoted."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class UnknownKey(NotBelieved):
    """It is signed with a key that is not at hand: the provider may have changed his."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What a token must say: who speaks, to whom, and which sign-in of ours is answered."""

    issuer: str
    client_id: str
    nonce: str
    access_token: str = ""


def keys_in(document: object) -> KeySet:
    """Return the keys of a key set that sign and are of a kind we take; the others are not ours to judge.

    Raises NotBelieved where there is none.
    """
    listed = document.get("keys") if isinstance(document, Mapping) else None
    found = []
    for each in listed if isinstance(listed, list) else []:
        # Looked at in words: what stands there may be of any form.
        if isinstance(each, dict) and str(each.get("kty")) in _KINDS and each.get("use", "sig") == "sig":
            try:
                found.append(JWKRegistry.import_key(each))
            except (JoseError, ValueError, TypeError):
                continue
    if not found:
        raise NotBelieved("no_keys")
    return KeySet(found)


def claims_in(token: str, keys: KeySet, expected: Expected, now: float) -> Mapping[str, Any]:
    """Return what the token claims, each claim about itself held against what it must be. Raises NotBelieved."""
    try:
        found = jwt.decode(token, keys, algorithms=list(ALGORITHMS))
    except InvalidKeyIdError:
        raise UnknownKey("unknown_key") from None
    except (JoseError, ValueError, TypeError, AttributeError):  # the latter of what is no token at all
        raise NotBelieved("bad_signature") from None
    claims = found.claims
    wrong = {
        "other_issuer": claims.get("iss") != expected.issuer,
        "other_audience": not _is_for(claims, expected.client_id),
        "expired": not now - LEEWAY_S < _seconds(claims.get("exp")),
        "from_the_future": not all(
            _seconds(claims.get(each, without)) <= now + LEEWAY_S for each, without in (("iat", None), ("nbf", 0))
        ),
        "other_sign_in": not _is_same(claims.get("nonce"), expected.nonce),
        "nobody": not isinstance(claims.get("sub"), str) or not 0 < len(claims["sub"]) <= _LONGEST,
        "other_access_token": not _is_of(claims, found.header.get("alg"), expected.access_token),
    }
    for reason, is_so in wrong.items():
        if is_so:
            raise NotBelieved(reason)
    return claims


def _is_for(claims: Mapping[str, Any], client_id: str) -> bool:
    """Tell whether it is meant for us: alone, or among others who were told that we asked."""
    given = claims.get("aud")
    audience = given if isinstance(given, list) else [given]
    if client_id not in audience:
        return False
    return claims.get("azp") == client_id if "azp" in claims or len(audience) > 1 else True


def _is_of(claims: Mapping[str, Any], algorithm: object, access_token: str) -> bool:
    """Tell whether it came with this access token, where it says with which: half of its hash."""
    if "at_hash" not in claims:
        return True
    hashed = _HASHES.get(re.sub(r"\D", "", str(algorithm))[-3:], hashlib.sha512)(
        access_token.encode("utf-8", "replace")
    ).digest()
    half = base64.urlsafe_b64encode(hashed[: len(hashed) // 2]).rstrip(b"=").decode()
    return _is_same(claims["at_hash"], half)


def _is_same(given: object, expected: str) -> bool:
    return isinstance(given, str) and hmac.compare_digest(given.encode("utf-8", "replace"), expected.encode())


def _seconds(value: object) -> float:
    """Return a time; what is none makes every comparison fail."""
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) != math.inf:
        return value
    return math.nan
