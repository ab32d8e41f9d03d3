"""Read CloudTrail: its log files (already unzipped), what `aws cloudtrail lookup-events` prints, or events as JSONL.

The fields are those of AWS's page "CloudTrail record contents", the identities those of "CloudTrail userIdentity
element". A log file is in no order, and the address may be the name of an AWS service that called.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import BinaryIO

from rotator.intake.fields import mapping, word
from rotator.intake.json_pieces import END, opened, records
from rotator.intake.report import Report

_LOG, _LOOKED_UP = "Records", "Events"
_EXAMPLE = 'give a log file ({"Records": [...]}), unzipped, or what `aws cloudtrail lookup-events` printed'
_LONGEST = 200
"""Letters that are kept of a text which whoever called could choose."""


@dataclass(frozen=True, slots=True)
class Event:
    """One call. `at` is in seconds since 1970, `who` is the user's or role's ARN, `error` is "" where it succeeded.

    `asked` and `answered` are the request's and the response's fields, as AWS logged them; untrusted.
    """

    key_id: str
    at: float
    name: str
    region: str
    address: str
    agent: str
    who: str
    account: str
    error: str
    asked: Mapping[str, object]
    answered: Mapping[str, object]
    file: str
    record: int

    @property
    def where(self) -> str:
        """Return the file and the record in it, from 1."""
        return f"{self.file}, record {self.record}"

    @property
    def when(self) -> str:
        """Return the time as people write it, in UTC."""
        return moment(self.at)


def moment(at: float) -> str:
    """Return seconds since 1970 as a time in UTC."""
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%dT%H:%M:%SZ}"


def events(name: str, stream: BinaryIO) -> Iterator[Event]:
    """Yield each event of a file, in its order, while it is read; what no credential did is left out.

    `name` is what errors and evidence call the file. Raises BadInput where it is none of these, or is cut off.
    """
    report = Report(name, stream)
    for number, value in enumerate(_values(report), start=1):
        event = _event(report, number, mapping(value))
        if event is not None:
            yield event


def _values(report: Report) -> Iterator[object]:
    keys = report.head.keys
    if report.head.opens == "{" and keys & {_LOG, _LOOKED_UP}:
        for (key, *_), value in ((way or ("",), value) for way, value in opened(report, {_LOG: {}, _LOOKED_UP: {}})):
            if key == _LOG and value is not END:
                yield value
            elif key == _LOOKED_UP and value is not END:
                yield _looked_up(value)
    elif "eventTime" in keys:
        for _, value in records(report):
            yield value
    else:
        raise report.bad("this is no CloudTrail log", mend=_EXAMPLE)


def _looked_up(value: object) -> object:
    """Return the event that `lookup-events` gives as a text within its own."""
    text = mapping(value).get("CloudTrailEvent")
    try:
        return json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        return None


def _event(report: Report, number: int, value: Mapping[str, object]) -> Event | None:
    at, name = value.get("eventTime"), value.get("eventName")
    if not isinstance(at, str) or not isinstance(name, str):
        raise report.bad("this is no CloudTrail event: it has no eventTime and eventName", f"record {number}", _EXAMPLE)
    identity = mapping(value.get("userIdentity"))
    key_id = identity.get("accessKeyId")
    issuer = mapping(mapping(identity.get("sessionContext")).get("sessionIssuer"))
    who = _text(issuer, "arn") or _text(identity, "arn")
    if not (isinstance(key_id, str) and key_id) and not who:
        return None
    try:
        when = datetime.fromisoformat(at)
    except ValueError:
        raise report.bad("`eventTime` is no time", f"record {number}", _EXAMPLE) from None
    return Event(
        key_id=_text(identity, "accessKeyId"),
        at=(when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp(),
        name=_text(value, "eventName"),
        region=_text(value, "awsRegion"),
        address=_text(value, "sourceIPAddress"),
        agent=_text(value, "userAgent"),
        who=who,
        account=_text(identity, "accountId") or _text(value, "recipientAccountId"),
        error=_text(value, "errorCode"),
        asked=mapping(value.get("requestParameters")),
        answered=mapping(value.get("responseElements")),
        file=report.name,
        record=number,
    )


def _text(record: Mapping[str, object], key: str) -> str:
    return word(record, key)[:_LONGEST]
