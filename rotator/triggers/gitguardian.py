"""GitGuardian's custom webhook: it tells of an incident there, and never the secret.

Signed with HMAC-SHA-256 over the body, `Gitguardian-Signature: sha256=…`; the key is the header `Timestamp` followed by
the signature token, so the time is signed with it. Source: GitGuardian Docs, "Custom webhook", for the key and the
events. The header's name and that the time is in epoch seconds were seen in public receivers; of the payload's outer
shape only `action` was, and `incident` is read as the REST API's incident is.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from rotator.flow.incident import Severity
from rotator.intake.fields import mapping, word
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
    text,
)
from rotator.triggers.shared_secret import must_be_signed

SOURCE = "gitguardian"
KINDS: dict[str, str] = {}
CONTENT_TYPES = JSON
_ALARM = re.compile("triggered|reopened|regression|occurrence")
_SHOWN, _PLACE = 2, 90
_SECONDS = re.compile(r"[0-9]{1,12}(\.[0-9]{1,9})?")
_SEVERITIES = {"critical": Severity.CRITICAL, "high": Severity.HIGH, "medium": Severity.MEDIUM, "low": Severity.LOW}


def verify(request: Received, trust: Trust, now: float) -> None:
    """Raise Refused unless one of our tokens has signed time and body, and the time is near."""
    given, time = request.header("gitguardian-signature"), request.header("timestamp")
    if not given or not time:
        raise Refused("unsigned", "no Gitguardian-Signature or no Timestamp")
    must_be_signed(request.body, [given.removeprefix("sha256=")], (time + each.reveal() for each in trust.shared))
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


def located(missing: Missing, incident: object) -> Missing:
    """Return the task with the places that GitGuardian's API tells of the incident; the secret it tells nobody.

    The answer has hashes of it, of GitGuardian's own making, and where in a file it begins and ends.
    """
    told = mapping(incident)
    listed = told.get("occurrences")
    places = dict.fromkeys(map(_place, listed if isinstance(listed, list) else []))
    found = [each for each in places if each]
    if text(told, "id") != missing.key or not found:
        return missing
    more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    reason = "GitGuardian tells where it is, and to nobody what it is"
    return replace(missing, reason=reason, mend=f"scan {_listed(found)}{more} with ggshield; declare that as a report")


def _listed(places: Sequence[str]) -> str:
    return ", ".join(places[:_SHOWN])


def _place(occurrence: object) -> str:
    told = mapping(occurrence)
    source = word(mapping(told.get("source")), "full_name")
    path, commit = word(told, "filepath"), word(told, "sha")[:12]
    return f"{source}/{path}"[:_PLACE] + (f" at {commit}" if commit else "") if source and path else ""
