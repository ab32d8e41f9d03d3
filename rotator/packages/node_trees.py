"""Read what npm, pnpm and Yarn 1 list as JSON: `npm ls --json`, `pnpm ls --json`, `yarn list --json`.

npm and pnpm look at what lies in node_modules, Yarn at its lock alone. Each lists what a package needs below it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping

from rotator.intake.fields import mapping, word
from rotator.intake.json_pieces import END, elements, opened
from rotator.intake.report import Report
from rotator.packages.component import Component, Parts, Sureness
from rotator.packages.names import NPM, package, shown
from rotator.packages.npm_address import of_archive

DESCRIPTION = "npm ls, pnpm ls and yarn list as JSON"

_OF_NPM = frozenset({"name", "version", "dependencies", "problems", "error", "overridden", "extraneous"})
_GROUPS = ("dependencies", "devDependencies", "optionalDependencies", "unsavedDependencies")
_OF_YARN = frozenset({"type", "data"})
_NAMED = re.compile(r"(@?[^@\s]{1,300})@([0-9][^\s]{0,200})")
_ASKED = re.compile(r"(@?[^@\s]{1,300})(?:@|$)")


def claims(report: Report) -> bool:
    """Tell whether this is one of these: npm's object has few keys, unlike a package.json."""
    head = report.head
    if head.opens == "[":
        return "path" in head.keys and bool(head.keys & set(_GROUPS))
    if head.opens != "{":
        return False
    return ("dependencies" in head.keys and head.keys <= _OF_NPM) or (head.keys == _OF_YARN and _trees(head.first_line))


def _trees(line: str) -> bool:
    return re.match(r'\{"type": ?"(?:tree|info|warning|activity\w+|progress\w+)"', line) is not None


def components(report: Report) -> Parts:
    """Yield each package that is listed."""
    if report.head.opens == "[":
        for project in elements(report):
            for group in _GROUPS:
                yield from _needed(mapping(mapping(project).get(group)))
    elif report.head.keys == _OF_YARN:
        yield from _of_yarn(report)
    else:
        for way, value in opened(report, {"dependencies": {}}):
            if len(way) == 2 and value is not END:  # noqa: PLR2004 - a member of `dependencies`
                if isinstance(value, str):
                    raise report.bad("it says what a project asks for, not what it has", mend="give its lock file")
                yield from _needed({way[1]: value})


def _needed(listed: Mapping[str, object]) -> Iterator[Component]:
    waiting = [(str(name), mapping(each)) for name, each in listed.items()]
    while waiting:
        name, each = waiting.pop()
        version = word(each, "version")
        # Under an alias, what it stands for is told by where it came from.
        archive = of_archive(word(each, "resolved"))
        asked = _ASKED.match(word(each, "from"))  # npm 6 has what was asked for there: chalk@^5.6.0
        of = archive[0] if archive else package(NPM, asked[1] if asked else name)
        if version[:1].isdigit() and each.get("missing") is not True:
            yield Component(of, version, Sureness.INSTALLED, where=shown(name))
        for group in _GROUPS:
            waiting += [(str(key), mapping(one)) for key, one in mapping(each.get(group)).items()]


def _of_yarn(report: Report) -> Iterator[Component]:
    for number, line in report.lines():
        try:
            told = mapping(json.loads(line))
        except (ValueError, RecursionError):
            raise report.bad("this line is no whole JSON value", f"line {number}", "list again") from None
        trees = mapping(told.get("data")).get("trees") if told.get("type") == "tree" else None
        waiting = list(trees) if isinstance(trees, list) else []
        while waiting:
            each = mapping(waiting.pop())
            # A shadow says what was asked for; what came of that stands elsewhere.
            found = None if each.get("shadow") is True else _NAMED.fullmatch(word(each, "name"))
            if found:
                yield Component(package(NPM, found[1]), found[2], Sureness.LOCKED, number)
            below = each.get("children")
            waiting += below if isinstance(below, list) else []
