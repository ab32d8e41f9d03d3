"""An advisory that arrives by itself: kept, every vendor triaged for it, and people told whom it touches.

No vendor is paused for it: that is a person's to decide, and no standing order speaks of vendors. An ordinary
vulnerability, by its record's own fields, touches none before a person says that it is to be taken for a compromise.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Sequence
from dataclasses import replace

from rotator import clock
from rotator.alarm import vendor_notice
from rotator.alarm.kept_advisories import kept
from rotator.alarm.looking_up import is_id, looked_up
from rotator.bootstrap import Rotator
from rotator.errors import BadInput
from rotator.ledger.acts import said_for_good
from rotator.ledger.advisories import Arrived, Touched
from rotator.packages import advisory
from rotator.packages.advisory import Advisory, merged
from rotator.packages.nature import Nature
from rotator.shown.vendor_triage import Spoken, spoken_of

ESCALATE = "rotator vendor escalate"
_SHOWN, _LONGEST_SENDER = 3, 100
_OF_NOBODY = Spoken([], 0)


def take(parts: Rotator, records: Iterable[str], sender: str, at: float, *, fetched: bool = False) -> list[Arrived]:
    """Keep these OSV records, of each event the vendors that it touches; return them as they stand since.

    One that is older than what is kept of its id tells nothing, unless it was fetched from the server that is asked.
    `at` is when they came, in epoch seconds. Raises BadInput for what is no record.
    """
    there = kept(parts)
    found: list[Advisory] = []
    names = set[str]()
    for record in records:
        told = advisory.read("advisory", io.BytesIO(record.encode()))
        for each in told:
            if not is_id(each.id):  # by it a record is asked for
                raise BadInput("this is no advisory's id", each.id)
            names |= each.names
            if fetched:
                there.keep(each.id, json.loads(record))
            if fetched or there.keep_newer(each.id, json.loads(record), sender):
                found.append(each)
    return _settled(parts, frozenset(names), found, sender, at)


def again(parts: Rotator, names: Iterable[str]) -> list[Arrived]:
    """Triage vendors anew, by what is known of them now, for advisories that arrived and are kept."""
    return _settled(parts, frozenset(names), [], "", clock.now())


def escalate(parts: Rotator, name: str, by: str, reason: str) -> Arrived:
    """Take an ordinary vulnerability for a compromise, by a person's word: vendors are triaged for it, and people told.

    One that did not arrive is looked up. Raises BadInput without a reason, for what cannot be had, and for one that is
    taken for a compromise already, or was withdrawn.
    """
    said_for_good(by, reason)
    if not is_id(name):
        raise BadInput("this is no advisory's id", name, "GHSA-…, PYSEC-…, MAL-…, as it arrived")
    found = next((each for each in merged(kept(parts).every()) if name in each.names), None)
    event = looked_up(parts.settings.advisories.url, name, kept(parts)).advisory if found is None else found
    before = parts.advisories.first(event.names)
    if event.withdrawn is not None:
        raise BadInput("it was withdrawn: it tells of nothing", name, "name what stands in its place")
    if event.sign.nature is not Nature.ORDINARY or (before is not None and before.escalated_by):
        known = before.what if before is not None and before.escalated_by else str(event.sign)
        raise BadInput(
            f"it is taken for one already: {known}", name, f"rotator vendor triage {name} says whom it touches"
        )
    [settled] = _settled(parts, event.names, [event], by[:_LONGEST_SENDER], clock.now(), (by, reason.strip()))
    return settled


def _settled(  # noqa: PLR0917 - what arrived, and how
    parts: Rotator,
    names: frozenset[str],
    new: Sequence[Advisory],
    sender: str,
    at: float,
    word: tuple[str, str] | None = None,
) -> list[Arrived]:
    # What came before under another name may call more versions bad.
    events = [each for each in merged([*new, *kept(parts).every()]) if each.names & names] if names else []
    said = parts.advisories.escalated()
    words = {each.id: word or next((said[name] for name in each.names if name in said), None) for each in events}
    grave = [each for each in events if each.sign.nature is not Nature.ORDINARY or words[each.id] is not None]
    notices = {each.id: vendor_notice.of_advisory(each) for each in events}
    parts.look_again()
    spoken = spoken_of(parts, [(notices[each.id], [each]) for each in grave]) if grave else []
    of_each = {each.id: of_it for each, of_it in zip(grave, spoken, strict=True)}
    found = (
        _arrived(each, notices[each.id].title, of_each.get(each.id, _OF_NOBODY), sender, at, words[each.id])
        for each in events
    )
    return [parts.advisories.settle(each) for each in found]


def said(found: Sequence[Arrived]) -> str:
    """Return in one line whom they touch, and that nothing was done about it."""
    return "; ".join(_line(each) for each in found)


def _line(each: Arrived) -> str:
    if each.sign.nature is Nature.WITHDRAWN:
        return f"{each.name} ({each.what}) touches nobody"
    if each.is_ordinary:
        return f"{each.name} ({each.what}) touches nobody before a person says so: {ESCALATE} {each.name} --reason …"
    if not each.touched:
        none = f"{each.name} ({each.what}) touches no vendor by what is known of them"
        return f"{none}; of {each.unknown:,} it is not known" if each.unknown else none
    named = [f"{one.vendor} {one.priority:g} {one.advice}" for one in each.touched[:_SHOWN]]
    more = f" and {len(each.touched) - _SHOWN:,} more" if len(each.touched) > _SHOWN else ""
    return f"{each.name} ({each.what}) touches {', '.join(named)}{more}; a person decides: {each.command}"


def _arrived(  # noqa: PLR0917 - what arrived, and what came of it
    event: Advisory, title: str, of_it: Spoken, sender: str, at: float, word: tuple[str, str] | None
) -> Arrived:
    touched = (
        Touched(each.vendor.name, each.priority, each.advice.value, each.grounds[0].why) for each in of_it.triaged
    )
    if event.withdrawn is not None:
        title = f"{event.id} was withdrawn"
    published = event.published.timestamp() if event.published is not None else None
    found = Arrived(event.id, event.names, title, sender, at, published, tuple(touched), of_it.unknown, event.sign)
    return found if word is None else replace(found, escalated_by=word[0], escalated_why=word[1])
