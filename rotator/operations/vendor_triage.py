"""Triage of vendors: which are touched, and what people judge of that and of them."""

from __future__ import annotations

from rotator.alarm import arriving
from rotator.alarm.vendor_notice import Given, told
from rotator.bootstrap import Rotator
from rotator.errors import BadInput
from rotator.flow.vendor_terms import LEVELLED, Judged, Name, level_of, value_of
from rotator.operations.operation import Answer, at
from rotator.shown.vendor_triage import answer, found

_LONGEST_NOTICE = 128


@at("/vendors/triage")
def triage(  # noqa: PLR0917 - a notice, in all its forms
    parts: Rotator, by: str, advisories: list[str], records: dict[str, str], breached: list[str], notice: str
) -> Answer:
    """Say which vendors a notice touches, and how badly. An advisory's id is looked up, and its record kept."""
    meant, events = told(parts, Given(advisories, records, breached, notice), by)
    return answer(parts, meant, found(parts, meant, events))


@at("/advisories/{advisory}/escalate")
def escalate(parts: Rotator, by: str, advisory: str, reason: str) -> Answer:
    """Take an ordinary vulnerability for a compromise: vendors are triaged for it, and people told whom it touches."""
    found = arriving.escalate(parts, advisory, by, reason)
    touched = [{"vendor": each.vendor, "priority": each.priority, "advice": each.advice} for each in found.touched]
    names = sorted(found.names)
    told_of = {"advisory": found.name, "names": names, "what": found.what, "record": str(found.sign)}
    return {**told_of, "touched": touched, "unknown": found.unknown}


@at("/vendors/{vendor}/terms/{term}")
def assess(  # noqa: PLR0917 - an act
    parts: Rotator, by: str, vendor: str, term: str, value: str | None, notice: str, reason: str
) -> Answer:
    """Set a term of a vendor's triage, for one notice or for every one; without a value take it back."""
    name = next((each for each in Name if each == term), None)
    if name is None:
        raise BadInput("no term that people set is called so", term, f"one of {', '.join(Name)}")
    if len(notice) > _LONGEST_NOTICE:
        raise BadInput("this is no notice's id", "--notice", "`rotator vendor triage` shows it")
    given = None if value is None else value_of(name, value)
    judged = Judged(name, given or 0.0, by, 0.0, reason, notice)
    before = parts.assessments.clear(vendor, judged) if given is None else parts.assessments.set(vendor, judged)
    level = level_of(given) if name in LEVELLED else None
    return {
        "vendor": vendor,
        "term": name.value,
        "notice": notice,
        "value": given,
        "level": level.value if level else "",
        "before": before.value if before else None,
    }
