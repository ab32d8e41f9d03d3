"""Read what pip writes and reads: `pip freeze`, requirements files, `pip list` as a table or JSON.

A freeze says what is installed, a requirements file what would be. They look alike; a freeze has "freeze" in its name.
pip's reference, "Requirements File Format".
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from packaging.requirements import InvalidRequirement, Requirement

from rotator.intake.fields import mapping, word
from rotator.intake.json_pieces import elements
from rotator.intake.report import Report
from rotator.packages.component import Component, Parts, Sureness
from rotator.packages.names import PYPI, package

DESCRIPTION = "pip freeze, pip list and requirements files"

_FEW = 5
_LINE_CAP = 1 << 15
_NAME = r"[A-Za-z0-9](?:[\w.-]{0,200}[A-Za-z0-9])?"
_REQUIREMENT = re.compile(rf"{_NAME}\s{{0,9}}(?:$|[;#@(\[]|(?:[=!<>~]=|[<>]))")
_PINNED = re.compile(r"^[\w.\[\],-]{1,200}\s?(?:===?|~=|!=|<|>)|^-{1,2}[reci][\s=]|^[\w.-]{1,200} @ ")
_NAMED = re.compile(r"requirements?|constraints?|freeze", re.IGNORECASE)
_OPTION = re.compile(r"-{1,2}[A-Za-z]")
# An address or a path instead of a name: what lies there may tell nothing.
_ELSEWHERE = re.compile(r"[.~/$]|[^\s@;\[=<>!]*[/\\]|\S+\.(?:whl|zip|tar\.gz)(?:\s|$)")
_TABLE = re.compile(r"Package\s+Version\b")
_WHEEL = re.compile(r"(?:^|/)([A-Za-z0-9_.]+)-([0-9][^-/#?]*)-[^/#?]*\.whl(?:[?#]|$)")
_SDIST = re.compile(r"(?:^|/)([A-Za-z0-9_.-]+)-([0-9][^-/#?]*)\.(?:tar\.gz|zip|tar\.bz2|tgz)(?:[?#]|$)")
_EDITABLE = re.compile(rf"# Editable [^(]{{1,80}}\(({_NAME}===?[\w.+!-]{{1,100}})\)")
_EGG = re.compile(r"#(?:[^#]*&)?egg=([A-Za-z0-9_.-]{1,200})")


def claims(report: Report) -> bool:
    """Tell whether the first lines that say anything are requirements, options of pip, or its table or list."""
    head = report.head
    if head.opens == "[":
        return {"name", "version"} <= head.keys and not head.keys & {"id", "affected"}
    # The last may be cut off where the head ends.
    lines = head.lines[:-1] if len(head.lines) > _FEW else head.lines
    if not lines or _TABLE.match(lines[0]):
        return bool(lines)
    said = [bool(_REQUIREMENT.match(each) or _OPTION.match(each)) for each in _whole(lines)]
    if _NAMED.search(report.name.rpartition("/")[2]):
        return any(said)
    return all(said) and any(_PINNED.search(each) for each in lines)


def components(report: Report) -> Parts:
    """Yield each package of the file."""
    if report.head.opens == "[":
        yield from _json(report)
    elif _TABLE.match(report.head.lines[0]):
        yield from _table(report)
    else:
        strange = 0
        frozen = "freeze" in report.name.rpartition("/")[2].lower()
        for number, line in _logical(report):
            found = requirement(line, Sureness.INSTALLED if frozen else Sureness.LOCKED, number)
            if found is not None:
                yield found
            elif line.strip() and not _OPTION.match(line.strip()) and not _ELSEWHERE.match(line.strip()):
                strange = strange or number
        if strange:
            raise report.bad("this is no requirement", f"line {strange}", "write one as pip reads it")


def requirement(text: str, exact: Sureness, line: int) -> Component | None:
    """Return what one requirement names; `exact` is how sure a pinned version is. None for pip's options."""
    text = re.sub(r"(?:^|\s)#.*$", "", text[:_LINE_CAP]).strip()
    editable = re.match(r"(?:-e|--editable)[\s=]+", text)
    if editable:
        return of_address(text[editable.end() :], exact, line)
    if text.startswith("-"):
        return None
    if _ELSEWHERE.match(text):
        return of_address(text, exact, line)
    # What follows are options of this one requirement: hashes above all.
    text = re.split(r"\s--?[a-z]", text, maxsplit=1)[0]
    try:
        wanted = Requirement(text)
    except (InvalidRequirement, ValueError, RecursionError):
        return None
    if wanted.url:
        return of_address(f"{wanted.url}#egg={wanted.name}", exact, line)
    [*pins] = [each for each in wanted.specifier if each.operator in {"==", "==="} and not each.version.endswith(".*")]
    of = package(PYPI, wanted.name)
    if pins:
        return Component(of, pins[0].version, exact, line, requirement=str(wanted.specifier))
    return Component(of, "", Sureness.ALLOWED, line, requirement=str(wanted.specifier))


def of_address(address: str, exact: Sureness, line: int) -> Component | None:
    """Return what an address of a package names: a wheel's and a source archive's file names tell the version."""
    path = address.partition("#")[0]
    found = _WHEEL.search(path) or _SDIST.search(path)
    if found:
        return Component(package(PYPI, found[1]), found[2], exact, line)
    egg = _EGG.search(address)
    return Component(package(PYPI, egg[1]), "", Sureness.ALLOWED, line) if egg else None


def _whole(lines: tuple[str, ...]) -> list[str]:
    """Return the lines that do not go on with the one before."""
    return [each for before, each in zip(("", *lines), lines, strict=False) if not before.endswith("\\")]


def _logical(report: Report) -> Iterator[tuple[int, str]]:
    """Yield lines with those that they go on in, comments left out, each with the number of its first."""
    start, joined = 0, ""
    for number, line in report.lines():
        text = line.strip()
        if text.startswith("#"):
            # Of what was installed from a folder, pip tells the version in a comment alone.
            if not joined and (editable := _EDITABLE.match(text)):
                yield number, editable[1]
            continue
        start = start if joined else number
        if text.endswith("\\") and len(joined) < _LINE_CAP:
            joined += text[:-1] + " "
            continue
        yield start, joined + text
        joined = ""
    if joined:
        yield start, joined


def _table(report: Report) -> Iterator[Component]:
    for number, line in report.lines():
        columns = line.split()
        if len(columns) > 1 and not columns[0].startswith("--") and (number > 1 or not _TABLE.match(line)):
            yield Component(package(PYPI, columns[0]), columns[1], Sureness.INSTALLED, number)


def _json(report: Report) -> Iterator[Component]:
    for ordinal, value in enumerate(elements(report), start=1):
        name, version = word(mapping(value), "name"), word(mapping(value), "version")
        if name and version:
            yield Component(package(PYPI, name), version, Sureness.INSTALLED, where=f"entry {ordinal}")
