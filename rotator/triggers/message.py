"""What a sender delivers, what it is held against, and what is made of it: the nouns of this package."""

from __future__ import annotations

import hmac
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NoReturn

from rotator.credential import Secret
from rotator.flow.exposure import Exposure
from rotator.flow.incident import Severity
from rotator.intake.fields import word

WINDOW_S = 300.0
"""How far a signed time may be from ours: what Standard Webhooks advises."""
JSON: tuple[str, ...] = ("application/json",)
LONGEST = 300
"""Letters of a text that is kept for people."""


class Refused(Exception):  # noqa: N818 - what happened to the message
    """The message is not believed, or cannot be read. `reason` is stable and counted; `detail` quotes nothing of it."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason, self.detail = reason, detail


@dataclass(frozen=True, slots=True)
class Received:
    """A request as it came: its headers, their names in lower case, and the very bytes of its body."""

    headers: Mapping[str, str] = field(repr=False)  # one may be the very token that we share
    body: bytes = field(repr=False)

    def header(self, name: str) -> str:
        """Return a header, "" where it is not there."""
        return self.headers.get(name.lower(), "").strip()


@dataclass(frozen=True, slots=True)
class Trust:
    """What a message is held against: secrets shared with its sender, two while one replaces the other, or public keys.

    `topic` is the only one that is believed, `address` the only one that keys come from, where one is configured.
    """

    shared: tuple[Secret, ...] = ()
    public: Mapping[str, bytes] = field(default_factory=dict)
    topic: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True)
class Missing:
    """A credential that the sender tells of without naming it: a person must fetch it, and `mend` says how.

    `key` is the sender's own number of the alarm, which stays the same over several messages.
    """

    source: str
    rule: str
    key: str
    where: str
    reason: str
    mend: str


@dataclass(frozen=True, slots=True)
class Trigger:
    """An alarm. `delivery` is the sender's own id of this message, None where it gives none. Times in epoch seconds.

    One that carries `advisories`, OSV records as JSON, names no credential: vendors are triaged for it.
    """

    title: str
    severity: Severity = Severity.HIGH
    detected_at: float | None = None
    exposed_at: float | None = None
    delivery: str | None = None
    exposures: tuple[Exposure, ...] = ()
    missing: tuple[Missing, ...] = ()
    advisories: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ignored:
    """A message that is no alarm: a ping, a leak that is settled."""

    why: str


@dataclass(frozen=True, slots=True)
class Confirm:
    """A sender that asks whether we want its messages: yes is a visit to the address."""

    url: str


Told = Trigger | Ignored | Confirm


def one_matches(expected: Iterable[bytes], given: Iterable[str]) -> bool:
    """Tell whether one of what is given is one of what is expected; every pair is compared, each in constant time."""
    there = [each.encode() for each in given]
    found = False
    for each in expected:
        for other in there:
            found |= hmac.compare_digest(each, other)
    return found


def document(body: bytes | str) -> object:
    """Return what the JSON says. Raises Refused where it is none."""
    try:
        return json.loads(body if isinstance(body, str) else body.decode(), parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise Refused("unreadable", "the body is not JSON") from None


def _no_number(_name: str) -> NoReturn:
    raise ValueError("NaN and its like are not JSON")


def objects(value: object, what: str) -> list[Mapping[str, object]]:
    """Return an array of objects. Raises Refused where it is none."""
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise Refused("unreadable", f"{what} is not an array of objects")
    return value


def text(record: Mapping[str, object], key: str) -> str:
    """Return a text for people to read, or ""; a number as its digits."""
    value = record.get(key)
    if type(value) is int and abs(value) < 1 << 63:
        return str(value)
    return word(record, key).strip()[:LONGEST]


def moment(value: object) -> float | None:
    """Return a time of day as epoch seconds, None where it is none with a zone."""
    try:
        found = datetime.fromisoformat(value) if isinstance(value, str) else None
        return found.timestamp() if found is not None and found.tzinfo is not None and found.year > 1 else None
    except (ValueError, OverflowError):
        return None


def in_time(at: float | None, now: float, *, past_s: float = WINDOW_S) -> None:
    """Raise Refused for a message that is older than `past_s`, or from the future: it may be a replay."""
    if at is None:
        raise Refused("unsigned", "it has no time")
    if not now - past_s <= at <= now + WINDOW_S:
        raise Refused("stale", "its time is too far from ours")
