"""Read the JSON reports of ggshield 1.5x: `secret scan ... --json --show-secrets`, a scan with scans in it for commits.

An incident is one secret with all its places in one file; each place is its parts in turn (`client_id`,
`client_secret`), so what parts say of one another is not lost.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

from rotator.credential import Leaked
from rotator.flow.exposure import LIST, Exposure
from rotator.intake.fields import aws_key_id, aws_session, line, mapping, material, word
from rotator.intake.json_pieces import END, Within, opened
from rotator.intake.report import Head, Report
from rotator.intake.shapes import AWS_KEY, AWS_SESSION, told, untold

SOURCE = "ggshield"
DESCRIPTION = "ggshield (JSON, with --show-secrets)"

_FOUND, _SCANS = "entities_with_incidents", "scans"
# A commit range holds commits, a CI job or a pushed set may hold ranges.
_WITHIN: Within = {_FOUND: {}, _SCANS: {_FOUND: {}, _SCANS: {_FOUND: {}}}}
_SAYS = {"valid": "active", "invalid": "inactive"}
_NAMES = ("client_id", "username", "user", "login", "email", "account")
_WITHOUT_MEANING = frozenset(
    {"host", "port", "database", "scheme", "region", "domain", "subdomain", "tenant_id", "url"}
)
_SHOWN_AT_MOST = 60


def claims(head: Head) -> bool:
    """Tell whether this is such a report."""
    return bool(head.keys & {_FOUND, "secrets_engine_version"}) or {"id", "type", _SCANS} <= head.keys


def exposures(report: Report) -> Iterator[Exposure]:
    """Yield one exposure for each place of each incident. Raises BadInput where it is damaged, or hides them."""
    number = 0
    scan: dict[tuple[str, ...], dict[str, object]] = {}
    for way, value in opened(report, _WITHIN):
        within = way[:-1]
        if value is END:
            scan.pop(way, None)
        elif way and way[-1] == _FOUND:
            number += 1
            yield from _entity(report, f"file {number}", value, _commit(scan.get(within, {})))
        elif way and way[-1] == _SCANS and value not in ([], None):
            raise report.bad("scans stand within scans within scans", mend="give the report as ggshield wrote it")
        elif way and isinstance(value, str):
            scan.setdefault(within, {})[way[-1]] = value


def _commit(scan: Mapping[str, object]) -> str | None:
    return word(scan, "id") or None if scan.get("type") == "commit" else None


def _entity(report: Report, where: str, value: object, commit: str | None) -> Iterator[Exposure]:
    entity = mapping(value)
    incidents = entity.get("incidents")
    if not isinstance(incidents, list):
        raise report.bad("this is not a ggshield finding", where, "give the report as the scanner wrote it")
    for incident in map(mapping, incidents):
        rule, matches = word(incident, "type"), incident.get("occurrences")
        if not rule or not isinstance(matches, list):
            raise report.bad("this is not a ggshield incident", where, "give the report as the scanner wrote it")
        for place in _places([mapping(each) for each in matches]):
            parts = {word(each, "type"): text for each in place if isinstance(text := each.get("match"), str)}
            if any(map(_is_hidden, parts.values())):
                raise report.bad("the secrets are hidden: it tells no credential", where, "scan with --show-secrets")
            for source, name, leaked in _leaked(rule, parts):
                yield Exposure(
                    source=source,
                    rule=name,
                    leaked=leaked,
                    path=word(entity, "filename"),
                    line=next((found for each in place if (found := line(each, "line_start"))), None),
                    commit=commit,
                    scanner_says=_SAYS.get(word(incident, "validity")),
                )


def _places(matches: Sequence[Mapping[str, object]]) -> list[list[Mapping[str, object]]]:
    """Tell one place from the next, which begins where a part comes again."""
    places: list[list[Mapping[str, object]]] = []
    names: set[str] = set()
    for each in matches:
        name = word(each, "type")
        if not places or name in names:
            places.append([])
            names = set()
        names.add(name)
        places[-1].append(each)
    return places


def _leaked(rule: str, parts: Mapping[str, str]) -> Iterator[tuple[str, str, Leaked]]:
    """Yield (source, rule, leaked) for each secret of one place: one, unless several go with one name."""
    key_id = next((each for each in parts.values() if aws_key_id(each)), None)
    name = next((parts[each] for each in _NAMES if parts.get(each)), None)
    secrets = {key: text for key, text in parts.items() if key not in _NAMES and key not in _WITHOUT_MEANING and text}
    if key_id is not None:
        token = secrets.pop("session_token", "")
        secret = next((text for text in secrets.values() if text != key_id), "")
        whole = aws_session(key_id, secret, token) or material(secret)
        yield LIST, AWS_SESSION if key_id.startswith("ASIA") else AWS_KEY, Leaked(id=key_id, secret=whole)
        return
    if uri := parts.get("connection_uri"):
        yield told(SOURCE, rule, uri)
        return
    if not secrets and parts.get("url"):
        secrets, name = {"url": parts["url"]}, None
    if not secrets:
        yield SOURCE, untold(rule), Leaked(id=name)
    for text in secrets.values():
        source, called, leaked = told(SOURCE, rule, text, owner=name)
        # A user's name is whose it is; a client's id is its own.
        if source == SOURCE and "client_id" in parts:
            leaked = Leaked(id=name, secret=leaked.secret)
        yield source, called, leaked


def _is_hidden(text: str) -> bool:
    """Tell whether ggshield masked it: all but a sixth at either end, where `+`, `-` and space stay as they were."""
    shown = min(math.ceil(len(text) / 6), _SHOWN_AT_MOST)
    masked = text[shown : len(text) - shown]
    return "*" in masked and not masked.translate(dict.fromkeys(map(ord, "*+-"))).strip()
