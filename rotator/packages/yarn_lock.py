"""Read yarn.lock of Yarn 1 and of its later releases: a line for what was asked for, below it the version."""

from __future__ import annotations

import re

from rotator.intake.report import Report
from rotator.packages.component import Component, Parts, Sureness
from rotator.packages.names import NPM, package

DESCRIPTION = "yarn.lock"

# Yarn 1 names what an alias stands for in the request alone.
_ASKED = re.compile(r'"?(?:@?[^@\s",]{1,300}@npm:(?=@?[^@\s",]{1,300}@))?(@?[^@\s",]{1,300})@.')
_VERSION = re.compile(r'\s+version:?\s+"?([^"\s]{1,200})"?\s*$')
_RESOLUTION = re.compile(r'\s+resolution:\s+"(@?[^@"]{1,300})@npm:([^"]{1,200})"\s*$')


def claims(report: Report) -> bool:
    """Tell whether its heading, its name or its metadata say so."""
    name = re.split(r"[/\\]", report.name)[-1].lower()
    return name == "yarn.lock" or report.head.lines[:1] == ("__metadata:",)


def components(report: Report) -> Parts:
    """Yield each package of the lock."""
    name, line, version = "", 0, ""
    for number, text in report.lines():
        if not text[0].isspace():
            if name and version:
                yield Component(package(NPM, name), version, Sureness.LOCKED, line)
            asked = _ASKED.match(text[:4096]) if text[0] != "#" else None
            name, line, version = (asked[1] if asked else ""), number, ""
        elif found := _VERSION.match(text[:4096]):
            version = version or found[1]
        elif found := _RESOLUTION.match(text[:4096]):
            # What an alias stands for.
            name, version = found.groups()
    if name and version:
        yield Component(package(NPM, name), version, Sureness.LOCKED, line)
