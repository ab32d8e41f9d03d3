"""What GitLab shows of a token, and how it refuses one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from rotator.families.gitlab import said
from rotator.families.http_wire import Reply
from rotator.ports.provider import State

_REFUSALS = {
    "Token was revoked.": "revoked",
    "Token is expired.": "expired",
}
"""How the description of a refused token begins, and what we call it."""


def why_refused(reply: Reply) -> str | None:
    """Return why GitLab refused a token, None where the refusal is in somebody else's words: a gateway's, a proxy's."""
    if said(reply) == "401 Unauthorized":
        return "unauthorized"
    content = reply.content if isinstance(reply.content, Mapping) else {}
    described = str(content.get("error_description", "")) if content.get("error") == "invalid_token" else ""
    return next((ours for theirs, ours in _REFUSALS.items() if described.startswith(theirs)), None)


def state_of(found: Mapping[str, Any]) -> State:
    """Return how a token stands."""
    return State.ACTIVE if found.get("active") and not found.get("revoked") else State.ABSENT


def facts_of(found: Mapping[str, Any]) -> dict[str, str]:
    """Return plain facts; a `last_used_at` of null means never."""
    facts = {"last_used_at": str(found.get("last_used_at") or "never")}
    for name in ("name", "created_at", "expires_at", "user_id"):
        if found.get(name) is not None:
            facts[name] = str(found[name])
    return facts


def taken_over(found: Mapping[str, Any]) -> dict[str, str]:
    """Return what a replacement takes over: the scopes, the level of access, and for how many days it lives."""
    kept = {"scopes": json.dumps(found.get("scopes", []))}
    if found.get("access_level") is not None:
        kept["access_level"] = str(found["access_level"])
    if found.get("expires_at") and found.get("created_at"):
        made = datetime.fromisoformat(str(found["created_at"])).date()
        kept["lives_days"] = str(max(1, (date.fromisoformat(str(found["expires_at"])) - made).days))
    return kept
