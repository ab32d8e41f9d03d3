"""What vendors are triaged for: advisories, looked up or given as records, or the news that somebody was breached."""

from __future__ import annotations

import hashlib
import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from difflib import get_close_matches

from rotator.alarm.kept_advisories import kept
from rotator.alarm.looking_up import LookedUp, is_id, looked_up
from rotator.bootstrap import Rotator
from rotator.errors import BadInput
from rotator.flow.vendor import Vendor, compared, words_of
from rotator.flow.vendor_notice import Notice
from rotator.intake.shapes import holds_material
from rotator.packages import advisory
from rotator.packages.advisory import Advisory, merged
from rotator.packages.nature import Nature
from rotator.packages.sighting import clean
from rotator.packages.vendor_software import match

BREACHED = "breached:"
"""What the id of a notice begins with that is the news of a breach: the name of who was comes behind."""
SOMEBODY = "a person"
"""Who gave a record, where nobody says who it was."""
_LONGEST_ID, _LONGEST_TITLE, _LONGEST_TEXT, _SHOWN = 128, 160, 1 << 20, 3
_MOST_KEPT = 50


@dataclass(frozen=True, slots=True)
class Given:
    """What a person gave: ids of advisories, records by their files' names, who was breached, the text of a notice."""

    advisories: Sequence[str] = ()
    records: Mapping[str, str] = field(default_factory=dict)
    breached: Sequence[str] = ()
    text: str = ""

    @property
    def is_empty(self) -> bool:
        """Tell whether nothing was given."""
        return not (self.advisories or self.records or self.breached or self.text.strip())


def told(parts: Rotator, given: Given, by: str = SOMEBODY) -> tuple[Notice, tuple[Advisory, ...]]:
    """Return the notice that was given, and the advisories in it; an id is looked up, and nothing else asked.

    Raises BadInput where it comes to nothing: no advisory can be had, or nobody registered stands behind a name.
    """
    if len(given.text) > _LONGEST_TEXT:
        raise BadInput("the notice is longer than a megabyte", "--notice", "give the part that says who was breached")
    if holds_material(given.text):
        mend = "take it out: what a notice says is shown to many"
        raise BadInput("a secret seems to stand in it", "--notice", mend)
    vendors = parts.vendors.every(software=False)
    found = list(_advisories(parts, given, by))
    events = merged(each.advisory for each in found)
    breached, notes = _breached(vendors, given)
    if not (events or breached):
        raise BadInput("nothing was given", "ADVISORY", "name an advisory, or who was breached: --breached NAME")
    notes += [each.note for each in found if each.note]
    notes += [f"{each.id} was withdrawn and is not looked for" for each in events if each.withdrawn is not None]
    return _notice(events, breached, given, [*notes, *_natures(parts, events)]), events


def _natures(parts: Rotator, events: Sequence[Advisory]) -> Iterator[str]:
    """Say of each event what its record tells of, where that is no compromise by its own word."""
    escalated = parts.advisories.escalated()
    for each in events:
        if each.withdrawn is not None or each.sign.nature is Nature.COMPROMISE:
            continue
        word = next((escalated[name] for name in each.names if name in escalated), None)
        if each.sign.nature is Nature.UNKNOWN:
            yield f"{each.id} is {each.sign}"
        elif word is not None:
            yield f"{each.id} is {each.sign}; taken for a compromise by {word[0]}: {word[1]}"
        else:
            act = f"rotator vendor escalate {each.id} --reason …"
            yield f"{each.id} is {each.sign}: nobody is told whom it touches before somebody says so: {act}"


def of_advisory(event: Advisory) -> Notice:
    """Return the notice of one advisory."""
    return _notice([event], [], Given(), [])


def _notice(events: Sequence[Advisory], breached: Sequence[str], given: Given, notes: Sequence[str]) -> Notice:
    standing = [each for each in events if each.withdrawn is None]
    packages = tuple(dict.fromkeys(clean(str(one)) for each in standing for one in each.affected))
    published: list[datetime] = [each.published for each in standing if each.published is not None]
    names = frozenset(one for each in events for one in each.names)
    titles = (
        [f"Bad packages by {', '.join([each.id for each in events])}: {', '.join(_few(packages)) or 'none'}"]
        if events
        else []
    )
    titles += [f"Breached: {', '.join(breached)}"] if breached else []
    if (first := next((line.strip() for line in given.text.splitlines() if line.strip()), "")) and not events:
        titles.append(clean(first)[:_LONGEST_TITLE])
    name = events[0].id if events else f"{BREACHED}{breached[0]}" if given.breached else _numbered(given.text)
    # What is newest of several is what a list has to be newer than.
    at = max(published).timestamp() if len(published) == len(standing) and published else None
    known = {one[:_LONGEST_ID] for one in (name, *names)}
    told, summary = (tuple(breached), tuple(notes)), clean(next((each.summary for each in events if each.summary), ""))
    return Notice(name[:_LONGEST_ID], "; ".join(titles), frozenset(known), at, packages, *told, summary)


