"""Read what conda and mamba list: `conda list` as a table or JSON, `--export` (name=version=build), `--explicit`.

A package of a channel is not PyPI's of that name, and may be built from it: it is named without an ecosystem. What pip
put there is of the channel `pypi`. conda's documentation, "conda list" and "Managing environments".
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from rotator.intake.fields import mapping, word
from rotator.intake.json_pieces import elements
from rotator.intake.report import Report
from rotator.packages.component import Component, Parts, Sureness
from rotator.packages.names import PYPI, UNTOLD, Package, package

DESCRIPTION = "conda list"
TABLE = r"(?:# packages in environment at |List of packages in environment: )"
"""How conda's, and mamba's, table begins."""
ROW = re.compile(
    r"\s*([A-Za-z0-9_][\w.-]{0,200})\s+([0-9][\w.+!-]{0,100})\s+([\w.*-]{1,200}|<pip>)(?:\s+(\S{1,300}))?\s*$"
)

_EXPORT = "# This file may be used to create an environment using:"
_EXPLICIT = "@EXPLICIT"
_PINNED = re.compile(r"([A-Za-z0-9_][\w.-]{0,200})=([0-9][^=\s]{0,100})=([^=\s]{1,200})\s*$")
_FILE = re.compile(r"(?:^|/)([A-Za-z0-9_][\w.-]{0,200})-([0-9][^-/]{0,100})-[^-/]{1,200}\.(?:conda|tar\.bz2)(?:#|$)")
_OF_JSON = frozenset({"dist_name", "channel", "name", "version"})


def claims(report: Report) -> bool:
    """Tell whether it begins as one of these does."""
    head = report.head
    if head.opens == "[":
        return head.keys >= _OF_JSON
    first = head.lines[:1] or ("",)
    begins = re.match(TABLE, head.first_line) is not None or head.first_line.startswith(_EXPORT)
    return begins or first[0] == _EXPLICIT or _PINNED.match(first[0]) is not None


def components(report: Report) -> Parts:
    """Yield each package that is listed."""
    if report.head.opens == "[":
        for ordinal, value in enumerate(elements(report), start=1):
            each = mapping(value)
            if name := word(each, "name"):
                of, where = of_channel(name, word(each, "channel")), f"entry {ordinal}"
                yield Component(of, word(each, "version"), Sureness.INSTALLED, where=where)
    elif re.match(TABLE, report.head.first_line):
        for number, line in report.lines():
            if not line.startswith("#") and (row := ROW.match(line[:2000])):
                yield Component(of_row(row), row[2], Sureness.INSTALLED, number)
    else:
        yield from _exported(report)


def of_row(row: re.Match[str]) -> Package:
    """Return the package of a table's row; conda before 4.6 wrote `<pip>` for the build of what pip put there."""
    return of_channel(row[1], "pypi" if row[3] == "<pip>" else row[4] or "")


def of_channel(name: str, channel: str) -> Package:
    """Return the package of a name from a channel."""
    return package(PYPI if channel == "pypi" else UNTOLD, name)


def _exported(report: Report) -> Iterator[Component]:
    for number, line in report.lines():
        if line.startswith("#"):
            continue
        if pinned := _PINNED.match(line[:2000]):
            channel = "pypi" if pinned[3].startswith("pypi") else ""
            yield Component(of_channel(pinned[1], channel), pinned[2], Sureness.INSTALLED, number)
        elif file := _FILE.search(line.strip()[:2000]):
            # conda-lock writes such files too, for machines that are yet to be.
            yield Component(package(UNTOLD, file[1]), file[2], Sureness.LOCKED, number)
