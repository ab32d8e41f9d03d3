"""Read the IAM credential report: for each user's one or two access keys, when and where it was used last.

It has no key ids: a key is told by its user and by when it was made. IAM notes a key's use once in 15 minutes at most.
Columns and words as in the IAM user guide, "Generate credential reports for your AWS account".
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from rotator.credential import CredentialRef
from rotator.flow.access import User, Uses
from rotator.intake.report import Head, Report

_COLUMNS = {"user", "arn", "access_key_1_active", "access_key_1_last_used_date"}
_EXAMPLE = "give what `aws iam get-credential-report` returns, decoded from base64"
_NOTHING = {"", "N/A", "no_information", "not_supported"}
_MADE_TOGETHER_S = 60.0


@dataclass(frozen=True, slots=True)
class LastUse:
    """One access key of one user. Times are seconds since 1970; `used_at` is None where it was never used."""

    owner: str
    is_active: bool
    made_at: float | None
    used_at: float | None
    region: str
    service: str
    file: str


def claims(head: Head) -> bool:
    """Tell whether this is such a report."""
    return set(head.first_line.strip().split(",")) >= _COLUMNS


def last_uses(report: Report) -> Iterator[LastUse]:
    """Yield each access key that the report tells of. Raises BadInput where a row is damaged."""
    rows = csv.DictReader((text for _, text in report.lines()), strict=True)
    try:
        for row in rows:
            if None in row or None in row.values():
                raise report.bad("this row is cut off", f"line {rows.line_num}", _EXAMPLE)
            for slot in ("1", "2"):
                made = _time(row.get(f"access_key_{slot}_last_rotated", ""))
                used = _time(row.get(f"access_key_{slot}_last_used_date", ""))
                is_active = row.get(f"access_key_{slot}_active", "").lower() == "true"
                if is_active or made is not None or used is not None:
                    region, service = (
                        _word(row, f"access_key_{slot}_last_used_{what}") for what in ("region", "service")
                    )
                    yield LastUse(_word(row, "user"), is_active, made, used, region, service, report.name)
    except csv.Error:
        raise report.bad("this is not CSV", f"line {rows.line_num}", _EXAMPLE) from None


def uses(found: Iterable[LastUse], keys: Mapping[CredentialRef, float | None]) -> dict[str, Uses]:
    """Return what the report says of each of these keys that it can be told for.

    `keys` are access keys and when each was made, in seconds since 1970, None where nobody knows: it is then told only
    for the single key of a user.
    """
    by_owner: dict[str, list[LastUse]] = {}
    for each in found:
        by_owner.setdefault(each.owner, []).append(each)
    told = {}
    for ref, made_at in keys.items():
        theirs = by_owner.get(ref.owner, [])
        fitting = [each for each in theirs if _is_made(each, made_at)] if made_at is not None else theirs
        if len(fitting) == 1:
            told[ref.id] = _uses(ref.id, fitting[0])
    return told


def _is_made(each: LastUse, made_at: float) -> bool:
    return each.made_at is not None and abs(each.made_at - made_at) <= _MADE_TOGETHER_S


def _uses(name: str, last: LastUse) -> Uses:
    at = last.used_at
    users = () if at is None else (User("", f"{last.service} in {last.region}".strip(), 1, at, at),)
    return Uses(name, len(users), None, at, users, told_by=(last.file,))


def _word(row: Mapping[str, str], name: str) -> str:
    found = row.get(name, "")
    return "" if found in _NOTHING or not found.isprintable() else found


def _time(text: str) -> float | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
