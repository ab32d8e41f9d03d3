"""Read pnpm-lock.yaml: the keys below `packages:`, which are `name@version` since version 6, `/name/version` before."""

from __future__ import annotations

import re

from rotator.intake.report import Report
from rotator.packages.component import Component, Parts, Sureness
from rotator.packages.names import NPM, package
from rotator.packages.npm_address import of_archive

DESCRIPTION = "pnpm-lock.yaml"

_OPENING = re.compile(r"lockfileVersion:\s")
# What came from another registry than the usual has its host in front.
_BEFORE_6 = re.compile(r"[^/@\s]{0,200}/((?:@[^/@]{1,200}/)?[^/@]{1,200})/(\d[^_(\s]{0,200})")
_SINCE_6 = re.compile(r"(?:[^/@\s]{0,200}/)?((?:@[^/@\s]{1,200}/)?[^/@\s]{1,200})@(\d[^(\s]{0,200})")


def claims(report: Report) -> bool:
    """Tell whether it opens with the lock's version."""
    return any(_OPENING.match(each) for each in report.head.lines[:2])


def components(report: Report) -> Parts:
    """Yield each package of the lock."""
    inside = False
    for number, text in report.lines():
        if not text[0].isspace():
            inside = text.rstrip() in {"packages:", "snapshots:"}
        elif inside and text.startswith("  ") and not text[2].isspace():
            key = text[2:4096].partition(": ")[0].strip().rstrip(":").strip("'\"")
            if found := _BEFORE_6.match(key) or _SINCE_6.match(key):
                yield Component(package(NPM, found[1]), found[2], Sureness.LOCKED, number)
            elif archive := of_archive(key):
                yield Component(*archive, Sureness.LOCKED, number)
