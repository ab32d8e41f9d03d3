"""Hold an incident's report against what the doors say: where they differ, the report lies."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rotator.practice.doors import Answer, Knock

DEAD = ("proven_dead", "stated_dead")


@dataclass(frozen=True, slots=True)
class Stolen:
    """One credential that lay on the laptop: how people call it, how its issuer names it, how to knock with it."""

    label: str
    provider: str
    id: str
    knock: Callable[[], Sequence[Knock]]


@dataclass(frozen=True, slots=True)
class InUse:
    """What one consumer holds after the response, in place of which stolen id, and what its doors said to it."""

    consumer: str
    instead_of: str
    using: str
    knocks: Sequence[Knock]


def lies(
    report: Mapping[str, Any], knocked: Iterable[tuple[Stolen, Sequence[Knock]]], used: Iterable[InUse]
) -> list[str]:
    """Return one line for each thing that the report says and a door denies; none when it is true."""
    entries = {entry["id"]: entry for entry in report["credentials"]}
    totals = dict(report["totals"])
    found = [] if totals.pop("credentials") == sum(totals.values()) else ["the totals do not sum to the credentials"]
    for state, count in totals.items():
        if count != sum(entry["state"] == state for entry in report["credentials"]):
            found.append(f"the total of {state} is not the number of entries that say so")
    for stolen, knocks in knocked:
        entry = entries.get(stolen.id)
        if entry is None or entry["provider"] != stolen.provider:
            found.append(f"{stolen.label} ({stolen.id}) was on the laptop and is not in the report")
        elif entry["state"] in DEAD:
            found += [
                f"{stolen.label} is called {entry['state']}, but {knock.door}: {knock.answer} ({knock.said})"
                for knock in knocks
                if knock.answer is not Answer.REFUSED
            ]
    for use in used:
        said = entries.get(use.instead_of, {}).get("replacement")
        if said and said != use.using:
            found.append(f"{use.consumer} was to hold {said}, and holds {use.using}")
        found += [
            f"{use.consumer} cannot use what it holds: {knock.door}: {knock.answer} ({knock.said})"
            for knock in use.knocks
            if knock.answer is not Answer.OPENED
        ]
    return found


def still_open(report: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the report's entries that it does not call dead."""
    return [entry for entry in report["credentials"] if entry["state"] not in DEAD]
