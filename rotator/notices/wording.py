"""What a message says: what happened, to which incident, what is wanted of whom, and what to type.

`tell` is given facts by their names; those in `_FACTS` are shown, others are not. A text of others, such as a title or
an owner's name, stands on one line, short, and not at all where it looks like material.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from rotator.intake.shapes import holds_material
from rotator.notices.event import Event

WITHHELD = "(withheld: it looks like a secret)"
_LONGEST, _LONGEST_COMMAND = 120, 300
_NAMED = 5
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


@dataclass(frozen=True, slots=True)
class _Words:
    """How an event is told: in a few words, what is wanted of whom, and what he types."""

    says: str
    wanted: str = ""
    command: str = ""


_LOOK, _PLAN = "rotator report {incident}", "rotator plan {incident}"
_APPROVE = "rotator approve {incident} --digest {plan}"
_WORDS: Mapping[Event, _Words] = {
    Event.DECLARED: _Words("declared", "To look at it:", _PLAN),
    Event.ALARM_WAITING: _Words(
        "an alarm declared it, and nothing is done before its plan is approved",
        "Wanted: an approver. Look at the plan (rotator plan {incident}), then:",
        _APPROVE,
    ),
    Event.REVISED: _Words(
        "its plan grew; what is new waits for approval, the rest goes on",
        "Wanted: an approver. Look at what is new (rotator plan {incident}), then:",
        _APPROVE,
    ),
    Event.MERGED: _Words("another incident was merged into it", "To look at it:", _LOOK),
    Event.APPROVAL_WANTED: _Words(
        "approval is wanted", "Wanted: an approver. Look at the plan (rotator plan {incident}), then:", _APPROVE
    ),
    Event.APPROVED: _Words("approved: it is under way", "To follow it:", "rotator incident watch {incident}"),
    Event.STANDING_ORDER: _Words(
        "contained at once by a standing order", "Wanted: an approver, to review it. To look at it:", _LOOK
    ),
    Event.BREAK_GLASS: _Words(
        "BREAK-GLASS: begun without the approval that it needs",
        "Wanted: an approver, to review it. To look at it:",
        _LOOK,
    ),
    Event.REVIEW_DUE: _Words("a review is due", "Wanted: an approver. To look at it:", _LOOK),
    Event.OWNER_ASKED: _Words(
        "its owners may speak before it is stopped",
        "Wanted: whoever owns it. What waits, and how to have it earlier (rotator hold release):",
        _LOOK,
    ),
    Event.RAISED: _Words("its severity was raised", "To look at it:", _LOOK),
    Event.DISMISSED: _Words("something was dismissed from it", "To look at it:", _LOOK),
    Event.STOPPED: _Words("STOPPED by a person", "To look at it, and how it goes on:", _LOOK),
    Event.CONTINUED: _Words("a person lets it go on", "To follow it:", "rotator incident watch {incident}"),
    Event.BRAKE_TRIPPED: _Words(
        "BRAKE: a consumer failed, and the later waves wait; their stolen credentials are alive",
        "Wanted: whoever is on call. See what failed (rotator report {incident}), mend it, then:",
        "rotator gate open {incident} brake --reason …",
    ),
    Event.NEEDS_PERSON: _Words(
        "it waits for a person", "Wanted: whoever is on call. What each waits for, and what to type:", _LOOK
    ),
    Event.DONE: _Words("done: every exposed credential is dead", "To see the evidence:", _LOOK),
    Event.CLOSED: _Words("closed by a person", "To see the evidence:", _LOOK),
    Event.REOPENED: _Words("opened again: what is added to it can be approved", "To look at it:", _LOOK),
}


def _count(one: str, many: str = "") -> Callable[[Any], str]:
    def said(value: Any) -> str:
        number = value if isinstance(value, int) else 0
        return f"{number:,} {one if number == 1 else many or one + 's'}"

    return said


def _named(label: str) -> Callable[[Any], str]:
    def said(value: Any) -> str:
        names = value if isinstance(value, list) else [value]
        more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
        return f"{label}{', '.join(shown(str(each)) for each in names[:_NAMED])}{more}"

    return said


def _when(label: str) -> Callable[[Any], str]:
    def said(value: Any) -> str:
        return f"{label}{_moment(value) if isinstance(value, int | float) else shown(str(value))}"

    return said


_FACTS: Mapping[str, Callable[[Any], str]] = {
    "revision": _named("revision "),
    "credentials": _count("credential"),
    "severity": _named("to "),
    "released": _count("run waits for no owner any more", "runs wait for no owner any more"),
    "added": _count("credential added", "credentials added"),
    "production": _count("in production", "in production"),
    "manual": _count("task for a person", "tasks for a person"),
    "scope": _named("of its "),
    "asking": _count("step waits", "steps wait"),
    "because": _named(""),
    "for_example": _named("such as "),
    "waiting": _count("run waits", "runs wait"),
    "dead": _count("proven dead", "proven dead"),
    "stated": _count("dead by the issuer's word alone", "dead by their issuers' word alone"),
    "dismissed": _count("dismissed", "dismissed"),
    "open": _count("credential left open", "credentials left open"),
    "scheduled": _count("destruction scheduled", "destructions scheduled"),
    "what": _named(""),
    "owner": _named("owner "),
    "owners": _named("owners "),
    "role": _named("role "),
    "roles": _named("roles "),
    "of": _named("from "),
    "orders": _named(""),
    "other": _named("with "),
    "sender": _named("sent by "),
    "by": _named("by "),
    "approved_by": _named("approved by "),
    "deadline": _when("the first is stopped at "),
    "until": _when("until "),
    "due_at": _when("due "),
    "reason": _named("reason: "),
}
"""The facts that are shown, in this order."""
_OF_AN_EVENT = {(Event.APPROVAL_WANTED, "by"): _named("one yes is there, by ")}


def word(letter: Letter) -> Worded:
    """Return a message in words."""
    latest = _latest(letter.happened)
    told = latest[-_SHOWN:]
    tag = f"[{letter.severity.upper()}] {letter.incident}"
    last = _WORDS[told[-1].event].says
    more = f" (and {len(latest) - 1:,} more)" if len(latest) > 1 else ""
    lines = [Line("head", f"{tag}: {shown(letter.title)}")]
    if len(latest) > len(told):
        lines.append(Line("note", f"{len(latest) - len(told):,} earlier events are left out here; the report has all"))
    wanted: dict[tuple[str, str], Line] = {}
    for each in told:
        words = _WORDS[each.event]
        lines.append(Line("event", f"{_moment(each.at)}  {words.says}{_details(each)}"))
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


def shown(text: str, longest: int = _LONGEST) -> str:
    """Return a text of others as it may be shown: on one line, short, and not where it looks like material."""
    if holds_material(text):
        return WITHHELD
    line = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    return line if len(line) <= longest else f"{line[: longest - 1]}…"


def _details(told: Happened) -> str:
    found = [
        _OF_AN_EVENT.get((told.event, name), say)(told.facts[name])
        for name, say in _FACTS.items()
        if told.facts.get(name) not in (None, "", 0, [])
    ]
    return f": {'; '.join(found)}" if found else ""


def _command(facts: Mapping[str, Any], usual: str, letter: Letter) -> str:
    """Return what to type: what whoever told it says, else what is usual."""
    given = str(facts.get("command", ""))
    return shown(given, _LONGEST_COMMAND) if given.startswith("rotator ") else _filled(usual, letter)


def _filled(text: str, letter: Letter) -> str:
    return text.replace("{incident}", letter.incident).replace("{plan}", letter.plan)


def _moment(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M:%S}Z"
