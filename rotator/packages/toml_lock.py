"""Read the lock files of uv, Poetry and PEP 751 (`pylock.toml`): a table for each package, with name and version."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from datetime import UTC, datetime

from rotator.intake.fields import mapping, word
from rotator.intake.report import PIECE_CAP, Report
from rotator.packages.advisory import moment
from rotator.packages.component import Component, Parts, Sureness
from rotator.packages.names import PYPI, package
from rotator.packages.requirements import of_address

DESCRIPTION = "uv.lock, poetry.lock and pylock.toml"

_HEADER = re.compile(r"^\[\[ *packages? *\]\]", re.MULTILINE)
_OPENING = re.compile(
    r"(?:lock-version|version|revision|requires-python|created-by|environments|extras|dependency-groups|"
    r"default-groups|resolution-markers|conflicts|supported-markers|package|packages)\s*=|"
    r"\[\[ *packages? *\]\]|\[(?:options|manifest|metadata|tool)\b"
)
# A key of many parts costs its square: no lock file has one.
_LONG_KEY = re.compile(r"""(?<![\w"'-])(?:[\w"'-]++[ \t]*+\.[ \t]*+){64}""")


def claims(report: Report) -> bool:
    """Tell whether it opens as one of them does and has a package, or could only be one by its name."""
    lines = report.head.lines
    name = re.split(r"[/\\]", report.name)[-1].lower()
    if name in {"uv.lock", "poetry.lock"} or re.fullmatch(r"(?:.*\.)?pylock(?:\..*)?\.toml", name):
        return True
    return bool(lines) and _OPENING.match(lines[0]) is not None and any(_HEADER.match(each) for each in lines)


def components(report: Report) -> Parts:
    """Yield each package of the lock."""
    text = report.whole(PIECE_CAP)
    if _LONG_KEY.search(text):
        raise report.bad("a key has too many parts")
    try:
        document = tomllib.loads(text.replace("\r\n", "\n"))
    except tomllib.TOMLDecodeError as error:
        raise report.bad(f"this is not whole TOML: {_told(error)}", mend="lock again") from None
    except (ValueError, RecursionError):
        raise report.bad("a number too long or values nested too deep") from None
    packages = document.get("packages", document.get("package"))
    if not isinstance(packages, list):
        if document.get("lock-version") or document.get("version"):
            return
        raise report.bad("this is no lock file: it has no packages", mend="lock again")
    lines = _lines(text, len(packages))
    for number, each in enumerate(map(mapping, packages)):
        found = _package(each, lines[number] if lines else None, f"package {number + 1}")
        if found is not None:
            yield found


def _package(each: Mapping[str, object], line: int | None, where: str) -> Component | None:
    name, version = word(each, "name"), word(each, "version")
    if not name:
        return None
    if not version:
        # A direct address in a pylock: its file's name may tell.
        address = word(mapping(each.get("archive")), "url") or word(mapping(each.get("archive")), "path")
        told = of_address(address, Sureness.LOCKED, line or 0)
        version = told.version if told else ""
    sure = Sureness.LOCKED if version else Sureness.ALLOWED
    return Component(package(PYPI, name), version, sure, line, where, released=_released(each))


def _released(each: Mapping[str, object]) -> datetime | None:
    """Return when the first of its files was uploaded: text in uv's own lock, a TOML time in a pylock."""
    wheels = each.get("wheels")
    files = [each.get("sdist"), *(wheels if isinstance(wheels, list) else [])]
    times = [_time(mapping(one).get("upload-time")) for one in files]
    return min((one for one in times if one is not None), default=None)


def _time(value: object) -> datetime | None:
    if not isinstance(value, datetime):
        return moment(value)
    # PEP 751: a time without a zone is in UTC.
    return moment((value if value.tzinfo else value.replace(tzinfo=UTC)).isoformat())


def _lines(text: str, packages: int) -> list[int]:
    """Return the line of each package's table, [] where they are not written as tables."""
    found, line, at = [], 1, 0
    for each in _HEADER.finditer(text):
        line, at = line + text.count("\n", at, each.start()), each.start()
        found.append(line)
    return found if len(found) == packages else []


def _told(error: tomllib.TOMLDecodeError) -> str:
    """Return where it breaks: the message quotes at most a key, and that only at its end."""
    found = re.search(r"at line \d+|at end of document", str(error))
    return found[0] if found else "it is damaged"
