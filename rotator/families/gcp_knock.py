"""Knock on Google's door with a service account's key: a JWT that it signs is exchanged for a token, and that dropped.

A deleted key, a disabled one and another account's are all answered "Invalid JWT Signature": that names no key, so it
proves something only where this very key was let in before.
"""

from __future__ import annotations

import json
import re
from http import HTTPStatus

from rotator.credential import Secret
from rotator.errors import Rejected, Unavailable, asking
from rotator.families.gcp import Project, refused
from rotator.families.gcp_tokens import LEAST, assertion, exchanged
from rotator.ports.provider import Answer, Verdict

_PEM = re.compile(r"-----BEGIN (?:RSA )?PRIVATE KEY-----.+?-----END (?:RSA )?PRIVATE KEY-----\n?", re.DOTALL)


def knock(project: Project, email: str, key_id: str, secret: Secret) -> Verdict:
    """Return what Google's token service answers; its address is never one that a key file names.

    Raises Rejected("unreadable") for material that holds no whole key.
    """
    pem = Secret(key_file(secret).get("private_key") or _pem(secret))
    address = f"{project.address('oauth2')}/token"
    signed = assertion(email, pem, address, LEAST, key_id)
    with asking():
        reply = exchanged(project.wire("oauth2"), address, signed)
    content = reply.content if isinstance(reply.content, dict) else {}
    if reply.ok:
        held = "access_token" in content
        return Verdict(*((Answer.ACCEPTED, "accepted") if held else (Answer.INCONCLUSIVE, "not_the_issuer")))
    if reply.status == HTTPStatus.TOO_MANY_REQUESTS or reply.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise Unavailable(refused(reply).reason, f"HTTP {reply.status}", reply.retry_after)
    return _verdict(str(content.get("error", "")), str(content.get("error_description", "")), reply.status)


def _verdict(error: str, description: str, status: int) -> Verdict:
    if error != "invalid_grant":
        return Verdict(Answer.INCONCLUSIVE, error or f"http_{status}")
    if description.startswith("Invalid JWT Signature"):
        return Verdict(Answer.REJECTED, "invalid_jwt_signature")
    if "account not found" in description or "disabled" in description:
        return Verdict(Answer.REJECTED, "account_gone_or_disabled")
    by_clock = "short-lived token" in description or "timeframe" in description
    return Verdict(Answer.INCONCLUSIVE, "clock_skewed" if by_clock else "invalid_grant")


def key_file(secret: Secret | None) -> dict[str, str]:
    """Return the texts of a key file; nothing when the material is none."""
    text = secret.reveal().strip() if secret is not None else ""
    try:
        fields = json.loads(text)
    except ValueError:
        return {}
    return {name: value for name, value in fields.items() if isinstance(value, str)} if isinstance(fields, dict) else {}


def _pem(secret: Secret) -> str:
    found = _PEM.search(secret.reveal().replace("\\n", "\n"))
    if found is None:
        raise Rejected("unreadable", "this is no service account's key file, and no whole private key")
    return found[0]
