"""Let a paused vendor in again: look at its gates, meet one, override one, restore it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from rotator import restoring
from rotator.alarm.vendor_notice import keep_given
from rotator.bootstrap import Rotator
from rotator.errors import BadInput
from rotator.flow.checklist import Asks
from rotator.letting_in import Standing
from rotator.operations.operation import Answer, AsksFirst, at
from rotator.operations.view import OfIncident
from rotator.operations.waiting import kept_from
from rotator.report.clocks import moment
from rotator.restored_grants import resumable
from rotator.restoring import Given, Paper


def gates(parts: Rotator, vendor: str, _called: str = "") -> Answer:
    """Return how the gates of a paused vendor stand now, and the grants that it could get back."""
    return shown(parts, restoring.standing(parts, vendor))


def shown(parts: Rotator, found: Standing) -> Answer:
    """Return gates as they were found, and the grants that their vendor could get back."""
    pause = found.pause
    told = {"vendor": pause.vendor, "incident": pause.incident, "paused_at": moment(pause.at), "paused_by": pause.by}
    rows = [_told(each) for each in map(restoring.told, found.gates)]
    names = [{"run": each.run.id, "grant": str(each.run.ref)} for each, _ in resumable(parts, pause)]
    is_open = all(each["is_open"] for each in rows)
    return {**told, "reason": pause.reason, "is_open": is_open, "gates": rows, "grants": names}


GATES = OfIncident("/vendors/{incident}/gates", gates)
"""Of a vendor, whose name stands where that of an incident would."""


@at("/vendors/{vendor}/gates/{gate}/meet")
def meet(  # noqa: PLR0917 - an answer to a gate, and all that may be given with it
    parts: Rotator,
    by: str,
    vendor: str,
    gate: str,
    reason: str,
    document: Mapping[str, Any] | None,
    from_: str,
    dated: str,
) -> Answer:
    """Give what a gate asks a person for. A document was hashed by who gives it, and stays where it is."""
    paper = None
    if document is not None:
        paper = Paper(document["name"], document["sha256"], document["size"], document.get("text", ""))
    given = Given(reason, paper, from_, _day(dated))
    met = restoring.meet(parts, by, vendor, gate, given)
    if paper is not None and met.gate.asks is Asks.SOFTWARE:
        keep_given(parts, paper.name, paper.text, by)
    return _told(restoring.told(met))


@at("/vendors/{vendor}/gates/{gate}/override")
def override(parts: Rotator, by: str, vendor: str, gate: str, reason: str, confirm: str) -> Answer:  # noqa: PLR0917
    """Open a gate against what keeps it shut. Raises AsksFirst, and with `mend` the words that it wants typed.

    The words end with what stands for all that keeps it shut: what comes to be found meanwhile is asked about anew.
    """
    found = restoring.gate_of(restoring.standing(parts, vendor), gate)
    words = f"override {gate} of {vendor} {found.seen_as}"
    if not found.is_open and confirm.strip() != words:
        against = [each.says for each in found.left]
        what = "it opens a gate against what was found, and stands in every report for good"
        raise AsksFirst("not_confirmed", what, "body.confirm", words, {"against": against})
    return _told(restoring.told(restoring.override(parts, by, vendor, gate, reason, found.seen_as)))


@at("/vendors/{vendor}/restore")
def restore(  # noqa: PLR0917 - an act
    parts: Rotator, by: str, vendor: str, reason: str, resume: list[str], resume_grants: bool, yes: bool
) -> Answer:
    """Let a vendor in whose gates are all open. Raises AsksFirst where that was not confirmed."""
    if not yes:
        found = restoring.standing(parts, vendor)
        restoring.refuse_shut(found)
        there = [str(each.run.ref) for each, _ in resumable(parts, found.pause)]
        overridden = [each.gate.name for each in found.gates if each.is_overridden]
        more = {"grants": there, "overridden": overridden, "words": f"restore {vendor}"}
        what = "it is not let in yet: from then on new credentials may be made for it"
        raise AsksFirst("not_confirmed", what, "body.yes", "say `yes` if that is meant", more)
    done = restoring.restore(parts, by, vendor, reason, resume, grants=resume_grants)
    incident = done.standing.pause.incident
    given_back = [{"run": each.run, "grant": each.name, "does": list(each.does)} for each in done.resumed]
    rows = [_told(each) for each in map(restoring.told, done.standing.gates)]
    return {"vendor": vendor, "incident": incident, "gates": rows, "resumed": given_back, **kept_from(parts, incident)}


def _told(gate: Mapping[str, Any]) -> Answer:
    return {**gate, "overrides": [{**each, "at": moment(each["at"])} for each in gate["overrides"]]}


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise BadInput(f"`{text}` is no day", "--dated", "write it as 2026-11-23") from None
