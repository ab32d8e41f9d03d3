"""Read SARIF 2.1.0 as scanners for secrets write it.

kingfisher and gitleaks put the secret itself into `region.snippet`, kingfisher its companions into the command that it
suggests; so theirs are the findings of their JSON reports. ggshield and leakkill tell places alone. Of any other tool,
whose report may be of quite other things, only what speaks of secrets is read; a snippet is a line of code there.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from rotator.credential import Leaked
from rotator.flow.exposure import Exposure
from rotator.intake.fields import aws_key_id, line, mapping, material, twilio_key_id, without_login, word
from rotator.intake.json_pieces import END, opened
from rotator.intake.kingfisher import REDACTED, SAYS, leaked_by
from rotator.intake.report import Head, Report
from rotator.intake.shapes import only_one_in, told, untold

SOURCE = "sarif"
DESCRIPTION = "SARIF of kingfisher, gitleaks and others"

_WITH_SECRETS = frozenset({"kingfisher", "gitleaks"})
_PLACES_ALONE = frozenset({"ggshield", "leakkill"})
_OF_SECRETS = re.compile(r"secret|credential|passw|passphrase|token|api.?key|private.?key|access.?key", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Result:
    """What one result tells of one place, until it is known which tool says so.

    kingfisher names itself behind its results, so they all wait: in memory are the findings, as with whoever reads
    them, and never the text.
    """

    where: str
    rule: str
    speaks_of_secrets: bool
    snippet: str
    captured: Mapping[str, str]
    path: str
    line: int | None
    commit: str | None
    seen_at: datetime | None
    scanner_says: str | None


def claims(head: Head) -> bool:
    """Tell whether this is such a report."""
    return "runs" in head.keys


def exposures(report: Report) -> Iterator[Exposure]:
    """Yield one exposure for each result. Raises BadInput where the report is damaged, redacted or of other things."""
    number, tool = 0, ""
    waiting: list[_Result] = []
    for way, value in opened(report, {"runs": {"results": {}}}):
        if way == ("runs", "results") and value is not END:
            number += 1
            waiting += _results(report, f"result {number}", value)
        elif way == ("runs", "tool"):
            tool = word(mapping(mapping(value).get("driver")), "name")
        if way == ("runs",) and value is END:
            if waiting and not tool:
                raise report.bad("the run names no tool", mend="give the report as the scanner wrote it")
            yield from _told_by(report, tool, waiting)
            tool = ""
        elif tool:
            yield from _told_by(report, tool, waiting)


def _results(report: Report, where: str, value: object) -> Iterator[_Result]:
    """Yield a result once for each of its places."""
    result = mapping(value)
    rule = word(result, "ruleId") or word(mapping(result.get("rule")), "id")
    if not rule:
        raise report.bad("this result names no rule", where, "give the report as the scanner wrote it")
    speaks = _OF_SECRETS.search(f"{rule} {word(mapping(result.get('message')), 'text')}") is not None
    prints, places = mapping(result.get("partialFingerprints")), result.get("locations")
    for place in map(mapping, places if isinstance(places, list) and places else [{}]):
        physical, properties = mapping(place.get("physicalLocation")), mapping(place.get("properties"))
        region = mapping(physical.get("region"))
        snippet = mapping(region.get("snippet")).get("text")
        uri = word(mapping(physical.get("artifactLocation")), "uri")
        yield _Result(
            where=where,
            rule=rule,
            speaks_of_secrets=speaks,
            snippet=snippet if isinstance(snippet, str) else "",
            captured=_captured(properties.get("validate_command")),
            path=without_login(uri).removeprefix("file://"),
            line=line(region, "startLine"),
            commit=word(prints, "commitSha") or None,
            seen_at=_time(word(prints, "date")),
            scanner_says=SAYS.get(word(properties, "validation_outcome")),
        )


def _captured(command: object) -> dict[str, str]:
    """Return what kingfisher's command to validate a finding names beside it: `--var NAME='VALUE'`."""
    try:
        words = shlex.split(command) if isinstance(command, str) else []
    except ValueError:
        return {}
    given = [value for option, value in pairwise(words) if option == "--var"]
    return {name: value for name, equals, value in (each.partition("=") for each in given) if equals}


def _told_by(report: Report, tool: str, waiting: list[_Result]) -> Iterator[Exposure]:
    """Yield what waits, in its order, and leave nothing waiting."""
    for each in waiting:
        named = _named(report, tool, each)
        if named is not None:
            source, rule, leaked = named
            yield Exposure(
                source=source,
                rule=rule,
                leaked=leaked,
                path=each.path,
                line=each.line,
                commit=each.commit,
                seen_at=each.seen_at,
                scanner_says=each.scanner_says,
            )
    waiting.clear()


def _named(report: Report, tool: str, result: _Result) -> tuple[str, str, Leaked] | None:
    name = tool.lower()
    if name in _WITH_SECRETS:
        if not result.snippet:
            raise report.bad("a finding without its secret", result.where, "give the report as the scanner wrote it")
        if result.snippet == "REDACTED" or REDACTED.fullmatch(result.snippet):
            raise report.bad("the report is redacted: it tells no credential", result.where, "scan without --redact")
        return name, result.rule, _of(name, result)
    if name in _PLACES_ALONE:
        return name, untold(result.rule), Leaked()
    if not result.speaks_of_secrets:
        return None
    rule, text = f"{name}:{result.rule}", only_one_in(result.snippet)
    return told(SOURCE, rule, text) if text else (SOURCE, untold(rule), Leaked())


def _of(name: str, result: _Result) -> Leaked:
    if name == "kingfisher":
        return leaked_by(result.snippet, result.captured)
    key_id = aws_key_id(result.snippet) or twilio_key_id(result.snippet)
    return Leaked(id=key_id) if key_id else Leaked(secret=material(result.snippet))


def _time(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else None
