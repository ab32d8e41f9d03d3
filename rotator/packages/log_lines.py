"""What one line of an installer's output says: pip's, uv's, Poetry's, npm's, Yarn's, pnpm's, and GitHub's runner's.

The words are those that these programs write (pip 23 and 26, uv 0.13, Poetry 2.5, npm 11, Yarn 1.22, pnpm 10 were run);
npm itself names a package only in verbose logs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import datetime

from rotator.packages.component import Component, Sureness
from rotator.packages.names import ACTIONS, NPM, PYPI, Package, package
from rotator.packages.requirements import of_address, requirement

_NAME = r"[A-Za-z0-9][\w.-]{0,200}"
_NPM = r"(?:@[\w.-]{1,200}/)?[A-Za-z0-9_][\w.-]{0,200}"
_VERSION = r"[0-9][\w.+!-]{0,100}"

# A line without any of these says nothing of packages.
_MAY_TELL = re.compile(
    r"nstalled |nstalling |nstall |nstallation: |satisfied: |ollecting |ownload|sing cached|rocessing |==|Updating |"
    r"Downgrading |@\d|\.tgz|[+-] [@A-Za-z]| add "
)

_DONE = re.compile(r"Successfully (installed|uninstalled) (.+)")
_SATISFIED = re.compile(rf"Requirement already satisfied: ({_NAME})\b.*\(({_VERSION})\)\s*$")
_FOUND = re.compile(rf"Found existing installation: ({_NAME}) ({_VERSION})")
_ARRIVING = re.compile(r"(?:Downloading|Using cached|Processing|Downloaded) (\S{1,2000})")
_WANTED = re.compile(r"Collecting (\S.{0,300}?)(?: \(from .*)?$")
_UV = re.compile(rf"^\s*([+~-]) ({_NAME})==({_VERSION})(?: \(from .*)?\s*$")
_FROM = r"(?: [^)>]{0,400}?)?"
_POETRY = re.compile(
    rf"^\s*[-•] (?:Installing|Updating|Downgrading) ({_NAME}) \((?:({_VERSION}){_FROM} -> )?({_VERSION}){_FROM}\)"
)
_NAMED = re.compile(rf"^\s*({_NAME})==({_VERSION})\s*$")
_COMMAND = re.compile(
    r"\b(?:pip3?|uv|pipx|poetry|npm|yarn|pnpm|npx)\b.{0,40}? (?:install|add|i|exec|tool|sync|run)\b(.*)"
)
_TREE = re.compile(rf"^\s*(?:[│|]\s*|[ ]{{2,}})*[├└+`][─┬-]+ ({_NPM})@({_VERSION})(?: .*)?$")
_NPM_PLUS = re.compile(rf"^\s*\+ ({_NPM})[@ ]({_VERSION})(?: .*)?$")
_TARBALL = re.compile(rf"/({_NPM})/-/[\w.-]{{1,200}}?-([0-9]+\.[0-9]+\.[0-9]+[\w.+-]*)\.tgz")
_DEPRECATED = re.compile(rf"npm (?:warn|WARN) deprecated ({_NPM})@({_VERSION}):")
_ACTION = re.compile(
    r"Download(?:ing)? (?:immutable )?action (?:repository|package) '([\w.-]+/[\w./-]{1,200})@([^'\s]{1,200})'"
)


def tells(text: str) -> bool:
    """Tell, at little cost, whether a line may say something of packages. What failed was not installed."""
    return _MAY_TELL.search(text) is not None and not text.lstrip().startswith("ERROR")


def said(text: str, number: int, at: datetime | None) -> Iterator[Component]:
    """Yield each package that a line which tells names, with its number; `at` is when it was written."""
    for of, version, sure, came in _read(text):
        yield Component(of, version, sure, number, came=at if came else None, seen=None if came else at)


_Said = Iterator[tuple[Package, str, Sureness, bool]]
"""Of each: the package, its version, how sure it is, and whether this line is when it came."""


def _read(text: str) -> _Said:
    for form, tell in _FORMS:
        if found := form.search(text):
            return tell(found)
    return iter(())


def _done(found: re.Match[str]) -> _Said:
    for each in found[2].split():
        name, hyphen, version = each.rpartition("-")
        if hyphen and version[:1].isdigit():
            yield package(PYPI, name), version, Sureness.INSTALLED, found[1] == "installed"


def _there(found: re.Match[str]) -> _Said:
    yield package(PYPI, found[1]), found[2], Sureness.INSTALLED, False


def _uv(found: re.Match[str]) -> _Said:
    yield package(PYPI, found[2]), found[3], Sureness.INSTALLED, found[1] != "-"


def _poetry(found: re.Match[str]) -> _Said:
    yield package(PYPI, found[1]), found[3], Sureness.INSTALLED, True
    if found[2]:
        yield package(PYPI, found[1]), found[2], Sureness.INSTALLED, False


def _action(found: re.Match[str]) -> _Said:
    yield package(ACTIONS, found[1]), found[2], Sureness.INSTALLED, True


def _npm(found: re.Match[str]) -> _Said:
    yield package(NPM, found[1]), found[2], Sureness.INSTALLED, True


def _listed(found: re.Match[str]) -> _Said:
    yield package(NPM, found[1]), found[2], Sureness.INSTALLED, False


def _fetched(found: re.Match[str]) -> _Said:
    yield package(NPM, found[1]), found[2], Sureness.FETCHED, True


def _arriving(found: re.Match[str]) -> _Said:
    # The metadata alone come while pip chooses, and run nothing.
    metadata = found[1].endswith(".metadata")
    part = of_address(found[1].removesuffix(".metadata"), Sureness.FETCHED, 0)
    if part is not None and part.version:
        yield part.package, part.version, Sureness.ALLOWED if metadata else Sureness.FETCHED, True


def _wanted(found: re.Match[str]) -> _Said:
    return _pinned(found[1])


def _named(found: re.Match[str]) -> _Said:
    # A freeze, or a file that was printed: it is pinned, at the least.
    yield package(PYPI, found[1]), found[2], Sureness.LOCKED, False


def _asked(found: re.Match[str]) -> _Said:
    for word in found[1].split():
        plain = word.strip("'\"`,;)")
        if "==" in plain:
            yield from _pinned(plain)
        elif of_npm := re.fullmatch(rf"({_NPM})@({_VERSION})", plain):
            yield package(NPM, of_npm[1]), of_npm[2], Sureness.LOCKED, True


def _pinned(text: str) -> _Said:
    found = requirement(text, Sureness.LOCKED, 0)
    if found is not None and found.version:
        yield found.package, found.version, Sureness.LOCKED, True


# The first that fits says it.
_FORMS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], _Said]], ...] = (
    (_DONE, _done),
    (_SATISFIED, _there),
    (_FOUND, _there),
    (_UV, _uv),
    (_POETRY, _poetry),
    (_ACTION, _action),
    (_NPM_PLUS, _npm),
    (_TREE, _listed),
    (_TARBALL, _fetched),
    (_DEPRECATED, _fetched),
    (_ARRIVING, _arriving),
    (_WANTED, _wanted),
    (_NAMED, _named),
    (_COMMAND, _asked),
)
