"""Read what the address of one of npm's archives names: `https://…/@scope/name/-/name-1.0.0.tgz`."""

from __future__ import annotations

import re

from rotator.packages.names import NPM, Package, package

TARBALL = (
    r"/((?:@[\w.-]{1,200}(?:/|%2[fF]))?[A-Za-z0-9_][\w.-]{0,200})/-/"
    r"[\w.-]{1,200}?-([0-9]+\.[0-9]+\.[0-9]+[\w.+-]*)\.tgz"
)
"""Matches the end of such an address: the package's name and its version are its groups."""

_ARCHIVE = re.compile(TARBALL)


def of_archive(address: str) -> tuple[Package, str] | None:
    """Return (package, version) of an archive's address, None for what is none."""
    found = _ARCHIVE.search(address[:4096])
    return (of_npm(found[1]), found[2]) if found else None


def of_npm(name: str) -> Package:
    """Return the package of a name as it stands in an address, where a scope's slash may be escaped."""
    return package(NPM, name.replace("%2f", "/").replace("%2F", "/"))
