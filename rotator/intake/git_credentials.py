"""Read `~/.git-credentials` as git's `store` helper writes it: one address with user and password to a line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import unquote

from rotator.flow.exposure import Exposure
from rotator.intake.fields import server, word
from rotator.intake.report import Head, Report
from rotator.intake.shapes import told

SOURCE = "git-credentials"
DESCRIPTION = "~/.git-credentials"

_LINE = re.compile(r"(?P<scheme>https?)://(?P<user>[^:/@\s]*):(?P<password>[^/@\s]+)@(?P<host>[^/@\s]+)(?:/\S*)?")


def claims(head: Head) -> bool:
    """Tell whether this is such a file."""
    return bool(head.lines) and _LINE.fullmatch(head.lines[0]) is not None


def exposures(report: Report) -> Iterator[Exposure]:
    """Yield one exposure for each line, under its kind where the password looks it, else under its host's name."""
    for number, line in report.lines():
        if line.lstrip().startswith("#"):
            continue
        found = _LINE.fullmatch(line.strip())
        if found is None:
            what = "this is not an address with user and password"
            raise report.bad(what, f"line {number}", "git writes https://USER:PASSWORD@HOST; is the file cut short?")
        address = server(f"{found['scheme']}://{unquote(found['host'])}")
        host = word({"host": unquote(found["host"]).lower()}, "host")
        source, rule, leaked = told(
            SOURCE,
            host,
            unquote(found["password"]),
            owner=word({"user": unquote(found["user"])}, "user") or None,
            address=address,
        )
        yield Exposure(source=source, rule=rule, leaked=leaked, path=report.name, line=number)
