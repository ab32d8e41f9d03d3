"""What a report says of approval: who said yes to what, what is still wanted, and what is to be reviewed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rich.console import RenderableType

from rotator.ledger.approved import Given, Standing
from rotator.ledger.records import IncidentRecord
from rotator.ledger.waits import few
from rotator.report.clocks import moment
from rotator.report.tables import Sentence


def approvals(every: Iterable[IncidentRecord], called: str) -> dict[str, Any]:
    """Return how each revision of incidents that became one stands with those who approve, and what is to be reviewed.

    What nobody had approved of one that was merged is a revision of the other since.
    """
    found = [
        (record, each)
        for record in every
        for each in record.approvals
        if not record.merged_into or each.revision.approved_at is not None
    ]
    given = dict.fromkeys((record.incident.id, one) for record, each in found for one in each.given)
    return {
        "approvals": [_revision(each, record, called) for record, each in found],
        "reviews": [
            {"incident": of, "command": f"{called} review {of} --note …", **_said(one)}
            for of, one in given
            if one.to_review
        ],
    }


def _revision(each: Standing, record: IncidentRecord, called: str) -> dict[str, Any]:
    revision, of = each.revision, record.incident.id
    # An older digest is refused while nobody approved it: the newest covers it.
    digest = revision.digest if revision.approved_at is not None else record.plan_digest
    approve = f"{called} approve {of} --digest {digest}"
    # Where all of it is for people, nothing would begin by a yes: none is asked for.
    waits = revision.approved_at is not None or any(run.run.requested_at is None for run in record.runs)
    return {
        "incident": of,
        "revision": revision.number,
        "plan": revision.digest,
        "made_by": revision.by,
        "approved_at": moment(revision.approved_at),
        "approved_by": revision.approved_by or "",
        "by_who_made_it": revision.approved_by == revision.by,
        "destroys": each.facts.destroys,
        "said": [_said(one) for one in each.given],
        "wanted": [
            {
                "scope": one.scope.value,
                "more": one.more,
                "of": list(one.of or ()),
                "not_of": dict(one.not_of),
                "words": str(one),
                "digest": digest,
                "command": approve + one.option,
            }
            for one in each.wanted
            if waits
        ],
        "only_for_good": list(each.only_for_good),
    }


def _said(given: Given) -> dict[str, Any]:
    said = given.said
    return {
        "plan": given.digest,
        "scope": said.scope.value,
        "by": said.by,
        "role": given.role,
        "at": moment(given.at),
        "break_glass": said.glass,
        "standing_order": said.order,
        "reviewed_at": moment(given.reviewed_at),
        "reviewed_by": given.reviewed_by or "",
        "note": given.note or "",
    }


def to_be_reviewed(incident: dict[str, Any]) -> list[RenderableType]:
    """Say first of all what went through without the approval that it needs."""
    lines: dict[tuple[str, str], None] = {}
    for each in incident["reviews"]:
        how = (
            f"{each['by']} broke the glass: {each['break_glass']}" if each["break_glass"] else f"{each['by']} began it"
        )
        lines[f"TO BE REVIEWED: {how} (plan {each['plan']}, {each['at']}). Then: ", each["command"]] = None
    return [Sentence(line, command, style="bold yellow") for line, command in lines]


def approved_by(incident: dict[str, Any]) -> list[RenderableType]:
    """Say of each revision who said yes to what, and what it still wants."""
    lines: list[RenderableType] = []
    many = len(incident["approvals"]) > 1
    for each in incident["approvals"]:
        of = "" if each["incident"] == incident["id"] else f"{each['incident']} "
        name = f"{of}revision {each['revision']} ({each['plan']})" if many else "plan"
        if each["approved_at"]:
            by = "who declared it" if each["by_who_made_it"] else each["approved_by"]
            named = f" ({each['approved_by']})" if each["by_who_made_it"] else ""
            lines.append(Sentence(f"{name}: approved by {by}{named}, {each['approved_at']}"))
        lines += [Sentence(f"  {_told(one)}") for one in each["said"]]
        for one in each["wanted"]:
            command = (": ", one["command"]) if one["of"] else ("", "")
            lines.append(Sentence(f"{name}: {one['words']}{command[0]}", command[1], style="magenta"))
        if each["only_for_good"]:
            count = len(each["only_for_good"])
            which = f"{count:,} of it can only be revoked, and LIVE until its destruction is approved"
            lines.append(Sentence(f"{name}: {which}: {few(each['only_for_good'])}", style="bold red"))
    return lines


def _told(one: dict[str, Any]) -> str:
    how = f", break-glass: {one['break_glass']}" if one["break_glass"] else ""
    role = f" ({one['role']})" if one["role"] else ""
    looked = f"; reviewed by {one['reviewed_by']}: {one['note']}" if one["reviewed_at"] else ""
    return f"{one['scope']}: {one['by']}{role}, {one['at']}{how}{looked}"
