"""Read `.npmrc`: `//REGISTRY/:_authToken=...` for each registry, or the older `_auth` and `_password`, in base64."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator

from rotator.flow.exposure import LIST, Exposure
from rotator.intake.fields import word
from rotator.intake.report import Head, Report
from rotator.intake.shapes import told

SOURCE = "npmrc"
DESCRIPTION = ".npmrc"

_SECRET = re.compile(r"(?://(?P<at>[^\s=]*?)/?:)?_(?P<form>authToken|auth|password)\s*=\s*(?P<value>.*)")
_REFERENCE = re.compile(r"\$\{[^}]*\}")
_NPM = "npmjs"
"""The label in the name of npm's own registry, to which a secret without a registry belongs too."""


def claims(head: Head) -> bool:
    """Tell whether this is such a file: one of its first lines holds a secret as only npm writes it."""
    return any(_SECRET.fullmatch(line) for line in head.lines)


def exposures(report: Report) -> Iterator[Exposure]:
    """Yield one exposure for each secret, under its kind where it looks it, else under its registry's name."""
    for number, line in report.lines():
        found = _SECRET.fullmatch(line.strip())
        value = found["value"].strip("\"'") if found else ""
        if found is None or not value or _REFERENCE.fullmatch(value):
            continue
        host = word({"host": (found["at"] or _NPM).partition("/")[0].lower()}, "host")
        is_npms = _NPM in host.split(".")
        owner, secret = None, value
        if found["form"] != "authToken":
            try:
                secret = base64.b64decode(value, validate=True).decode()
            except ValueError:  # base64 and UTF-8 each raise one of their own, and letters beyond ASCII a plain one
                what = f"`_{found['form']}` is not base64"
                raise report.bad(what, f"line {number}", "is the file cut short?") from None
        if found["form"] == "auth":
            owner, _, secret = secret.partition(":")
        source, rule, leaked = told(SOURCE, host, secret, owner=word({"user": owner}, "user") or None)
        if source != LIST and is_npms and found["form"] == "authToken":
            source, rule = LIST, "npm_token"  # those from before 2021 have no prefix
        yield Exposure(source=source, rule=rule, leaked=leaked, path=report.name, line=number)
