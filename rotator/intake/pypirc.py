"""Read `~/.pypirc`: a section for each package index, with user and password."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rotator.flow.exposure import Exposure
from rotator.intake.fields import server, word
from rotator.intake.report import Head, Report
from rotator.intake.shapes import told

SOURCE = "pypirc"
DESCRIPTION = "~/.pypirc"

_SECTION = re.compile(r"\[(?P<name>[^\]]*)\]")
_SETTING = re.compile(r"(?P<name>username|password|repository)\s*[=:]\s*(?P<value>.*)")
_NAMES = frozenset({"[distutils]", "[pypi]", "[testpypi]"})


def claims(head: Head) -> bool:
    """Tell whether this is such a file."""
    lines = head.lines
    starts = bool(lines) and _SECTION.fullmatch(lines[0]) is not None
    return starts and not _NAMES.isdisjoint(lines) and any(_SETTING.fullmatch(line) for line in lines)


def exposures(report: Report) -> Iterator[Exposure]:
    """Yield one exposure for each password, under its kind where it looks it, else under its index's name."""
    entry: dict[str, str] = {}
    at, section = 0, ""
    for number, line in report.lines():
        if begins := _SECTION.fullmatch(line.strip()):
            yield from _entry(report, section, entry, at)
            entry, section = {}, begins["name"]
        elif (found := _SETTING.fullmatch(line.strip())) and found["value"]:
            entry[found["name"]] = found["value"].strip()
            at = number if found["name"] == "password" else at
    yield from _entry(report, section, entry, at)


def _entry(report: Report, section: str, entry: dict[str, str], at: int) -> Iterator[Exposure]:
    if "password" not in entry:
        return
    address = server(entry.get("repository", ""))
    rule = address.partition("//")[2] if address else word({"section": section}, "section") or "unknown"
    owner = word(entry, "username") or None
    source, rule, leaked = told(SOURCE, rule, entry["password"], owner=owner, address=address)
    yield Exposure(source=source, rule=rule, leaked=leaked, path=report.name, line=at)
