"""Read the JSON and JSONL reports of the scanner kingfisher, as version 2.14 prints them.

JSON is one envelope, `{"findings": [...], "audit": {...}, "metadata": {...}}`, and on standard output a summary object
after it. JSONL is one finding to a line, then the audit record, which closes every report, then the summary.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from rotator.credential import Leaked
from rotator.flow.exposure import Exposure
from rotator.intake.fields import aws_key_id, aws_session, line, mapping, material, twilio_key_id, without_login, word
from rotator.intake.json_pieces import members, records
from rotator.intake.report import Head, Report

SOURCE = "kingfisher"
DESCRIPTION = "kingfisher (JSON, JSONL)"

REDACTED = re.compile(r"\[REDACTED:[0-9a-f]+\]")
_CLIENT_ID = re.compile(r"[A-Z0-9_]+_CLIENT_ID(?:_\d+)?")
SAYS = {
    "verified_active": "active",
    "verified_inactive": "inactive",
    # Releases before `outcome` said it in the status alone.
    "Active Credential": "active",
    "Inactive Credential": "inactive",
}


def claims(head: Head) -> bool:
    """Tell whether this is such a report."""
    return bool(head.keys & {"findings", "audit"}) or {"rule", "finding"} <= head.keys


def exposures(report: Report) -> Iterator[Exposure]:
    """Yield one exposure for each finding. Raises BadInput where the report is damaged, redacted or cut off."""
    if "findings" in report.head.keys:
        yield from _enveloped(report)
    else:
        yield from _listed(report)


def _enveloped(report: Report) -> Iterator[Exposure]:
    whole = False
    for key, ordinal, value in members(report, unfold="findings"):
        if key == "findings" and ordinal:
            yield _exposure(report, f"finding {ordinal}", value)
        whole = whole or (key == "findings" and value == [])
    if not whole:
        raise report.bad("this is not a kingfisher report", mend="give the report as the scanner wrote it")


def _listed(report: Report) -> Iterator[Exposure]:
    closed = False
    for where, value in records(report):
        if "audit" in mapping(value) or "kingfisher" in mapping(value):
            closed = True
        else:
            closed = False
            yield _exposure(report, where, value)
    if not closed and report.head.opens == "{":
        raise report.bad(
            "the audit record that closes a kingfisher JSONL report is missing: it is cut off",
            mend="run the scanner again, or with --format json",
        )


def _exposure(report: Report, where: str, value: object) -> Exposure:
    rule = word(mapping(mapping(value).get("rule")), "id")
    finding = mapping(mapping(value).get("finding"))
    snippet = finding.get("snippet")
    if not rule or not isinstance(snippet, str):
        raise report.bad("this is not a kingfisher finding", where, "give the report as the scanner wrote it")
    if REDACTED.fullmatch(snippet):
        raise report.bad("the report is redacted: it tells no credential", where, "scan again without --redact")
    git = mapping(finding.get("git_metadata"))
    repository = without_login(word(git, "repository_url"))
    path = word(finding, "path")
    validation = mapping(finding.get("validation"))
    outcome = word(validation, "outcome") or word(validation, "status")
    return Exposure(
        source=SOURCE,
        rule=rule,
        leaked=leaked_by(snippet, mapping(finding.get("dependent_captures"))),
        path=f"{repository.rstrip('/')}/{path}" if repository else path,
        line=line(finding, "line"),
        commit=word(mapping(git.get("commit")), "id") or None,
        scanner_says=SAYS.get(outcome),
    )


def leaked_by(snippet: str, others: Mapping[str, object]) -> Leaked:
    """Tell id from material.

    An AWS finding is the id, with the secret among the other captures; where two secrets stand near one id, it counts
    them (`ambiguous_dependencies`) and gives none. A session token's finding has both among the other captures, and is
    material together with them; older releases gave the secret as the finding. A Twilio finding is the id alone. For
    every other kind the snippet is the material, and a client's id may be among the other captures.
    """
    captured = [each for each in others.values() if isinstance(each, str)]
    key_id = next((each for each in (snippet, *captured) if aws_key_id(each)), None)
    if key_id is None:
        if twilio_key_id(snippet):
            return Leaked(id=snippet)
        name = next((each for key, each in others.items() if _CLIENT_ID.fullmatch(key) and isinstance(each, str)), None)
        return Leaked(id=name, secret=material(snippet))
    secret = others.get("AWS_SECRET_ACCESS_KEY")
    if not isinstance(secret, str):
        return Leaked(id=key_id, secret=material("" if snippet == key_id else snippet))
    token = "" if snippet in (key_id, secret) else snippet
    return Leaked(id=key_id, secret=aws_session(key_id, secret, token) or material(secret))
