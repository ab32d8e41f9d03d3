"""An advisory that arrives by itself: kept, every vendor triaged for it, and people told whom it touches.

No vendor is paused for it: that is a person's to decide, and no standing order speaks of vendors.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Sequence

from rotator import clock
from rotator.alarm import vendor_notice
from rotator.alarm.kept_advisories import KeptAdvisories
from rotator.alarm.looking_up import is_id
from rotator.bootstrap import Rotator
from rotator.errors import BadInput
from rotator.ledger.advisories import Arrived, Touched
from rotator.packages import advisory
from rotator.packages.advisory import Advisory, merged
from rotator.shown.vendor_triage import Spoken, spoken_of

_SHOWN = 3


def take(parts: Rotator, records: Iterable[str], sender: str, at: float, *, fetched: bool = False) -> list[Arrived]:
    """Keep these OSV records, of each event the vendors that it touches; return them as they stand since.

    One that is older than what is kept of its id tells nothing, unless it was fetched from the server that is asked.
    `at` is when they came, in epoch seconds. Raises BadInput for what is no record.
    """
    kept = KeptAdvisories(parts.settings.data_dir / "advisories")
    found: list[Advisory] = []
    names = set[str]()
    for record in records:
        told = advisory.read("advisory", io.BytesIO(record.encode()))
        for each in told:
            if not is_id(each.id):  # it names a file
                raise BadInput("this is no advisory's id", each.id)
            names |= each.names
            if fetched:
                kept.keep(each.id, json.loads(record))
            if fetched or kept.keep_newer(each.id, json.loads(record)):
                found.append(each)
    return _settled(parts, kept, frozenset(names), found, sender, at)


def again(parts: Rotator, names: Iterable[str]) -> list[Arrived]:
    """Triage vendors anew, by what is known of them now, for advisories that arrived and are kept here."""
    kept = KeptAdvisories(parts.settings.data_dir / "advisories")
    return _settled(parts, kept, frozenset(names), [], "", clock.now())


def _settled(  # noqa: PLR0917 - what arrived, and how
    parts: Rotator, kept: KeptAdvisories, names: frozenset[str], new: Sequence[Advisory], sender: str, at: float
) -> list[Arrived]:
    # What came before under another name may call more versions bad.
    events = [each for each in merged([*new, *kept.every()]) if each.names & names] if names else []
    notices = [vendor_notice.of_advisory(each) for each in events]
    parts.look_again()
    spoken = spoken_of(parts, [(notice, [event]) for notice, event in zip(notices, events, strict=True)])
    return [
        parts.advisories.settle(_arrived(event, notice.title, of_it, sender, at))
        for event, notice, of_it in zip(events, notices, spoken, strict=True)
    ]


def said(found: Sequence[Arrived]) -> str:
    """Return in one line whom they touch, and that nothing was done about it."""
    return "; ".join(_line(each) for each in found)


def _line(each: Arrived) -> str:
    if not each.touched:
        none = f"{each.name} touches no vendor by what is known of them"
        return f"{none}; of {each.unknown:,} it is not known" if each.unknown else none
    named = [f"{one.vendor} {one.priority:g} {one.advice}" for one in each.touched[:_SHOWN]]
    more = f" and {len(each.touched) - _SHOWN:,} more" if len(each.touched) > _SHOWN else ""
    return f"{each.name} touches {', '.join(named)}{more}; a person decides: {each.command}"


def _arrived(event: Advisory, title: str, of_it: Spoken, sender: str, at: float) -> Arrived:
    touched = (
        Touched(each.vendor.name, each.priority, each.advice.value, each.grounds[0].why) for each in of_it.triaged
    )
    if event.withdrawn is not None:
        title = f"{event.id} was withdrawn"
    published = event.published.timestamp() if event.published is not None else None
    return Arrived(event.id, event.names, title, sender, at, published, tuple(touched), of_it.unknown)
