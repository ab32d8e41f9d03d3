"""The table of kinds: what can be done to each by machine, how a death is known, and what that was tested against."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from rotator.flow.choice import MINTING
from rotator.flow.playbook import Grade, Playbook
from rotator.flow.playbook_words import Subject, Verb

COLUMNS = {
    "issue": "replaces",
    "suspend": "suspends",
    "sessions": "cuts sessions",
    "revoke": "revokes",
    "batch": "batch",
}
"""What can be done by machine: the name in data, and for people."""
BY_HAND = "by_hand"


def row(playbook: Playbook, classes: Sequence[type], family: str, connections: Sequence[str]) -> dict[str, Any]:
    """Return what is true of one kind. `classes` are those of its provider.

    `verify` is `knock` where the machine tries the credential itself, `stated` where it can only ask the issuer, and
    `by_hand` where a person must look. `tested` is None where nobody says so.
    """
    machine = {(line.do.verb, line.do.subject) for line in playbook.steps if line.by_hand is None}
    verbs = {verb for verb, subject in machine if subject is Subject.EXPOSED}
    looks = "knock" if not any(hasattr(each, "no_knock") for each in classes) else "stated"
    return {
        "kind": playbook.playbook,
        "family": family,
        "issue": bool(MINTING & {verb for verb, _ in machine}),
        "suspend": bool({Verb.SUSPEND, Verb.UNINSTALL} & verbs),
        "sessions": Verb.END_SESSIONS in verbs,
        "revoke": Verb.REVOKE in verbs,
        "batch": any(getattr(each, "batch_size", 1) > 1 for each in classes),
        "verify": looks if Verb.VERIFY in verbs else BY_HAND,
        "tested": playbook.tested.grade.value if playbook.tested else None,
        "tested_with": playbook.tested.with_ if playbook.tested else None,
        "connections": list(connections),
    }


def counted(rows: Iterable[dict[str, Any]]) -> str:
    """Return in words how many kinds there are of each grade, none added to another's."""
    grades = Counter(each["tested"] for each in rows)
    told = [f"{grades[grade.value]} against {_PLACES[grade]}" for grade in Grade if grades[grade.value]]
    untested = f", {grades[None]} by people alone or untested" if grades[None] else ""
    return f"{sum(grades.values())} kinds: {', '.join(told)}{untested}"


_PLACES = {
    Grade.LIVE_ACCOUNT: "a live account",
    Grade.REAL_SERVER: "a real server",
    Grade.EMULATOR: "an emulator of somebody else's",
    Grade.FAKE: "a fake of what is published",
}
