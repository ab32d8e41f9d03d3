"""Events: one call by one credential, as a log of its issuer tells it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

_FIRST = datetime.min.replace(tzinfo=UTC).timestamp()
_LAST = datetime.max.replace(tzinfo=UTC, microsecond=0).timestamp()


@dataclass(frozen=True, slots=True)
class Event:
    """One call. `at` is in seconds since 1970, `who` is the principal, `error` is "" where it succeeded.

    `key_id` is the credential's id as its kind names it. `asked` and `answered` are the request's and the response's
    fields as they were logged; untrusted. `request` is its issuer's number of it, where the log tells one. `is_refused`
    where the issuer did not take the credential itself: any other call was made by whoever holds it, even one that it
    was not allowed. `identity` is its issuer's id of the record, else a digest of what that says: the same in whatever
    form the log is; "" where neither is known.
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
    request: str = ""
    is_refused: bool = False
    identity: str = ""


@dataclass(frozen=True, slots=True)
class Unread:
    """A record of a log that tells nothing: it is counted, and the others are read. `why` quotes nothing of it."""

    file: str
    record: int
    why: str


def beginning(text: str, most: int) -> str:
    """Return so many letters of a text that a caller chose, in whole words: half a secret looks like none."""
    if len(text) <= most:
        return text
    whole, _, _ = text[:most].rpartition(" ")
    return f"{whole} …".lstrip()


def when(at: float) -> datetime:
    """Return seconds since 1970 as a time in UTC, or the nearest that there is: issuers and logs may say anything."""
    return datetime.fromtimestamp(min(max(_FIRST, at), _LAST), UTC)


def moment(at: float) -> str:
    """Return seconds since 1970 as a time in UTC, as people write it."""
    return f"{when(at).isoformat(timespec='seconds').removesuffix('+00:00')}Z"
