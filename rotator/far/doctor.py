"""What the doctor looks at where the ledger is far away: the address, the line, the clocks, the versions, the token."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

from rotator import __version__, clock
from rotator.errors import BadInput, RotatorError
from rotator.examining.finding import Finding
from rotator.far.asking import V1, Asking
from rotator.far.reached import asking
from rotator.settings.configuration import Settings

_APART_S = 5.0
"""By how much two clocks may differ, as the doctor has it at home."""
_SOON_S = 86400.0


def examine(settings: Settings) -> Iterator[Finding]:
    """Look at the way to the service and at the token; change nothing."""
    yield Finding(True, f"the ledger is far away: {settings.url}")
    if settings.url.startswith("http:"):
        yield Finding(True, "the line is this machine's own, in the clear", aside=True)
    try:
        reply = Asking(settings.url, None).get("/openapi.json")
    except RotatorError as error:
        yield Finding(False, str(error), "" if isinstance(error, BadInput) else "is `url` right, and does it run?")
        return
    yield from _clocks(reply.headers)
    yield _versions(reply.content)
    try:
        yield _caller(asking(settings).get(f"{V1}/whoami").content)
    except RotatorError as error:
        yield Finding(False, f"its token is not taken: {error}")


def _clocks(headers: Mapping[str, str]) -> Iterator[Finding]:
    try:
        there = parsedate_to_datetime(headers.get("Date", "")).timestamp()
    except ValueError:
        yield Finding(True, "what time it is there is not told", aside=True)
        return
    apart_s = abs(there - clock.now())
    if apart_s > _APART_S:
        yield Finding(False, f"the clocks are {apart_s:,.0f} s apart, this machine's and the service's", "NTP on both")
    else:
        yield Finding(True, "the clocks agree")


def _versions(described: Any) -> Finding:
    theirs = str(described.get("info", {}).get("version", "")) if isinstance(described, Mapping) else ""
    if theirs == __version__:
        return Finding(True, f"it answers, version {theirs}")
    what = f"it answers, and is of version {theirs or 'unknown'}: this is {__version__}"
    return Finding(True, what, "the same on both sides understands everything", warns=True)


def _caller(found: Mapping[str, Any]) -> Finding:
    said = f"its token {found['token']} is taken: {found['by']}, {found['role']}"
    ends = found["expires_at"]
    left_s = datetime.fromisoformat(ends).timestamp() - clock.now() if ends else None
    if left_s is not None and left_s < _SOON_S:
        return Finding(True, f"{said}; it ends {ends}", "`rotator token create`, where the ledger is", warns=True)
    return Finding(True, said)
