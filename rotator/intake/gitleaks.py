"""Read the JSON reports of gitleaks v8: an array of findings, `report/finding.go` of its source."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from rotator.credential import Leaked
from rotator.flow.exposure import Exposure
from rotator.intake.fields import aws_key_id, line, mapping, material, twilio_key_id, word
from rotator.intake.json_pieces import records
from rotator.intake.report import Head, Report

SOURCE = "gitleaks"
DESCRIPTION = "gitleaks v8 (JSON)"


def claims(head: Head) -> bool:
    """Tell whether this is such a report; an empty array is one that found nothing."""
    return "RuleID" in head.keys or (head.opens, head.then) == ("[", "]")


def exposures(report: Report) -> Iterator[Exposure]:
    """Yield one exposure for each finding. Raises BadInput where the report is damaged or redacted."""
    for where, value in records(report):
        finding = mapping(value)
        rule, secret = word(finding, "RuleID"), finding.get("Secret")
        if not rule or not isinstance(secret, str):
            raise report.bad("this is not a gitleaks finding", where, "give the report as the scanner wrote it")
        if secret == "REDACTED":  # noqa: S105 - the word gitleaks puts in its place
            raise report.bad("the report is redacted: it tells no credential", where, "scan again without --redact")
        # Its AWS and Twilio rules find the id alone; the secret is another rule's finding, and nothing links them.
        key_id = aws_key_id(secret) or twilio_key_id(secret)
        yield Exposure(
            source=SOURCE,
            rule=rule,
            leaked=Leaked(id=key_id) if key_id else Leaked(secret=material(secret)),
            path=word(finding, "File"),
            line=line(finding, "StartLine"),
            commit=word(finding, "Commit") or None,
            seen_at=_time(word(finding, "Date")),
        )


def _time(text: str) -> datetime | None:
    """Return the commit's time."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else None
