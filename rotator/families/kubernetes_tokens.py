"""Service accounts' tokens as text: whose one is and which object keeps it alive, read without asking anybody. Pure.

A legacy token names the Secret in which it stands; a bound one the Pod or Secret, by name and uid, with which it dies.
The signature is not checked: only the API server can.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rotator.credential import Secret
from rotator.errors import Rejected
from rotator.families.kubernetes import SECRET_FIELD

_TOKEN = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{20,}")
_LEGACY = "kubernetes.io/serviceaccount/"
_BOUND = "kubernetes.io"


@dataclass(frozen=True, slots=True)
class Claims:
    """What a token says of itself. `resource` is "secrets" or "pods", empty where it is bound to nothing.

    `uid` is the object's, empty where the token does not tell it; `expires` in seconds since 1970, None for never.
    """

    namespace: str
    account: str
    resource: str
    name: str
    uid: str
    expires: int | None

    @property
    def owner(self) -> str:
        return f"{self.namespace}/{self.account}"

    @property
    def user(self) -> str:
        """Return the user's name by which the API server knows it."""
        return f"system:serviceaccount:{self.namespace}:{self.account}"


def read_token(secret: Secret) -> tuple[str, Claims]:
    """Return the token's text and its claims. Raises Rejected("unreadable")."""
    text = secret.reveal().strip()
    if text.startswith("{"):
        try:
            text = str(json.loads(text)[SECRET_FIELD])
        except (ValueError, KeyError, TypeError):
            raise Rejected("unreadable", f"the document has no {SECRET_FIELD}") from None
    if not _TOKEN.fullmatch(text):
        raise Rejected("unreadable", "this is no whole JSON Web Token")
    body = text.split(".")[1]
    try:
        claims = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
        return text, _claims(claims)
    except (ValueError, KeyError, TypeError, AttributeError, binascii.Error):
        raise Rejected("unreadable", "this is no service account's token") from None


def _claims(told: Mapping[str, Any]) -> Claims:
    expires = int(told["exp"]) if "exp" in told else None
    if (bound := told.get(_BOUND)) is not None:
        account = str(bound["serviceaccount"]["name"])
        kind = next((kind for kind in ("pod", "secret") if kind in bound), None)
        named = bound[kind] if kind else {"name": "", "uid": ""}
        resource = f"{kind}s" if kind else ""
        return Claims(str(bound["namespace"]), account, resource, str(named["name"]), str(named["uid"]), expires)
    account, secret = str(told[f"{_LEGACY}service-account.name"]), str(told[f"{_LEGACY}secret.name"])
    return Claims(str(told[f"{_LEGACY}namespace"]), account, "secrets", secret, "", expires)
