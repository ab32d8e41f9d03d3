"""Read what detect-secrets 1.5 writes: its baseline, and the report of `detect-secrets audit --report`.

A baseline holds SHA-1 hashes and no secret. They name nothing: for some kinds the hash is of three letters that every
such secret begins with, and a short password is soon guessed from one. What it tells is where somebody must look, so
each place is listed as a task for a person. The report of its audit, made beside the scanned files, tells the secrets.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from rotator.credential import Leaked
from rotator.flow.exposure import Exposure
from rotator.intake.fields import line, mapping, word
from rotator.intake.json_pieces import END, opened
from rotator.intake.report import Head, Report
from rotator.intake.shapes import only_one_in, told, untold

SOURCE = "detect-secrets"
DESCRIPTION = "detect-secrets (the report of its audit; a baseline tells places alone)"

_AUDITED = re.compile(r'\{\s*"results"\s*:\s*\[\s*\{\s*"category"\s*:\s*"(?:UN)?VERIFIED')
_DISMISSED = "VERIFIED_FALSE"
# By how a text looks or what stands beside it; the other detectors know whose it is.
_VAGUE = frozenset({"Secret Keyword", "Base64 High Entropy String", "Hex High Entropy String"})
# What its detectors give of a secret that they know by how it begins.
_BEGINNING = re.compile(r"gh[pousr]|BEGIN[ A-Z0-9_-]*PRIVATE KEY.*")


def claims(head: Head) -> bool:
    """Tell whether this is a baseline or an audit's report."""
    return "plugins_used" in head.keys or _AUDITED.match(" ".join(head.lines)) is not None


def exposures(report: Report) -> Iterator[Exposure]:
    """Yield one exposure for each secret at each place; what somebody labelled as none is left out."""
    number = 0
    for way, value in opened(report, {"results": {}}):
        if value is END or way[:1] != ("results",):
            continue
        number += 1
        if way == ("results",):
            yield from _audited(report, f"finding {number}", value)
        else:
            yield from _baseline(report, f"file {number}", way[1], value)


def _baseline(report: Report, where: str, path: str, value: object) -> Iterator[Exposure]:
    if not isinstance(value, list):
        raise report.bad("this is not a file of a baseline", where, "give the baseline as detect-secrets wrote it")
    rules: dict[tuple[int | None, str], str] = {}
    for finding in map(mapping, value):
        rule = word(finding, "type")
        if not rule:
            raise report.bad("this is not a finding of a baseline", where, "give it as detect-secrets wrote it")
        if finding.get("is_secret") is False:
            continue
        place = line(finding, "line_number"), word(finding, "hashed_secret")
        if rules.get(place, "") in {"", *_VAGUE}:
            rules[place] = rule
    for (number, _), rule in rules.items():
        name = word({"path": path}, "path")
        yield Exposure(source=SOURCE, rule=untold(rule), leaked=Leaked(), path=name, line=number)


def _audited(report: Report, where: str, value: object) -> Iterator[Exposure]:
    finding = mapping(value)
    rules, secret, lines = finding.get("types"), finding.get("secrets"), mapping(finding.get("lines"))
    if not isinstance(rules, list) or not isinstance(secret, str):
        raise report.bad("this is not a finding of an audit", where, "give the report as detect-secrets wrote it")
    if finding.get("category") == _DISMISSED:
        return
    names = [word({"rule": each}, "rule") for each in rules]
    rule = next((each for each in names if each and each not in _VAGUE), next(filter(None, names), "unknown"))
    for number, text in _lines(lines):
        known = only_one_in(text.replace("\\n", "\n"))
        whole = known if _BEGINNING.fullmatch(secret) else secret
        source, name, leaked = told(SOURCE, rule, whole) if whole else (SOURCE, untold(rule), Leaked())
        yield Exposure(source=source, rule=name, leaked=leaked, path=word(finding, "filename"), line=number)


def _lines(lines: Mapping[str, object]) -> Iterator[tuple[int | None, str]]:
    for number, text in lines.items():
        yield int(number) if number.isascii() and number.isdigit() else None, text if isinstance(text, str) else ""
    if not lines:
        yield None, ""
