"""What each event is called in a message, and each fact of it; what is asked of whom, and what he types.

A text of others, such as a title or an owner's name, stands on one line, short, and not at all where it looks like
material.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from rotator.intake.shapes import holds_material
from rotator.notices.event import Event

WITHHELD = "(withheld: it looks like a secret)"
_LONGEST = 120
_NAMED = 5


@dataclass(frozen=True, slots=True)
class Words:
    """How an event is told: in a few words, what is wanted of whom, and what he types."""

    says: str
    wanted: str = ""
    command: str = ""


_LOOK, _PLAN = "rotator report {incident}", "rotator plan {incident}"
_APPROVE, _WATCH = "rotator approve {incident} --digest {plan}", "rotator incident watch {incident}"
_APPROVER = "Wanted: an approver. Look at the plan (rotator plan {incident}), then:"
_REVIEWER = "Wanted: an approver, to review it. To look at it:"
WORDS: Mapping[Event, Words] = {
    Event.DECLARED: Words("declared", "To look at it:", _PLAN),
    Event.ALARM_WAITING: Words(
        "an alarm declared it, and nothing is done before its plan is approved",
        _APPROVER,
        _APPROVE,
    ),
    Event.REVISED: Words(
        "its plan grew; what is new waits for approval, the rest goes on",
        "Wanted: an approver. Look at what is new (rotator plan {incident}), then:",
        _APPROVE,
    ),
    Event.MERGED: Words("another incident was merged into it", "To look at it:", _LOOK),
    Event.APPROVAL_WANTED: Words("approval is wanted", _APPROVER, _APPROVE),
    Event.APPROVED: Words("approved: it is under way", "To follow it:", _WATCH),
    Event.STANDING_ORDER: Words("contained at once by a standing order", _REVIEWER, _LOOK),
    Event.BREAK_GLASS: Words(
        "BREAK-GLASS: begun without the approval that it needs",
        _REVIEWER,
        _LOOK,
    ),
    Event.REVIEW_DUE: Words("a review is due", "Wanted: an approver. To look at it:", _LOOK),
    Event.OWNER_ASKED: Words(
        "its owners may speak before it is stopped",
        "Wanted: whoever owns it. What waits, and how to have it earlier (rotator hold release):",
        _LOOK,
    ),
    Event.RAISED: Words("its severity was raised", "To look at it:", _LOOK),
    Event.DISMISSED: Words("something was dismissed from it", "To look at it:", _LOOK),
    Event.STOPPED: Words("STOPPED by a person", "To look at it, and how it goes on:", _LOOK),
    Event.CONTINUED: Words("a person lets it go on", "To follow it:", _WATCH),
    Event.BRAKE_TRIPPED: Words(
        "BRAKE: a consumer failed, and the later waves wait; their stolen credentials are alive",
        "Wanted: whoever is on call. See what failed (rotator report {incident}), mend it, then:",
        "rotator gate open {incident} brake --reason …",
    ),
    Event.NEEDS_PERSON: Words(
        "it waits for a person", "Wanted: whoever is on call. What each waits for, and what to type:", _LOOK
    ),
    Event.TASK_REMINDER: Words(
        "tasks that hygiene left to people are not done",
        "Wanted: who is named for each. When it is done, dismiss the task (rotator exposure dismiss); to see them all:",
        _LOOK,
    ),
    Event.DONE: Words("done: every exposed credential is dead", "To see the evidence:", _LOOK),
    Event.CLOSED: Words("closed by a person", "To see the evidence:", _LOOK),
    Event.REOPENED: Words("opened again: what is added to it can be approved", "To look at it:", _LOOK),
    Event.CAME_BACK: Words(
        "COME BACK: what was dead is alive, or was reported, again; what lives is being stopped again",
        "Wanted: whoever is on call. Who brought it back? To look at it:",
        _LOOK,
    ),
    Event.DRILL_LATE: Words(
        "DRILL: its canaries did not die as fast as they should",
        "Wanted: whoever keeps the rotator ready. To see where the time went:",
        _LOOK,
    ),
    Event.PAUSED: Words(
        "PAUSED: a vendor is cut off, and nothing new is made for it", "To see what it held, and what is open:", _LOOK
    ),
    Event.HOLDS_MORE: Words(
        "HELD AND NOT CUT: a paused vendor was found to hold more",
        "Wanted: whoever is on call. Add it to the pause, to be approved; how it stands:",
        _LOOK,
    ),
    Event.ATTESTATION_ENDS: Words(
        "what is attested of a vendor ends",
        "Wanted: whoever answers for it. Ask for what follows, and record that (rotator vendor attest). To look at it:",
        "rotator vendor list",
    ),
    Event.VENDORS_TOUCHED: Words(
        "an advisory touches vendors; nothing is done before a person decides",
        "Wanted: whoever decides about them. Each with its terms, and then the memo (rotator vendor memo):",
        "rotator vendor list",
    ),
    Event.RESTORED: Words("a vendor is let in again", "To see what was dead by then:", _LOOK),
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
        return f"{label}{moment(value) if isinstance(value, int | float) else shown(str(value))}"

    return said


FACTS: Mapping[str, Callable[[Any], str]] = {
    "vendor": _named("vendor "),
    "touched": _named(""),
    "unlisted": _count("vendor more of which it is not known", "vendors more of which it is not known"),
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
    "ends_at": _when("the first ends by itself at "),
    "reason": _named("reason: "),
}
"""The facts that are shown, in this order."""
OF_AN_EVENT: Mapping[tuple[Event, str], Callable[[Any], str]] = {
    (Event.APPROVAL_WANTED, "by"): _named("one yes is there, by ")
}


def shown(text: str, longest: int = _LONGEST) -> str:
    """Return a text of others as it may be shown: on one line, short, and not where it looks like material.

    What would turn the line or stand there unseen is seen, as at a terminal.
    """
    if holds_material(text):
        return WITHHELD
    one = " ".join(text.split())
    line = "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in one)
    return line if len(line) <= longest else f"{line[: longest - 1]}…"


def moment(at: float) -> str:
    """Return a time in epoch seconds as people read it, in UTC."""
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M:%S}Z"
