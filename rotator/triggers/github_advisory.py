"""What GitHub's webhooks tell of an advisory, as an OSV record: `security_advisory`, `repository_advisory`, Dependabot.

A range there is one condition or two with a comma between: `= 1.2.3`, `< 2.0.2`, `>= 2.0.0, < 2.0.2`. Source: GitHub
Docs, "Webhook events and payloads" and "REST API endpoints for global security advisories"; the payloads that octokit
publishes as examples. What it tells of stands in `cwes`; of malware a `type` may say so (`packages/nature.py`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from rotator.intake.fields import mapping, word
from rotator.packages.affected import UNREAD
from rotator.packages.names import ecosystem
from rotator.triggers.advisory_alarm import alarm
from rotator.triggers.message import Ignored, Told, text

ACTIONS: Mapping[str, frozenset[str]] = {
    "security_advisory": frozenset({"published", "updated", "withdrawn"}),
    "repository_advisory": frozenset({"published"}),
    "dependabot_alert": frozenset({"created", "reopened", "reintroduced", "auto_reopened"}),
}
"""The events that tell of an advisory, and the actions of each that make one of it: the others settle one."""
_ECOSYSTEMS = {"pip": "PyPI", "rubygems": "RubyGems", "rust": "crates.io", "erlang": "Hex", "actions": "GitHub Actions"}
"""What GitHub calls otherwise than OSV; `ecosystem` knows the others, in any case."""
_CONDITION = re.compile(r"(>=|<=|<|=)\s*([^\s,<>=]{1,200})")
_MOST = 1000


def read(event: str, told: Mapping[str, object], delivery: str | None) -> Told:
    """Return the advisory as an alarm. Raises Refused where it names none."""
    if text(told, "action") not in ACTIONS[event]:
        return Ignored("the advisory is settled, or is a draft")
    alert = mapping(told.get("alert"))
    said = mapping(told.get("repository_advisory" if event == "repository_advisory" else "security_advisory"))
    said = said or mapping(alert.get("security_advisory"))
    name = text(said, "ghsa_id")
    listed = said.get("vulnerabilities")
    affected = [_affected(mapping(each)) for each in listed[:_MOST]] if isinstance(listed, list) else []
    record = {
        "id": name,
        "aliases": sorted(_names(said) - {name}),
        "summary": said.get("summary"),
        "published": said.get("published_at"),
        "modified": said.get("updated_at"),
        "withdrawn": said.get("withdrawn_at"),
        "affected": [each for each in affected if each],
        "database_specific": {"cwe_ids": _weaknesses(said), "type": _type(said)},
    }
    where = text(mapping(told.get("repository")), "full_name") if alert else ""
    told_of = f" by GitHub, for a dependency of {where}" if where else " by GitHub"
    return alarm(record, delivery, told_of)


def _names(said: Mapping[str, object]) -> set[str]:
    listed = said.get("identifiers")
    named = [text(mapping(each), "value") for each in listed[:_MOST]] if isinstance(listed, list) else []
    return {each for each in (*named, text(said, "cve_id")) if each}


def _weaknesses(said: Mapping[str, object]) -> list[str]:
    listed = said.get("cwes")
    return [text(mapping(each), "cwe_id") for each in listed[:_MOST]] if isinstance(listed, list) else []


def _type(said: Mapping[str, object]) -> str:
    """Return the type of the advisory, where it is told: the REST interface calls it so, alerts a classification."""
    return text(said, "type") or text(said, "classification")


def _affected(said: Mapping[str, object]) -> dict[str, object] | None:
    of = mapping(said.get("package"))
    where, name = word(of, "ecosystem").strip(), word(of, "name").strip()
    if not where or not name:
        return None
    package = {"ecosystem": _ECOSYSTEMS.get(where.lower()) or ecosystem(where), "name": name}
    return {"package": package, **ranged(word(said, "vulnerable_version_range"))}


def ranged(told: str) -> dict[str, object]:
    """Return a range as OSV writes it; one that OSV cannot say, or nobody here can read, leaves all versions open."""
    found = [_CONDITION.fullmatch(each.strip()) for each in told.split(",")]
    by_sign = {each[1]: each[2] for each in found if each is not None}
    if set(by_sign) == {"="} and len(found) == 1:
        return {"versions": [by_sign["="]]}
    if None in found or len(by_sign) != len(found) or "=" in by_sign or {"<", "<="} <= set(by_sign):
        return {"ranges": [{"type": UNREAD, "events": [{"introduced": "0"}]}]}
    upper = {"fixed": by_sign["<"]} if "<" in by_sign else {"last_affected": by_sign["<="]} if "<=" in by_sign else {}
    events = [{"introduced": by_sign.get(">=", "0")}, *([upper] if upper else [])]
    return {"ranges": [{"type": "ECOSYSTEM", "events": events}]}
