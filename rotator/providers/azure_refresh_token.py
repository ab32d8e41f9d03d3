"""Refresh tokens of people at Entra, as `az login` and other public clients keep them (~/.azure/msal_token_cache.json).

Entra ends no single one: `revokeSignInSessions` ends all of a user's, on every device, so one call does for many of one
user. Access tokens that were got before live on for an hour or so, unless the service evaluates access continuously.
The owner is the user's object id; Entra names no refresh token, so the id is the SHA-256 of its text, in hex.
The rotator's own application needs User.RevokeSessions.All, and User.Read.All to tell a user who is not here; to ask
whether it has the first, Application.Read.All (and RoleManagement.Read.Directory, to be told a plain no).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import ClassVar, NoReturn
from urllib.parse import quote

from rotator.credential import CredentialRef, Leaked, Secret
from rotator.errors import Rejected, RotatorError, Unavailable, Uncertain
from rotator.families.azure import FAMILY, GRAPH, Tenant, error_code, given, refusal
from rotator.families.azure_permissions import of_sessions
from rotator.families.http_wire import Reply
from rotator.kind import Kind
from rotator.permissions import Permission
from rotator.ports.connection import Connection
from rotator.ports.provider import Answer, Capability, Status, Verdict
from rotator.rest_kind import RestKind

SETTLE_S = 300.0
"""Microsoft: "there might be a small delay of a few minutes before tokens are revoked"."""

AZURE_CLI = "04b07795-8ddb-461a-bbee-02f9e1bf7b46"
"""The public client that `az login` signs in as; a refresh token is only taken from the client that it was given to."""

_DEAD = {50173: "grant_revoked", 700082: "expired_unused", 70043: "expired_by_policy"}
_MALFORMED = 9002313
_SHORTEST = 100


def connect(connection: Connection, name: str, rest: RestKind | None = None) -> AzureRefreshToken:
    """Return the provider for one tenant."""
    return AzureRefreshToken(connection, name)


class AzureRefreshToken(Kind):
    """Refresh tokens of one tenant's users."""

    family: ClassVar[str] = FAMILY
    capability: ClassVar[Capability] = Capability.REVOCABLE
    sends_secret: ClassVar[bool] = True
    calls: ClassVar[Mapping[str, int]] = {}
    secret_field: str = "refresh_token"  # noqa: S105 - the name of a field
    also_ends: ClassVar[str] = "every other sign-in session of its user, on every device"
    batch_size: ClassVar[int] = 20
    gather_s: ClassVar[float] = 0.0
    settle_s = SETTLE_S

    def __init__(self, connection: Connection, name: str) -> None:
        super().__init__(connection, name)
        self._tenant = Tenant(connection)

    def identify(self, leaked: Leaked) -> CredentialRef:
        """Name it by its hash, and its user by redeeming it for an identity; what it gives is thrown away."""
        self._must_belong(leaked)
        if leaked.secret is None:
            raise Rejected("needs_secret", "nothing names a refresh token but its text: the report must hold it")
        if not _whole(leaked.secret):
            raise Rejected("unreadable", "the refresh token is truncated or malformed")
        named = _hashed(leaked.secret)
        self._must_pair(leaked, named)
        reply = self._redeemed(leaked.secret)
        if given(reply, "id_token"):
            return self._ref_of(_user(reply), named)
        code = error_code(reply)
        if code in _DEAD:
            raise Rejected("unknown_credential", f"sign-in takes it no more: AADSTS{code}")
        if code == _MALFORMED:
            raise Rejected("unreadable", f"sign-in finds it malformed: AADSTS{code}")
        if code is not None:
            raise Rejected(
                f"aadsts{code}", "sign-in does not say whose it is, and it may live: look at the sign-in logs"
            )
        raise Unavailable("answer_unreadable", f"http_{reply.status}", reply.retry_after)

    def inspect(self, ref: CredentialRef) -> Status:
        """Raise Rejected: Entra lists nobody's refresh tokens."""
        self._has_no_view(ref)

    def siblings(self, ref: CredentialRef) -> frozenset[CredentialRef]:
        """Raise Rejected: Entra lists nobody's refresh tokens."""
        self._has_no_view(ref)

    def verify(self, ref: CredentialRef, secret: Secret) -> Verdict:
        """Redeem it for an identity. A refusal that asks for a person (a second factor, a policy) is inconclusive."""
        if not _whole(secret) or _hashed(secret) != ref.id:
            return Verdict(Answer.INCONCLUSIVE, "another_token", mismatch=True)
        reply = self._redeemed(secret)
        asked, code = reply.headers.get("x-ms-request-id"), error_code(reply)
        if reply.status == HTTPStatus.TOO_MANY_REQUESTS:
            raise reply.refusal()
        if given(reply, "access_token") or given(reply, "id_token"):
            return Verdict(Answer.ACCEPTED, "redeemed", request_id=asked)
        if code in _DEAD:
            return Verdict(Answer.REJECTED, _DEAD[code], request_id=asked)
        return Verdict(Answer.INCONCLUSIVE, f"aadsts{code}" if code else f"http_{reply.status}", request_id=asked)

    def revoke(self, ref: CredentialRef) -> None:
        """End every refresh token and browser session of its user. Raises Rejected("not_this_account")."""
        path = f"/v1.0/users/{quote(ref.owner, safe='')}/revokeSignInSessions"
        reply = self._tenant.change("POST", GRAPH, path)
        if reply.status == HTTPStatus.NOT_FOUND:
            raise Rejected("not_this_account", f"no user {ref.owner} in this tenant")
        if not reply.ok:
            raise refusal(reply)
        if reply.status != HTTPStatus.NO_CONTENT and not given(reply, "value"):
            raise Uncertain("answer_unreadable", f"http_{reply.status}")

    def revoke_all(self, exposed: Sequence[tuple[CredentialRef, Secret | None]]) -> Sequence[RotatorError | None]:
        """End those of each user by one call."""
        answers: dict[str, RotatorError | None] = {}
        for ref, _ in exposed:
            if ref.owner in answers:
                continue
            try:
                self.revoke(ref)
                answers[ref.owner] = None
            except (Rejected, Unavailable, Uncertain) as error:
                answers[ref.owner] = error
        return [answers[ref.owner] for ref, _ in exposed]

    def permissions(self, whose: str | None) -> Sequence[Permission]:  # noqa: ARG002 - it is for all users or none
        """Return whether it may end the sessions of the tenant's users."""
        return of_sessions(self._tenant)

    def _redeemed(self, token: Secret) -> Reply:
        form = {"grant_type": "refresh_token", "client_id": AZURE_CLI, "scope": "openid"}
        return self._tenant.sign_in({**form, "refresh_token": token.reveal()})

    def _has_no_view(self, ref: CredentialRef) -> NoReturn:
        raise Rejected("no_view", f"{ref.id}: Entra shows nobody the refresh tokens of a user")


def _whole(token: Secret) -> bool:
    text = token.reveal()
    return len(text) >= _SHORTEST and text.isascii() and text.isprintable() and " " not in text


def _hashed(token: Secret) -> str:
    return hashlib.sha256(token.reveal().encode()).hexdigest()


def _user(reply: Reply) -> str:
    """Return the object id in an identity token, which came from sign-in itself: nobody else could have written it."""
    content = reply.content if isinstance(reply.content, Mapping) else {}
    claims = str(content.get("id_token", "")).split(".")[1:2]
    try:
        return str(json.loads(base64.urlsafe_b64decode(claims[0] + "=" * (-len(claims[0]) % 4)))["oid"])
    except (IndexError, ValueError, KeyError, TypeError, binascii.Error):
        raise Rejected("answer_without_user", "sign-in took it and did not say whose it is") from None
