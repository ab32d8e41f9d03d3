"""GitGuardian's custom webhook: it tells of an incident there, and never the secret.

Signed with HMAC-SHA-256 over the body, `Gitguardian-Signature: sha256=…`; the key is the header `Timestamp` followed by
the signature token, so the time is signed with it. Source: GitGuardian Docs, "Custom webhook", for the key and the
events. The header's name and that the time is in epoch seconds were seen in public receivers; of the payload's outer
shape only `action` was, and `incident` is read as the REST API's incident is.
"""

from __future__ import annotations

import hashlib
import hmac
import re

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

SOURCE = "gitguardian"
KINDS: dict[str, str] = {}
CONTENT_TYPES = JSON
_ALARM = re.compile("triggered|reopened|regression|occurrence")
_SECONDS = re.compile(r"[0-9]{1,12}(\.[0-9]{1,9})?")
_SEVERITIES = {"critical": Severity.CRITICAL, "high": Severity.HIGH, "medium": Severity.MEDIUM, "low": Severity.LOW}


def verify(request: Received, trust: Trust, now: float) -> None:
    """Raise Refused unless one of our tokens has signed time and body, and the time is near."""
    given, time = request.header("gitguardian-signature"), request.header("timestamp")
    if not given or not time:
        raise Refused("unsigned", "no Gitguardian-Signature or no Timestamp")
    keys = ((time + each.reveal()).encode() for each in trust.shared)
    digests = (hmac.new(key, request.body, hashlib.sha256).hexdigest() for key in keys)
    if not one_matches((f"sha256={each}".encode() for each in digests), [given]):
        raise Refused("wrong_signature")
    in_time(float(time) if _SECONDS.fullmatch(time) else moment(time), now)


def read(request: Received) -> Told:
    """Return the incident as an alarm whose secret is missing."""
    told = mapping(document(request.body))
    incident = mapping(told.get("incident"))
    if not _ALARM.search(text(told, "action")):
        return Ignored("nothing new has leaked")
    number, page = text(incident, "id"), text(incident, "gitguardian_url")
    if not number:
        raise Refused("unreadable", "it names no incident")
    detector = mapping(incident.get("detector"))
    what = text(detector, "display_name") or text(detector, "name") or "a secret"
    return Trigger(
        title=f"GitGuardian: {what}, incident {number}",
        severity=_SEVERITIES.get(text(incident, "severity").lower(), Severity.HIGH),
        detected_at=moment(incident.get("date")) or moment(told.get("timestamp")),
        missing=(
            Missing(
                SOURCE,
                text(detector, "name") or "incident",
                number,
                page,
                "GitGuardian's message does not carry the secret",
                f"take it from {page or 'its page'}, or scan the source with ggshield; declare that as a report",
            ),
        ),
    )
