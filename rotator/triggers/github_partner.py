"""GitHub's messages to secret-scanning partners: tokens of a form that is ours, found in public.

Signed with ECDSA (P-256, SHA-256) over the body, by a key that is published under its id. Nothing says when it was
sent. Source: GitHub Docs, "Secret scanning partner program": the headers, the body `[{token, type, url, source}]`, the
keys at `/meta/public_keys/secret_scanning`.
"""

from __future__ import annotations

import base64
import binascii
import re

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from rotator.flow.incident import Severity
from rotator.intake.fields import mapping
from rotator.triggers.message import JSON, Received, Refused, Told, Trigger, Trust, document, objects, text
from rotator.triggers.tokens import tokens

SOURCE = "github_partner"
KINDS: dict[str, str] = {}
CONTENT_TYPES = JSON
KEYS_AT = "https://api.github.com/meta/public_keys/secret_scanning"
_KEY_ID = re.compile("[0-9a-fA-F]{16,128}")


def key_wanted(request: Received, _trust: Trust) -> str:
    """Return the id of the key that is said to have signed it. Raises Refused where none is named."""
    named = request.header("github-public-key-identifier")
    if not _KEY_ID.fullmatch(named):
        raise Refused("unsigned", "no GITHUB-PUBLIC-KEY-IDENTIFIER")
    return named


def keys_in(answer: bytes) -> dict[str, bytes]:
    """Return the published keys by their ids."""
    listed = objects(mapping(document(answer)).get("public_keys"), "public_keys")
    return {text(each, "key_identifier"): str(each.get("key", "")).encode() for each in listed}


def verify(request: Received, trust: Trust, _now: float) -> None:
    """Raise Refused unless the key that it names has signed the body."""
    published = trust.public.get(key_wanted(request, trust))
    if published is None:
        raise Refused("unknown_key", "no such key is published")
    given = request.header("github-public-key-signature")
    if not given:
        raise Refused("unsigned", "no GITHUB-PUBLIC-KEY-SIGNATURE")
    try:
        key = load_pem_public_key(published)
        signature = base64.b64decode(given, validate=True)
    except (ValueError, UnsupportedAlgorithm, binascii.Error):
        raise Refused("wrong_signature") from None
    if not isinstance(key, EllipticCurvePublicKey) or not isinstance(key.curve, SECP256R1):
        raise Refused("unknown_key", "its key is of another sort")
    try:
        key.verify(signature, request.body, ECDSA(SHA256()))
    except InvalidSignature:
        raise Refused("wrong_signature") from None


def read(request: Received) -> Told:
    """Return the tokens."""
    found, missing = tokens(request.body, SOURCE, "url")
    title = f"GitHub found {len(found) + len(missing)} of our tokens in public"
    return Trigger(title, severity=Severity.CRITICAL, exposures=found, missing=missing)
