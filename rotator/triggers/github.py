"""GitHub's webhooks: `secret_scanning_alert` tells of an alert, and never the secret; others tell of advisories.

Signed with HMAC-SHA-256 over the body; nothing in it says when it was sent, so a replay is told by its alert alone.
Source: GitHub Docs, "Validating webhook deliveries" (`X-Hub-Signature-256: sha256=…`), "Webhook events and payloads".
"""

from __future__ import annotations

from rotator.flow.incident import Severity
from rotator.intake.fields import mapping
from rotator.triggers import github_advisory, github_alert
from rotator.triggers.message import (
    JSON,
    Ignored,
    Missing,
    Received,
    Refused,
    Told,
    Trigger,
    Trust,
    document,
    moment,
    text,
)
from rotator.triggers.shared_secret import must_be_signed

SOURCE = github_alert.SOURCE
KINDS = github_alert.KINDS
CONTENT_TYPES = JSON
_ALARMS = frozenset({"created", "reopened", "publicly_leaked", "validated"})


def verify(request: Received, trust: Trust, _now: float) -> None:
    """Raise Refused unless one of our secrets has signed the body."""
    given = request.header("x-hub-signature-256")
    if not given:
        raise Refused("unsigned", "no X-Hub-Signature-256")
    must_be_signed(request.body, [given.removeprefix("sha256=")], (each.reveal() for each in trust.shared))


def read(request: Received) -> Told:
    """Return the alert as an alarm whose secret is missing: it is fetched by its `key`; or the advisory as one."""
    event = request.header("x-github-event")
    if event in github_advisory.ACTIONS:
        delivery = request.header("x-github-delivery") or None
        return github_advisory.read(event, mapping(document(request.body)), delivery)
    if event != "secret_scanning_alert":
        return Ignored("ping" if event == "ping" else "another event")
    told = mapping(document(request.body))
    alert, repository = mapping(told.get("alert")), text(mapping(told.get("repository")), "full_name")
    number, rule = text(alert, "number"), text(alert, "secret_type")
    if not number or not repository:
        raise Refused("unreadable", "it names no alert")
    if text(told, "action") not in _ALARMS:
        return Ignored("the alert is not new")
    key, page = f"{repository}#{number}", text(alert, "html_url")
    call = f"/repos/{repository}/secret-scanning/alerts/{number}"
    public = alert.get("publicly_leaked") is True or text(told, "action") == "publicly_leaked"
    what = text(alert, "secret_type_display_name") or rule or "a secret"
    return Trigger(
        title=f"GitHub: {what} in {repository}, alert {number}",
        severity=Severity.CRITICAL if public else Severity.HIGH,
        detected_at=moment(alert.get("created_at")),
        delivery=request.header("x-github-delivery") or None,
        missing=(
            Missing(
                SOURCE,
                rule or "alert",
                key,
                page,
                "GitHub's alert does not carry the secret",
                f"fetch it from {page or 'its page'}, or by GET {call}; declare it as a report",
            ),
        ),
    )
