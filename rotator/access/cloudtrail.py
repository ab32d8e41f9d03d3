"""Read CloudTrail: its log files (already unzipped), what `aws cloudtrail lookup-events` prints, or events as JSONL.

The fields are those of AWS's page "CloudTrail record contents", the identities those of "CloudTrail userIdentity
element". A log file is in no order, and the address may be the name of an AWS service that called.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime

from rotator.access.event import Event, Unread, beginning
from rotator.access.records import identity, parsed, told, values
from rotator.intake.fields import mapping, word
from rotator.intake.json_pieces import END, opened
from rotator.intake.report import Head, Report

_LOG, _LOOKED_UP = "Records", "Events"
_EXAMPLE = 'give a log file ({"Records": [...]}), unzipped, or what `aws cloudtrail lookup-events` printed'
_LONGEST = 200
"""Letters that are kept of a text which whoever called could choose."""
_EC2 = "Client."
"""What stands before each code of EC2. Source: EC2's documentation, "Error codes for the Amazon EC2 API"."""
_REFUSED = frozenset(
    {
        "ExpiredToken",
        "ExpiredTokenException",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
_AMBIGUOUS, _NOT_TAKEN = "AuthFailure", "not able to validate the provided access credentials"


def claims(head: Head) -> bool:
    """Tell whether this is such a log."""
    return "eventTime" in head.keys or (head.opens == "{" and bool(head.keys & {_LOG, _LOOKED_UP}))


def events(report: Report) -> Iterator[Event | Unread]:
    """Yield each event of a file, in its order, while it is read; what no credential did is left out.

    A record that is none comes as Unread. Raises BadInput where all are so, and where an array is cut off.
    """
    return _told(report.name, _values(report))


def logged(name: str, texts: Iterable[str]) -> Iterator[Event | Unread]:
    """Yield each event of texts that CloudTrail gave one by one. Raises as `events` does."""
    return _told(name, map(parsed, texts))


def _told(file: str, found: Iterable[object]) -> Iterator[Event | Unread]:
    return told((_event(file, number, mapping(each)) for number, each in enumerate(found, start=1)), _EXAMPLE)


def _values(report: Report) -> Iterator[object]:
    if "eventTime" in report.head.keys:
        yield from values(report)
    else:
        for way, value in opened(report, {_LOG: {}, _LOOKED_UP: {}}):
            if way[:1] == (_LOG,) and value is not END:
                yield value
            elif way[:1] == (_LOOKED_UP,) and value is not END:
                yield _looked_up(value)


def _looked_up(value: object) -> object:
    """Return the event that `lookup-events` gives as a text within its own."""
    text = mapping(value).get("CloudTrailEvent")
    return parsed(text) if isinstance(text, str) else None


def _event(file: str, number: int, value: Mapping[str, object]) -> Event | Unread | None:
    at, name = value.get("eventTime"), value.get("eventName")
    if not isinstance(at, str) or not isinstance(name, str):
        return Unread(file, number, "it has no eventTime and eventName")
    user = mapping(value.get("userIdentity"))
    key_id = user.get("accessKeyId")
    issuer = mapping(mapping(user.get("sessionContext")).get("sessionIssuer"))
    who = _text(issuer, "arn") or _text(user, "arn")
    if not (isinstance(key_id, str) and key_id) and not who:
        return None
    if (seconds := _seconds(at)) is None:
        return Unread(file, number, "`eventTime` is no time")
    error = _text(value, "errorCode")
    return Event(
        key_id=_text(user, "accessKeyId"),
        at=seconds,
        name=_text(value, "eventName"),
        region=_text(value, "awsRegion"),
        address=_text(value, "sourceIPAddress"),
        agent=beginning(word(value, "userAgent"), _LONGEST),
        who=who,
        account=_text(user, "accountId") or _text(value, "recipientAccountId"),
        error=error,
        asked=mapping(value.get("requestParameters")),
        answered=mapping(value.get("responseElements")),
        file=file,
        record=number,
        request=_text(value, "requestID"),
        is_refused=_is_refused(error, word(value, "errorMessage")),
        identity=identity(_text(value, "eventID"), value),
    )


def _is_refused(error: str, message: str) -> bool:
    """Tell whether AWS did not take the credential itself; EC2 has one code for that and for what it may not use."""
    code = error.removeprefix(_EC2)
    return code in _REFUSED or (code == _AMBIGUOUS and _NOT_TAKEN in message)


def _seconds(text: str) -> float | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    seconds = (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
    return seconds if seconds >= 0 else None


def _text(record: Mapping[str, object], key: str) -> str:
    return word(record, key)[:_LONGEST]
