"""Incoming webhooks of Slack. The id is WORKSPACE/WEBHOOK, as it stands in the address; the owner is the workspace.

No call ends one: a person removes it on the app's page. Whether it lives is asked by a message without a text, which
Slack refuses in other words than a webhook that is gone; nothing is ever posted.
"""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import ClassVar

from rotator.credential import CredentialRef, Secret
from rotator.errors import Rejected
from rotator.families.webhook import FAMILY, WebhookKind
from rotator.ports.connection import Connection
from rotator.ports.provider import Answer, Capability, Verdict
from rotator.rest_kind import RestKind

_LIVES = {"no_text", "missing_text_or_fallback_or_attachments"}
_GONE = {"no_service", "no_active_hooks", "invalid_token", "no_team", "team_disabled"}


def connect(connection: Connection, name: str, rest: RestKind | None = None) -> SlackWebhookUrl:
    """Return the provider of Slack's webhooks."""
    return SlackWebhookUrl(connection, name)


class SlackWebhookUrl(WebhookKind):
    """Webhooks of any workspace."""

    family: ClassVar[str] = FAMILY
    capability: ClassVar[Capability] = Capability.MANUAL
    settle_s = 60.0
    site = "https://hooks.slack.com"
    form = re.compile(
        r"(?:https?://)?hooks\.slack\.com(?P<path>/services/(?P<id>(?P<owner>T[A-Z0-9]{5,20})/B[A-Z0-9]{5,20})/[A-Za-z0-9]{20,30})/?"
    )

    def verify(self, ref: CredentialRef, secret: Secret) -> Verdict:
        """Post a message without a text. Answers that are about the channel or the payload are inconclusive."""
        address = self._read(secret)
        if address is None or address.id != ref.id:
            return Verdict(Answer.INCONCLUSIVE, "another_address", mismatch=address is not None)
        reply = self._ask("POST", address, {"text": ""})
        if reply.status == HTTPStatus.TOO_MANY_REQUESTS:
            raise reply.refusal()
        if reply.status == HTTPStatus.BAD_REQUEST and reply.words in _LIVES:
            return Verdict(Answer.ACCEPTED, reply.words)
        if reply.status in {HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND} and reply.words in _GONE:
            return Verdict(Answer.REJECTED, reply.words)
        return Verdict(Answer.INCONCLUSIVE, f"http_{reply.status}")

    def revoke(self, ref: CredentialRef) -> None:
        """Raise Rejected: Slack has no call for it."""
        raise Rejected("unsupported", f"a person removes {ref.id} on the app's page")
