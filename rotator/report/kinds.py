"""The table of kinds: what can be done to each by machine, how a death is known, and what that was tested against."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from rotator.flow.playbook import Grade, Playbook
from rotator.flow.playbook_words import MINTING, Subject, Verb

COLUMNS = {
    "issue": "replaces",
    "suspend": "suspends",
    "sessions": "cuts sessions",
    "revoke": "revokes",
    "batch": "batch",
}
"""What can be done by machine: the name in data, and for people."""
BY_HAND = "by_hand"
ACTS, LOOKS, NOTHING = "acts", "looks", "nothing"
"""What a machine does about a kind: it ends one, it only tries or looks whether a person did, or it does neither."""
PRACTICE = frozenset({"acme_api_token"})
"""Kinds of a vendor that stands in the practice range and nowhere else."""


def row(playbook: Playbook, classes: Sequence[type], family: str, connections: Sequence[str]) -> dict[str, Any]:
    """Return what is true of one kind. `classes` are those of its provider.

    `verify` is `knock` where the machine tries the credential itself, `stated` where it can only ask the issuer, and
    `by_hand` where a person must look, and no machine proves anything. `machine` tells a kind that a machine ends from
    one that it only looks at. `also_ends` is what goes with the exposed one. `permissions`: the issuer says what the
    rotator may do. `tested` is None where nobody says so.
    """
    machine = {(line.do.verb, line.do.subject) for line in playbook.steps if line.by_hand is None}
    verbs = {verb for verb, subject in machine if subject is Subject.EXPOSED}
    looks = "knock" if not any(hasattr(each, "no_knock") for each in classes) else "stated"
    able = {
        "issue": bool(MINTING & {verb for verb, _ in machine}),
        "suspend": bool({Verb.SUSPEND, Verb.UNINSTALL} & verbs),
        "sessions": Verb.END_SESSIONS in verbs,
        "revoke": Verb.REVOKE in verbs,
    }
    return {
        "kind": playbook.playbook,
        "family": family,
        "practice": playbook.playbook in PRACTICE,
        "machine": ACTS if any(able.values()) else LOOKS if Verb.VERIFY in verbs else NOTHING,
        **able,
        "batch": any(getattr(each, "batch_size", 1) > 1 for each in classes),
        "also_ends": playbook.http.also_ends if playbook.http else _also_ends(classes),
        "verify": looks if Verb.VERIFY in verbs else BY_HAND,
        **_tested(playbook),
        "permissions": bool(playbook.http.permissions) if playbook.http else _asks(classes),
        "connections": list(connections),
    }


def _tested(playbook: Playbook) -> dict[str, Any]:
    """Return what a playbook says of how its kind was tested: that it was in a live account no file may claim."""
    told = playbook.tested
    if told is None or told.grade is Grade.LIVE_ACCOUNT:
        return {"tested": None, "tested_with": None}
    return {"tested": told.grade.value, "tested_with": told.with_}


def seen_by(found: dict[str, Any]) -> str:
    """Say for people how a death is seen, and where that is all that a machine does."""
    if found["machine"] == NOTHING:
        return "a person alone"
    seen = str(found["verify"]).replace("_", " ")
    return f"{seen}, no more" if found["machine"] == LOOKS else seen


def counted(rows: Sequence[dict[str, Any]]) -> str:
    """Return in words how many kinds there are of each sort and grade, none added to another's.

    Those of the practice range are left out: nobody has such a credential.
    """
    real = [each for each in rows if not each["practice"]]
    grades, sorts = Counter(each["tested"] for each in real), Counter(each["machine"] for each in real)
    tested = [f"{grades[grade.value]} against {_PLACES[grade]}" for grade in Grade if grades[grade.value]]
    tested += [f"{grades[None] - sorts[NOTHING]} against nothing"] if grades[None] > sorts[NOTHING] else []
    said = [
        f"{sorts[ACTS]} are ended by machine",
        f"{sorts[LOOKS]} by a person, and a machine sees that they are dead" if sorts[LOOKS] else "",
        f"{sorts[NOTHING]} by a person alone, and no machine proves anything" if sorts[NOTHING] else "",
    ]
    asked = sum(each["permissions"] for each in real)
    beside = f" Not counted: {', '.join(sorted(PRACTICE))}, of the practice range." if len(real) < len(rows) else ""
    return (
        f"{len(real)} kinds: {'; '.join(filter(None, said))}. Tested: {', '.join(tested)}. "
        f"Of {asked} the rotator's permissions can be asked.{beside}"
    )


def _asks(classes: Sequence[type]) -> bool:
    return any(hasattr(each, "permissions") for each in classes)


def _also_ends(classes: Sequence[type]) -> str | None:
    return next((each.also_ends for each in classes if hasattr(each, "also_ends")), None)


def can(found: dict[str, Any], what: str) -> str:
    """Say in one word of a column whether a machine can, and where its doing ends more than what leaked."""
    ends = "revoke" if found["revoke"] else "suspend"
    return ("yes, and more" if what == ends and found["also_ends"] else "yes") if found[what] else "-"


def takes_along(rows: Iterable[dict[str, Any]]) -> list[str]:
    """Return a line for each kind whose end ends more than what leaked."""
    return [f"{each['kind']}: ending it also ends {each['also_ends']}" for each in rows if each["also_ends"]]


_PLACES = {
    Grade.LIVE_ACCOUNT: "a live account",
    Grade.REAL_SERVER: "a real server",
    Grade.EMULATOR: "an emulator of somebody else's",
    Grade.FAKE: "a fake of what is published",
}
