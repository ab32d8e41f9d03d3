"""Webhooks of Discord. The id is the webhook's own, as it stands in the address before the token.

Whoever holds the address may delete the webhook, without any other right: so it is revoked by showing it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import ClassVar

from rotator.credential import CredentialRef, Secret
from rotator.errors import Rejected, RotatorError, Unavailable, Uncertain
from rotator.families.http_wire import Reply
from rotator.families.webhook import FAMILY, WebhookKind
from rotator.ports.connection import Connection
from rotator.ports.provider import Answer, Capability, Verdict
from rotator.rest_kind import RestKind

_UNKNOWN_WEBHOOK, _INVALID_TOKEN = 10015, 50027


def connect(connection: Connection, name: str, rest: RestKind | None = None) -> DiscordWebhookUrl:
    """Return the provider of Discord's webhooks."""
    return DiscordWebhookUrl(connection, name)


class DiscordWebhookUrl(WebhookKind):
    """Webhooks of any server."""

    family: ClassVar[str] = FAMILY
    capability: ClassVar[Capability] = Capability.REVOCABLE
    batch_size: ClassVar[int] = 1
    gather_s: ClassVar[float] = 0.0
    settle_s = 30.0
    site = "https://discord.com"
    form = re.compile(
        r"(?:https?://)?(?:(?:canary|ptb)\.)?discord(?:app)?\.com(?P<path>/api(?:/v[0-9]{1,2})?/webhooks/(?P<id>[0-9]{17,20})/[A-Za-z0-9_-]{60,80})/?"
    )

    def verify(self, ref: CredentialRef, secret: Secret) -> Verdict:
        """Read the webhook by its address; nothing is posted. A known webhook with another token is inconclusive."""
        address = self._read(secret)
        if address is None or address.id != ref.id:
            return Verdict(Answer.INCONCLUSIVE, "another_address", mismatch=address is not None)
        reply = self._ask("GET", address)
        if reply.status == HTTPStatus.TOO_MANY_REQUESTS:
            raise reply.refusal()
        if reply.ok and isinstance(reply.content, Mapping) and str(reply.content.get("id")) == ref.id:
            return Verdict(Answer.ACCEPTED, "webhook")
        if _code(reply) == _INVALID_TOKEN:
            return Verdict(Answer.INCONCLUSIVE, "another_token", mismatch=True)
        if reply.status == HTTPStatus.NOT_FOUND and _code(reply) == _UNKNOWN_WEBHOOK:
            return Verdict(Answer.REJECTED, "unknown_webhook")
        return Verdict(Answer.INCONCLUSIVE, f"http_{reply.status}")

    def revoke(self, ref: CredentialRef) -> None:
        """Raise Rejected: by its id alone it can be deleted by its server's administrators only."""
        raise Rejected("needs_secret", f"{ref.id}: it is deleted by showing its address")

    def revoke_all(self, exposed: Sequence[tuple[CredentialRef, Secret | None]]) -> Sequence[RotatorError | None]:
        """Delete each by its address. One that is gone counts as deleted."""
        answers: list[RotatorError | None] = []
        for ref, secret in exposed:
            try:
                self._delete(ref, secret)
                answers.append(None)
            except (Rejected, Unavailable, Uncertain) as error:
                answers.append(error)
        return answers

    def _delete(self, ref: CredentialRef, secret: Secret | None) -> None:
        address = self._read(secret) if secret is not None else None
        if address is None or address.id != ref.id:
            raise Rejected("needs_secret", "its address is not kept any more")
        reply = self._send("DELETE", address)
        if reply.ok or _code(reply) == _UNKNOWN_WEBHOOK:
            return
        raise (
            Rejected("another_token", f"{ref.id} lives with another token")
            if _code(reply) == _INVALID_TOKEN
            else reply.refusal()
        )


def _code(reply: Reply) -> object:
    return reply.content.get("code") if isinstance(reply.content, Mapping) else None
