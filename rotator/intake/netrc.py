"""Read `~/.netrc`: `machine HOST login USER password SECRET`, on one line or over several."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rotator.flow.exposure import Exposure
from rotator.intake.fields import word
from rotator.intake.report import Head, Report
from rotator.intake.shapes import told

SOURCE = "netrc"
DESCRIPTION = "~/.netrc"

_STARTS = re.compile(r"(?:machine\s+\S+|default)(?:\s+(?:login|user|account|password)\s.*)?")
_WORD = re.compile(r'"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<plain>\S+)')
_TAKES_ONE = frozenset({"machine", "login", "user", "account", "password"})


def claims(head: Head) -> bool:
    """Tell whether this is such a file."""
    return bool(head.lines) and _STARTS.fullmatch(head.lines[0]) is not None


def exposures(report: Report) -> Iterator[Exposure]:
    """Yield one exposure for each password, under its kind where it looks it, else under its machine's name."""
    told_of: dict[str, str] = {}
    expected, in_macro, remark = "", False, 0
    for number, text in _words(report):
        remark = number if text.startswith("#") and not expected else remark
        if number == remark:
            continue
        if in_macro and text not in {"machine", "default"}:
            continue
        in_macro = False
        if expected:
            told_of[expected] = text
            if expected == "password":
                yield _exposure(report, told_of, number)
            expected = ""
        elif text in _TAKES_ONE:
            expected = text
            told_of = {} if text == "machine" else told_of
        elif text == "default":
            told_of = {}
        elif text == "macdef":
            in_macro = True
        else:
            raise report.bad("this is not a netrc file", f"line {number}", "machine HOST login USER password SECRET")
    if expected:
        raise report.bad("the file ends in the middle of an entry", mend="is it cut short?")


def _words(report: Report) -> Iterator[tuple[int, str]]:
    for number, line in report.lines():
        for each in _WORD.finditer(line):
            if each["plain"] and each["plain"][0] == '"':
                raise report.bad("a quote without its end", f"line {number}", "is the file cut short?")
            yield number, each["plain"] or re.sub(r"\\(.)", r"\1", each["quoted"])


def _exposure(report: Report, entry: dict[str, str], number: int) -> Exposure:
    host = word(entry, "machine").lower() or "default"
    owner = word(entry, "login") or word(entry, "user") or None
    address = f"https://{host}" if "machine" in entry else None
    source, rule, leaked = told(SOURCE, host, entry["password"], owner=owner, address=address)
    return Exposure(source=source, rule=rule, leaked=leaked, path=report.name, line=number)
