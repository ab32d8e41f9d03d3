"""Read Pipenv's Pipfile.lock: an object for each group of packages, and of each package its version as `==1.0`.

Source: the Pipfile specification, "Pipfile.lock", and Pipenv's documentation of groups (`default`, `develop`, others).
"""

from __future__ import annotations

from rotator.intake.fields import mapping, word
from rotator.intake.json_pieces import END, opened
from rotator.intake.report import Report
from rotator.packages.component import Component, Parts, Sureness
from rotator.packages.names import PYPI, package, shown
from rotator.packages.requirements import of_address

DESCRIPTION = "Pipfile.lock"

_ABOUT = "_meta"


def claims(report: Report) -> bool:
    """Tell whether this is such a lock."""
    return report.head.opens == "{" and _ABOUT in report.head.keys


def components(report: Report) -> Parts:
    """Yield each package of every group."""
    for way, value in opened(report, {}):
        if value is END or way == (_ABOUT,):
            continue
        for name, each in mapping(value).items():
            yield _package(
                name, word(mapping(each), "version"), word(mapping(each), "file"), shown(f"{way[0]}: {name}")
            )


def _package(name: str, requirement: str, address: str, where: str) -> Component:
    pinned = requirement.removeprefix("===").removeprefix("==")
    if pinned and pinned != requirement:
        return Component(package(PYPI, name), pinned, Sureness.LOCKED, where=where)
    archive = of_address(address, Sureness.LOCKED, 0)
    if archive is not None and archive.version:
        return Component(package(PYPI, name), archive.version, Sureness.LOCKED, where=where)
    # From a repository, or of whatever version.
    return Component(package(PYPI, name), "", Sureness.ALLOWED, where=where, requirement=requirement)
