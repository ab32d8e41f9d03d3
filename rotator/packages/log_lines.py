"""What one line of an installer's output says: pip's, uv's, Poetry's, npm's, Yarn's, pnpm's, conda's, GitHub's own.

The words are those that these programs write (pip 23 and 26, uv 0.13, Poetry 2.5, npm 11, Yarn 1.22 and 4.18, pnpm 10
were run; conda's and micromamba's are from their documentation); npm itself names a package only in verbose logs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from rotator.packages.component import Sureness
from rotator.packages.names import ACTIONS, NPM, PYPI, UNTOLD, Package, package
from rotator.packages.npm_address import TARBALL, of_npm
from rotator.packages.requirements import of_address, requirement

NAME = r"[A-Za-z0-9][\w.-]{0,200}"
_NPM = r"(?:@[\w.-]{1,200}/)?[A-Za-z0-9_][\w.-]{0,200}"
VERSION = r"[0-9][\w.+!-]{0,100}"

# A line without any of these says nothing of packages.
_MAY_TELL = re.compile(
    r"nstalled |nstalling |nstall |nstallation: |satisfied: |ollecting |ownload|sing cached|rocessing |==|Updating |"
    r"Downgrading |@\d|@npm:|\.tgz|[+-] [@A-Za-z]| add |[─-] \S+ (?:v\d|\[)|^\S{1,200} v\d|"
    r"::[\w.-]{1,200}-\d|^Linking "
)
_FAILED = re.compile(r"\s*ERROR|(?:npm |\d{1,9} )?http (?:fetch )?(?:GET )?[45]\d\d ")

_DONE = re.compile(r"Successfully (installed|uninstalled) (.+)")
_DONE_WORD = re.compile(rf"({NAME})-([0-9][\w.+!]{{0,100}})")
_SATISFIED = re.compile(rf"Requirement already satisfied: ({NAME})\b.*\(({VERSION})\)$")
_FOUND = re.compile(rf"Found existing installation: ({NAME}) ({VERSION})")
_ARRIVING = re.compile(r"(?:Downloading|Using cached|Processing|Downloaded) (\S{1,2000})")
_WANTED = re.compile(r"Collecting (\S.{0,300}?)(?: \(from .*)?$")
_FROM = r"(?: [^)>]{0,400}?)?"
_POETRY = re.compile(
    rf"[-•] (?:Installing|Updating|Downgrading) ({NAME}) \((?:({VERSION}){_FROM} -> )?({VERSION}){_FROM}\)"
    r"(?:: (Skipped|Failed)(?:.{0,100} (Already installed))?)?"
)
_NAMED = re.compile(rf"(?:^|\s[+~] )({NAME})==({VERSION})(?=$|[\"\\])")
_COMMAND = re.compile(
    r"\b(?:pip3?|uv|pipx|poetry|npm|yarn|pnpm|npx)\b.{0,40}? (?:install|add|i|exec|tool|sync|run)\b(.*)"
)
_BRANCH = r"[├└+`][─┬-]{1,9} "
_TREE = re.compile(rf"{_BRANCH}(?:{_NPM}@npm:)?({_NPM})@({VERSION})(?: [^→]*)?$")
_OF_BERRY = re.compile("@npm:")
_BERRY = re.compile(rf"({_NPM})@npm:(?:[^\s\"]{{1,200}} → npm:)?({VERSION})")
_WHY = re.compile(rf"=> Found \\?\"(?:[^\"#\s]{{1,300}}#){{0,20}}({_NPM})@({VERSION})\\?\"")
_LIES = re.compile(
    rf"(?:[/\\]node_modules[/\\]\.pnpm[/\\]|\"packageId\":\")((?:@[\w.-]{{1,200}}[+/])?{NAME})@({VERSION})"
)
_ALONE = re.compile(rf"^({_NPM})@({VERSION})$")
_CONDA = re.compile(r"::([A-Za-z0-9_][\w.-]{0,200})-([0-9][^-\s]{0,100})-[\w.*]{1,200}(?=\s|$)")
_LINKED = re.compile(r"Linking ([A-Za-z0-9_][\w.-]{0,200})-([0-9][^-\s]{0,100})-[\w.]{1,200}$")
_UV_TREE = re.compile(rf"(?:^|{_BRANCH})({NAME})(?:\[[\w,.-]{{1,200}}\])? v({VERSION})(?: \(.*)?$")
_PIPDEPTREE = re.compile(rf"(?:{_BRANCH}|- )({NAME}) \[required: [^\]]{{1,200}}, installed: ({VERSION})\]$")
_NPM_PLUS = re.compile(rf"(?:^|\s)\+ (?:{_NPM} <- )?({_NPM})[@ ]([0-9]+\.[0-9]+\.[0-9]+[\w.+-]*)(?: .*)?$")
_GOT = re.compile(rf"(?:npm |\d{{1,9}} )?http (?:(?:fetch )?(?:GET )?[23]\d\d|cache) \S{{1,400}}?{TARBALL}")
_TARBALL = re.compile(TARBALL)
_DEPRECATED = re.compile(rf"npm (?:warn|WARN) deprecated ({_NPM})@({VERSION}):")
_ACTION = re.compile(
    r"Download(?:ing)? (?:immutable )?action (?:repository|package) '([\w.-]+/[\w./-]{1,200})@([^'\s]{1,200})'"
)

Said = Iterator[tuple[Package, str, Sureness, bool]]
"""Of each: the package, its version, how sure it is, and whether this line is when it came."""


def tells(text: str) -> bool:
    """Tell, at little cost, whether a line may say something of packages. What failed was not installed."""
    return _MAY_TELL.search(text) is not None and _FAILED.match(text) is None


def read(text: str) -> Said:
    """Yield each package that a line which tells names.

    What an installer writes at a line's beginning is only quoted elsewhere, or stands behind what nobody here knows:
    it is named, no more.
    """
    text = text.strip().lstrip("│| \t")
    for form, tell in _FORMS:
        if found := form.search(text):
            return tell(found) if found.start() == 0 or form is _COMMAND else _quoted(tell(found))
    return iter(())


def _quoted(said: Said) -> Said:
    for of, version, sure, _ in said:
        yield of, version, sure if sure is Sureness.ALLOWED else Sureness.LOCKED, False


def _done(found: re.Match[str]) -> Said:
    for each in found[2].split():
        if done := _DONE_WORD.match(each):
            yield package(PYPI, done[1]), done[2], Sureness.INSTALLED, found[1] == "installed"


def _there(found: re.Match[str]) -> Said:
    yield package(PYPI, found[1]), found[2], Sureness.INSTALLED, False


def _poetry(found: re.Match[str]) -> Said:
    sure = {"Skipped": Sureness.LOCKED, "Failed": Sureness.FETCHED}.get(found[4] or "", Sureness.INSTALLED)
    there = found[5] is not None
    yield package(PYPI, found[1]), found[3], Sureness.INSTALLED if there else sure, found[4] != "Skipped"
    if found[2]:
        yield package(PYPI, found[1]), found[2], Sureness.INSTALLED, False


def _action(found: re.Match[str]) -> Said:
    yield package(ACTIONS, found[1]), found[2], Sureness.INSTALLED, True


def _npm(found: re.Match[str]) -> Said:
    yield package(NPM, found[1]), found[2], Sureness.INSTALLED, True


def _listed(found: re.Match[str]) -> Said:
    yield package(NPM, found[1]), found[2], Sureness.INSTALLED, False


def _several(found: re.Match[str]) -> Said:
    for each in _BERRY.finditer(found.string):
        yield package(NPM, each[1]), each[2], Sureness.LOCKED, False


def _named(found: re.Match[str]) -> Said:
    yield package(NPM, found[1].replace("+", "/")), found[2], Sureness.LOCKED, False


def _planned(found: re.Match[str]) -> Said:
    # A channel's package is not PyPI's of that name, and may be built from it. Before an arrow stands what was there.
    for each in _CONDA.finditer(found.string):
        yield package(UNTOLD, each[1]), each[2], Sureness.LOCKED, False


def _linked(found: re.Match[str]) -> Said:
    yield package(UNTOLD, found[1]), found[2], Sureness.INSTALLED, True


def _locked(found: re.Match[str]) -> Said:
    # `uv tree` shows the lock, and looks like `uv pip tree`, which shows what is there.
    yield package(PYPI, found[1]), found[2], Sureness.LOCKED, False


def _fetched(found: re.Match[str]) -> Said:
    yield of_npm(found[1]), found[2], Sureness.FETCHED, True


def _address(found: re.Match[str]) -> Said:
    yield of_npm(found[1]), found[2], Sureness.LOCKED, False


def _arriving(found: re.Match[str]) -> Said:
    # The metadata alone come while pip chooses, and run nothing.
    metadata = found[1].endswith(".metadata")
    part = of_address(found[1].removesuffix(".metadata"), Sureness.FETCHED, 0)
    if part is not None and part.version:
        yield part.package, part.version, Sureness.ALLOWED if metadata else Sureness.FETCHED, True


def _wanted(found: re.Match[str]) -> Said:
    return _pinned(found[1])


def _asked(found: re.Match[str]) -> Said:
    for word in found[1].split():
        plain = word.strip("'\"`,;)")
        if "==" in plain:
            yield from _pinned(plain)
        elif of_npm := re.fullmatch(rf"({_NPM})@({VERSION})", plain):
            yield package(NPM, of_npm[1]), of_npm[2], Sureness.LOCKED, True


def _pinned(text: str) -> Said:
    found = requirement(text, Sureness.LOCKED, 0)
    if found is not None and found.version:
        yield found.package, found.version, Sureness.LOCKED, True


# The first that fits says it.
_FORMS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], Said]], ...] = (
    (_DONE, _done),
    (_SATISFIED, _there),
    (_FOUND, _there),
    (_POETRY, _poetry),
    (_ACTION, _action),
    (_NPM_PLUS, _npm),
    (_TREE, _listed),
    (_OF_BERRY, _several),
    (_WHY, _named),
    (_LIES, _named),
    (_CONDA, _planned),
    (_LINKED, _linked),
    (_UV_TREE, _locked),
    (_PIPDEPTREE, _there),
    (_GOT, _fetched),
    (_TARBALL, _address),
    (_DEPRECATED, _fetched),
    (_ARRIVING, _arriving),
    (_WANTED, _wanted),
    # A freeze, or a file that was printed: it is pinned, at the least.
    (_NAMED, _locked),
    (_COMMAND, _asked),
    (_ALONE, _named),
)
