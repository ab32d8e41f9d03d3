"""What an API server's answer to a knock with a service account's token says."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from rotator.families.kubernetes import is_own, refused_name, within
from rotator.families.kubernetes_tokens import Claims
from rotator.ports.provider import Answer, Verdict


def judged(reply: Any, claims: Claims) -> Verdict:
    """Return the verdict on the token that claims this: a refusal counts only where the API server itself says it."""
    if reply.status == HTTPStatus.UNAUTHORIZED and is_own(reply):  # else somebody in between says so
        return Verdict(Answer.REJECTED, "unauthorized")
    if reply.ok:
        user = within(reply.content, "status", "userInfo", "username")
        if user == claims.user:
            return Verdict(Answer.ACCEPTED, "who_am_i")
        return Verdict(Answer.INCONCLUSIVE, "another_user", mismatch=True)
    if reply.status == HTTPStatus.FORBIDDEN and f'"{claims.user}"' in refused_name(reply):
        return Verdict(Answer.ACCEPTED, "known_without_permission")  # it was let in, and then not allowed the call
    return Verdict(Answer.INCONCLUSIVE, f"http_{reply.status}")
