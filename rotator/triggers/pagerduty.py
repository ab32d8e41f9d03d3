"""PagerDuty's v3 webhook: somebody's alarm, which names no credential.

Signed with HMAC-SHA-256 over the body, `X-PagerDuty-Signature: v1=…,v1=…`, one for each secret while one replaces
another. Source: PagerDuty's developer documentation, "Verifying signatures" and "Webhooks overview". The time stands in
the body (`event.occurred_at`), and a delivery is tried again later, so the window is wide.
"""

from __future__ import annotations

import hashlib
import hmac

from rotator.flow.incident import Severity
from rotator.intake.fields import mapping
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
    in_time,
    moment,
    one_matches,
    text,
)

SOURCE = "pagerduty"
KINDS: dict[str, str] = {}
CONTENT_TYPES = JSON
_LATE_S = 3 * 86400.0
"""How old an event may be. PagerDuty does not publish for how long it tries; a day or two were seen."""


def verify(request: Received, trust: Trust, now: float) -> None:
    """Raise Refused unless one of our secrets has signed the body, and the event is not of long ago."""
    given = [each.strip() for each in request.header("x-pagerduty-signature").split(",")]
    given = [each.removeprefix("v1=") for each in given if each.startswith("v1=")]
    if not given:
        raise Refused("unsigned", "no X-PagerDuty-Signature of version 1")
    digests = (hmac.new(each.reveal().encode(), request.body, hashlib.sha256).hexdigest() for each in trust.shared)
    if not one_matches((each.encode() for each in digests), given):
        raise Refused("wrong_signature")
    event = mapping(mapping(document(request.body)).get("event"))
    if (at := moment(event.get("occurred_at"))) is not None:
        in_time(at, now, past_s=_LATE_S)


def read(request: Received) -> Told:
    """Return the alarm: what has leaked, a person must say."""
    event = mapping(mapping(document(request.body)).get("event"))
    if text(event, "event_type") not in {"incident.triggered", "incident.reopened"}:
        return Ignored("ping" if text(event, "event_type") == "pagey.ping" else "not a new alarm")
    data = mapping(event.get("data"))
    number = text(data, "id")
    if not number:
        raise Refused("unreadable", "it names no incident")
    title, page = text(data, "title") or f"incident {number}", text(data, "html_url")
    return Trigger(
        title=f"PagerDuty: {title}",
        severity=Severity.MEDIUM if text(data, "urgency") == "low" else Severity.HIGH,
        detected_at=moment(event.get("occurred_at")),
        delivery=text(event, "id") or None,
        missing=(
            Missing(
                SOURCE,
                "incident",
                number,
                page,
                "PagerDuty's alarm names no credential",
                f"read {page or 'it'}, and declare the report or the list of what leaked",
            ),
        ),
    )
