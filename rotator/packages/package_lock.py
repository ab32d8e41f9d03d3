"""Read npm's package-lock.json (versions 1 to 3), npm-shrinkwrap.json, and the lock that npm hides in node_modules.

npm's documentation, "package-lock.json". What lies in `node_modules/.package-lock.json` is what is installed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from rotator.intake.fields import mapping, word
from rotator.intake.json_pieces import END, Within, opened
from rotator.intake.report import Report
from rotator.packages.component import Component, Parts, Sureness
from rotator.packages.names import NPM, package, shown
from rotator.packages.npm_address import of_archive

DESCRIPTION = "package-lock.json"

_WITHIN: Within = {"packages": {}, "dependencies": {}}
_ALIAS = re.compile(r"npm:(@?[^@]{1,300})@(.{1,200})", re.DOTALL)


def claims(report: Report) -> bool:
    """Tell whether this is such a lock."""
    return report.head.opens == "{" and "lockfileVersion" in report.head.keys


def components(report: Report) -> Parts:
    """Yield each package of the lock, those inside others too."""
    hidden = re.split(r"[/\\]", report.name)[-1] == ".package-lock.json"
    sure = Sureness.INSTALLED if hidden else Sureness.LOCKED
    for way, value in opened(report, _WITHIN):
        if value is END or len(way) != 2:  # noqa: PLR2004 - a member of one of the two
            continue
        if isinstance(value, list):
            raise report.bad("its packages are lists, as Bun writes them, which rotator does not read")
        table, key = way
        if table == "packages":
            found = _entry(key, mapping(value), sure)
            if found is not None:
                yield found
        else:
            yield from _nested(key, mapping(value), sure)


def _entry(path: str, value: Mapping[str, object], sure: Sureness) -> Component | None:
    """Return what lies at a path: its last folder below node_modules is its name, unless it stands under another."""
    name = word(value, "name") or path.rpartition("node_modules/")[2]
    version = word(value, "version")
    # A link points to another entry; "" is the project itself.
    if not path or not name or not version or value.get("link") is True:
        return None
    return Component(package(NPM, name), version, sure, where=shown(path))


def _nested(name: str, value: Mapping[str, object], sure: Sureness) -> Iterator[Component]:
    waiting = [(name, value)]
    while waiting:
        name, each = waiting.pop()
        version = word(each, "version")
        if alias := _ALIAS.fullmatch(version):
            yield Component(package(NPM, alias[1]), alias[2], sure, where=shown(name))
        elif version:
            # An address stands in the version's place where it was asked for by one.
            archive = of_archive(version) or of_archive(word(each, "resolved")) if ":" in version else None
            of, version = archive or (package(NPM, name), version)
            yield Component(of, version, sure, where=shown(name))
        waiting += [(str(key), mapping(one)) for key, one in mapping(each.get("dependencies")).items()]
