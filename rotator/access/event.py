"""Events: one call by one credential, as a log of its issuer tells it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True, slots=True)
class Event:
    """One call. `at` is in seconds since 1970, `who` is the principal, `error` is "" where it succeeded.

    `key_id` is the credential's id as its kind names it. `asked` and `answered` are the request's and the response's
    fields as they were logged; untrusted.
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


def moment(at: float) -> str:
    """Return seconds since 1970 as a time in UTC, as people write it."""
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%dT%H:%M:%SZ}"