def _few(words: Sequence[str]) -> list[str]:
    more = [f"and {len(words) - _SHOWN:,} more"] if len(words) > _SHOWN else []
    return [*words[:_SHOWN], *more]


def _numbered(text: str) -> str:
    return f"notice:{hashlib.sha256(text.encode()).hexdigest()[:12]}"


def _advisories(parts: Rotator, given: Given, by: str) -> Iterator[LookedUp]:
    for name in given.advisories:
        if not is_id(name):
            raise BadInput("this is no advisory's id", name, "GHSA-…, PYSEC-…, MAL-…; or give its record as a file")
        yield looked_up(parts.settings.advisories.url, name, kept(parts))
    for name, text in given.records.items():
        yield from map(LookedUp, advisory.read(name, io.BytesIO(text.encode())))
        keep_given(parts, name, text, by)


def keep_given(parts: Rotator, name: str, text: str, by: str) -> None:
    """Keep the records of a file as those are kept that are looked up: it is known by its id afterwards.

    Of a file of many only the first; none in which a secret seems to stand, and none that no id could ask for.
    """
    for each in advisory.records(name, io.BytesIO(text.encode()))[:_MOST_KEPT]:
        of = each.get("id")
        if isinstance(of, str) and is_id(of) and not holds_material(json.dumps(each)):
            kept(parts).keep_given(of, each, by)


def _breached(vendors: Sequence[Vendor], given: Given) -> tuple[list[str], list[str]]:
    """Return who was breached, and what to know of the names in the text.

    A person who says who it was knows it; without him whom the text names is taken. Raises BadInput for nobody known.
    """
    by_word = _by_word(vendors)
    found = [_meant(each, by_word, vendors) for each in given.breached]
    text = compared(given.text)
    named = [name for word, names in by_word.items() if _is_in(text, word) for name in names]
    named = [name for name in dict.fromkeys(named) if name not in found]
    if given.breached or given.advisories or given.records:
        told = f"the notice's text names {', '.join(named)} too: give --breached where that is meant"
        return list(dict.fromkeys(found)), [told] if named else []
    if given.text and not named:
        raise BadInput(f"the text names nobody who is known: {_known(vendors)}", "--notice", "say it: --breached NAME")
    return named, ["its text names them: whether as who was breached, a person must read"] if named else []


def _is_in(text: str, word: str) -> bool:
    return word in text and re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text) is not None


def _by_word(vendors: Iterable[Vendor]) -> dict[str, tuple[str, ...]]:
    """Return who is called by each word: a vendor by its name and title, else a sub-processor by its name."""
    found: dict[str, tuple[str, ...]] = {}
    for each in vendors:
        for word in words_of(each):
            found[word] = (*found.get(word, ()), each.name)
    for each in vendors:
        for name in each.sub_processors:
            found.setdefault(compared(name), (name,))
    return found


def _meant(name: str, by_word: Mapping[str, tuple[str, ...]], vendors: Sequence[Vendor]) -> str:
    if any(each.name == name.strip() for each in vendors):
        return name.strip()
    if found := by_word.get(compared(name)):
        if len(found) > 1:
            raise BadInput("several vendors are called so", name, f"give the name of one: {', '.join(found)}")
        return found[0]
    close = next(iter(get_close_matches(compared(name), list(by_word), n=1)), None)
    mend = f"did you mean `{by_word[close][0]}`?" if close else f"{_known(vendors)}; `rotator vendor list` shows them"
    raise BadInput("no vendor is registered by this name, and none names it as a sub-processor", name, mend)


def _known(vendors: Sequence[Vendor]) -> str:
    count = sum(1 for each in vendors if each.sub_processors)
    return f"{len(vendors):,} vendors are registered, and of {count:,} the sub-processors are known"


def running(parts: Rotator, advisories: Iterable[Advisory]) -> list[str]:
    """Say which vendors run, or may run, what is bad, by their lists; nothing where none does."""
    events = list(advisories)
    found = match(events, {each.name: each.software for each in parts.vendors.every()})
    if not found:
        return []
    named = [f"{name} ({'bad' if any(one.is_bad for one in some) else 'may be bad'})" for name, some in found.items()]
    return [f"vendors whose lists have it: {', '.join(_few(named))}; `rotator vendor triage` says how badly"]
