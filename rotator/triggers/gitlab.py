"""GitLab's Token Revocation API, with us as the server: tokens that its secret detection has found.

Whoever calls shows the token that was agreed on, as the header `Authorization` and nothing beside it. Nothing is
signed, so it must come over TLS. Source: GitLab Docs, "Token Revocation API": the body `[{type, token, location}]`, 204
for accepted, 400 for what is not to be sent again, the answer `{"types": [...]}`; how the header is sent was seen in
GitLab's source.
"""

from __future__ import annotations

from rotator.triggers.message import JSON, Received, Refused, Told, Trigger, Trust, one_matches
from rotator.triggers.tokens import tokens

SOURCE = "gitlab"
KINDS = {"gitleaks_rule_id_gitlab_personal_access_token": "gitlab_token"}
"""The only type that GitLab's page names; others come by `kinds`."""
CONTENT_TYPES = JSON


def verify(request: Received, trust: Trust, _now: float) -> None:
    """Raise Refused unless it shows one of our tokens."""
    given = request.header("authorization")
    if not given:
        raise Refused("unsigned", "no Authorization")
    if not one_matches((each.reveal().encode() for each in trust.shared), [given]):
        raise Refused("wrong_signature", "not the token that was agreed on")


def read(request: Received) -> Told:
    """Return the tokens."""
    found, missing = tokens(request.body, SOURCE, "location")
    count = len(found) + len(missing)
    title = f"GitLab found {count} leaked token{'' if count == 1 else 's'}"
    return Trigger(title, exposures=found, missing=missing)
