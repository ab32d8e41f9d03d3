"""Read `~/.aws/credentials` (and `config`) as it lies on disk: each profile pairs a key's id with its secret."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from rotator.credential import Leaked
from rotator.flow.exposure import LIST, Exposure
from rotator.intake.fields import aws_key_id, aws_session, material
from rotator.intake.report import Head, Report
from rotator.intake.shapes import AWS_KEY, AWS_SESSION

SOURCE = LIST
DESCRIPTION = "~/.aws/credentials"

_ID, _SECRET, _TOKEN = "aws_access_key_id", "aws_secret_access_key", "aws_session_token"
_SECTION = re.compile(r"\[[^\]]*\]\s*(?:[#;].*)?")
_SETTING = re.compile(r"(?P<name>[A-Za-z0-9_.-]+)\s*[=:]\s*(?P<value>.*)")


def claims(head: Head) -> bool:
    """Tell whether this is such a file: a section, and a setting that no other file has."""
    settings = (_SETTING.fullmatch(line) for line in head.lines[1:])
    starts = bool(head.lines) and _SECTION.fullmatch(head.lines[0]) is not None
    return starts and any(found and found["name"].lower() in {_ID, _SECRET} for found in settings)


def exposures(report: Report) -> Iterator[Exposure]:
    """Yield one exposure for each profile that holds a key. Raises BadInput where an id or a secret stands alone."""
    profile: dict[str, tuple[str, int]] = {}
    for number, line in report.lines():
        if _SECTION.fullmatch(line.strip()):
            yield from _profile(report, profile)
            profile = {}
        elif (found := _SETTING.fullmatch(line.strip())) and found["value"]:
            profile[found["name"].lower()] = found["value"].strip("\"'"), number
    yield from _profile(report, profile)


def _profile(report: Report, profile: Mapping[str, tuple[str, int]]) -> Iterator[Exposure]:
    key_id, number = profile.get(_ID, ("", 0))
    secret, _ = profile.get(_SECRET, ("", 0))
    token, _ = profile.get(_TOKEN, ("", 0))
    if not key_id and not secret:
        return
    if not key_id:
        raise report.bad("a secret access key without its id", f"line {profile[_SECRET][1]}", "is the profile whole?")
    if aws_key_id(key_id) is None:
        raise report.bad(f"`{_ID}` is not an access key's id", f"line {number}", "is it a template, or cut short?")
    yield Exposure(
        source=SOURCE,
        rule=AWS_SESSION if key_id.startswith("ASIA") else AWS_KEY,
        leaked=Leaked(id=key_id, secret=aws_session(key_id, secret, token) or material(secret)),
        path=report.name,
        line=number,
    )
