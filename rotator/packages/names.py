"""Packages by their ecosystem and their name, as that ecosystem compares names; and purls, which tell both."""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import unquote

PYPI, NPM, ACTIONS, CRATES = "PyPI", "npm", "GitHub Actions", "crates"

UNTOLD = ""
"""The ecosystem of what only has a name, as in a bill of materials without purls."""

# OSV's names of ecosystems by purl's types, Rust's without what follows its dot. The OSV schema, "Defined Ecosystems";
# the purl specification, "Types".
_BY_PURL = {
    "pypi": PYPI,
    "npm": NPM,
    "github": ACTIONS,
    "githubactions": ACTIONS,
    "cargo": CRATES,
    "golang": "Go",
    "gem": "RubyGems",
    "maven": "Maven",
    "nuget": "NuGet",
    "composer": "Packagist",
    "hex": "Hex",
    "pub": "Pub",
    "deb": "Debian",
    "apk": "Alpine",
}
_BY_NAME = {name.lower(): name for name in _BY_PURL.values()}
_PYPI_RUNS = re.compile(r"[-_.]+")
_LONGEST = 400


class Package(NamedTuple):
    """One package; equal exactly when its ecosystem takes the two for one."""

    ecosystem: str
    name: str

    def __str__(self) -> str:
        return f"{self.ecosystem}:{self.name}" if self.ecosystem else self.name


def ecosystem(text: str) -> str:
    """Return OSV's name of an ecosystem, from that name or a purl's type, whatever the case: `pypi`, `Debian:12`."""
    plain = text.strip().partition(":")[0]
    return _BY_PURL.get(plain.lower()) or _BY_NAME.get(plain.lower().partition(".")[0]) or plain


def package(where: str, name: str) -> Package:
    """Return the package of this name. PyPI's are normalised (PEP 503), npm's are told apart by case."""
    name = name.strip()[:_LONGEST]
    if where == PYPI:
        name = _PYPI_RUNS.sub("-", name).lower()
    elif where == ACTIONS:
        # `owner/name/path`: an action inside a repository is of that repository's release.
        name = "/".join(name.lower().split("/")[:2])
    return Package(where, name)


def purl(text: str) -> tuple[Package, str] | None:
    """Return (package, version or "") of a purl, None for what is none: `pkg:npm/%40scope/name@1.0.0?arch=x#file`."""
    if not text.startswith("pkg:"):
        return None
    kind, slash, rest = text[4:].partition("#")[0].partition("?")[0].lstrip("/").partition("/")
    name, at, version = rest.rpartition("@")
    if not name or name.endswith("/"):
        # The one @ there is opens a scope that was not escaped.
        name, at, version = rest, "", ""
    parts = [unquote(part) for part in name.split("/") if part]
    if not slash or not parts or not kind:
        return None
    joint = ":" if kind.lower() == "maven" else "/"
    return package(ecosystem(kind), joint.join(parts)), unquote(version) if at else ""


def known() -> tuple[str, ...]:
    """Return the ecosystems that can be named."""
    return tuple(dict.fromkeys(_BY_PURL.values()))


def shown(name: str) -> str:
    """Return what a file calls something, for a sentence: short, and no letter in it that a screen obeys."""
    return "".join(letter if letter.isprintable() else "?" for letter in name[:200])
