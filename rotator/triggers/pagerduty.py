"""PagerDuty's v3 webhook: somebody's alarm, which names no credential.

Signed with HMAC-SHA-256 over the body, `X-PagerDuty-Signature: v1=…,v1=…`, one for each secret while one replaces
another. Source: PagerDuty's developer documentation, "Verifying signatures" and "Webhooks overview". The time stands in
the body (`event.occurred_at`), and a delivery is tried again later, so the window is wide.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator
from dataclasses import replace

from rotator.credential import Leaked
from rotator.flow.exposure import Exposure
from rotator.flow.incident import Severity
from rotator.intake.fields import aws_key_id, mapping
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

SOURCE = "pagerduty"
KINDS = {"access_key": "aws_iam_access_key", "session": "aws_sts_session"}
"""What is known by the form of its id, wherever it stands."""
CONTENT_TYPES = JSON
SPELT_OUT = 100
"""Ids that are taken up of words which anybody may have written: each that no issuer knows is a task for a person."""
_WORD = re.compile(r"(?<![A-Za-z0-9])[A-Z0-9]{20}(?![A-Za-z0-9])")
_NUMBER = re.compile(r"[A-Za-z0-9]{1,40}")
_LATE_S = 3 * 86400.0
"""How old an event may be. PagerDuty does not publish for how long it tries; a day or two were seen."""


def verify(request: Received, trust: Trust, now: float) -> None:
    """Raise Refused unless one of our secrets has signed the body, and the event is not of long ago."""
    given = [each.strip() for each in request.header("x-pagerduty-signature").split(",")]
    given = [each.removeprefix("v1=") for each in given if each.startswith("v1=")]
    if not given:
        raise Refused("unsigned", "no X-PagerDuty-Signature of version 1")
    must_be_signed(request.body, given, (each.reveal() for each in trust.shared))
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


def number_of(missing: Missing) -> str | None:
    """Return the incident's id, None where it has another form: it becomes a part of a path."""
    return missing.key if _NUMBER.fullmatch(missing.key) else None


def named(
    missing: Missing, incident: object, alerts: object, known: Container[str] = ()
) -> tuple[tuple[Exposure, ...], Missing]:
    """Return the access keys whose ids stand anywhere in the incident, and the task, for a person must read it still.

    Nobody can say whether words of the monitoring's own name all that leaked, nor who wrote them: of very many ids
    those that are `known` come first, and all of them; what is left over is told by its number.
    """
    if text(mapping(mapping(incident).get("incident")), "id") != missing.key:
        return (), missing
    words = dict.fromkeys(each for told in _texts([incident, alerts]) for each in _WORD.findall(told))
    ids = [each for each in words if aws_key_id(each)]
    if not ids:
        return (), replace(missing, reason="neither PagerDuty's alarm nor its alerts name a credential that is known")
    ours = [each for each in ids if each in known]
    spelt = [*ours, *[each for each in ids if each not in known][: max(SPELT_OUT - len(ours), 0)]]
    found = tuple(Exposure(SOURCE, _rule(each), Leaked(id=each), missing.where) for each in spelt)
    reason = f"PagerDuty's alerts name {len(ids):,} access key{'s' * (len(ids) > 1)}, which the plan has"
    if left := len(ids) - len(spelt):
        reason = (
            f"PagerDuty's alerts name {len(ids):,} access keys: the plan has {len(spelt):,}, with all of them that the "
            f"inventory lists, and the other {left:,} stand there alone"
        )
    return found, replace(missing, reason=f"{reason}; nobody read the rest")


def _rule(key_id: str) -> str:
    return "session" if key_id.startswith("ASIA") else "access_key"


def _texts(told: object) -> Iterator[str]:
    waiting = [told]
    while waiting:
        each = waiting.pop()
        if isinstance(each, str):
            yield each
        elif isinstance(each, dict):
            waiting += reversed(each.values())
        elif isinstance(each, list):
            waiting += reversed(each)
