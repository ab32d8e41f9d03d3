"""What a message says: what happened, to which incident, what is wanted of whom, and what to type.

`tell` is given facts by their names; those in `phrases.FACTS` are shown, others are not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rotator.notices.event import Event
from rotator.notices.phrases import FACTS, OF_AN_EVENT, WORDS, moment, shown

_LONGEST_COMMAND = 300
_SHOWN = 20
"""How many events a message lists; of more, the latest."""


@dataclass(frozen=True, slots=True)
class Happened:
    """One event: when, in epoch seconds, and the facts of whoever told it."""

    event: Event
    at: float
    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Letter:
    """What one channel is to hear of one incident. `attempt` counts from 1; `plan` is the newest digest."""

    id: str
    channel: str
    incident: str
    title: str
    severity: str
    plan: str
    made_at: float
    attempt: int
    happened: tuple[Happened, ...]


@dataclass(frozen=True, slots=True)
class Line:
    """One line: its text and, behind it, a command to type; `kind` is head, event, wanted or note."""

    kind: str
    text: str
    command: str = ""


@dataclass(frozen=True, slots=True)
class Worded:
    """A message in words, for any kind of channel. `about` names the incident, `made_at` is in epoch seconds."""

    id: str
    about: str
    subject: str
    made_at: float
    lines: tuple[Line, ...]


def word(letter: Letter) -> Worded:
    """Return a message in words."""
    latest = _latest(letter.happened)
    told = latest[-_SHOWN:]
    tag = f"[{letter.severity.upper()}] {letter.incident}"
    last = WORDS[told[-1].event].says
    more = f" (and {len(latest) - 1:,} more)" if len(latest) > 1 else ""
    lines = [Line("head", f"{tag}: {shown(letter.title)}")]
    if len(latest) > len(told):
        lines.append(Line("note", f"{len(latest) - len(told):,} earlier events are left out here; the report has all"))
    wanted: dict[tuple[str, str], Line] = {}
    for each in told:
        words = WORDS[each.event]
        lines.append(Line("event", f"{moment(each.at)}  {words.says}{_details(each)}"))
        asks = Line("wanted", _filled(words.wanted, letter), _command(each.facts, words.command, letter))
        wanted.pop((asks.text, asks.command), None)
        wanted[asks.text, asks.command] = asks
    # Once each, and what nobody has to do anything about only where nothing else is wanted.
    pressing = [each for each in wanted.values() if each.text.startswith("Wanted")]
    lines += pressing or list(wanted.values())[-1:]
    again = "; tried before, so you may have it twice" if letter.attempt > 1 else ""
    lines.append(Line("note", f"rotator, message {letter.id}{again}"))
    return Worded(letter.id, letter.incident, f"{tag}: {last}{more}", letter.made_at, tuple(lines))


def _latest(happened: Sequence[Happened]) -> list[Happened]:
    """Return the events in order; of those that count how an incident stands, the last alone."""
    last = {each.event: number for number, each in enumerate(happened)}
    counts = {Event.NEEDS_PERSON, Event.DONE}
    return [each for number, each in enumerate(happened) if each.event not in counts or last[each.event] == number]


def _details(told: Happened) -> str:
    found = [
        OF_AN_EVENT.get((told.event, name), say)(told.facts[name])
        for name, say in FACTS.items()
        if told.facts.get(name) not in (None, "", 0, [])
    ]
    return f": {'; '.join(found)}" if found else ""


def _command(facts: Mapping[str, Any], usual: str, letter: Letter) -> str:
    """Return what to type: what whoever told it says, else what is usual."""
    given = str(facts.get("command", ""))
    return shown(given, _LONGEST_COMMAND) if given.startswith("rotator ") else _filled(usual, letter)


def _filled(text: str, letter: Letter) -> str:
    return text.replace("{incident}", letter.incident).replace("{plan}", letter.plan)
