"""Hold an incident's report against what the doors say: where they differ, the report lies."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rotator.practice.doors import Answer, Knock

DEAD = ("proven_dead", "stated_dead")


@dataclass(frozen=True, slots=True)
class Stolen:
    """One credential that lay on the laptop: how people call it, how its issuer names it, how to knock with it.

    `whole`: the scanner saw its secret. Where it did not, nobody can prove its death, and nobody may claim to.
    """

    label: str
    provider: str
    id: str
    knock: Callable[[], Sequence[Knock]]
    whole: bool = True


@dataclass(frozen=True, slots=True)
class Tried:
    """One stolen credential with what its doors said to it."""

    stolen: Stolen
    knocks: Sequence[Knock]

    @property
    def answer(self) -> Answer:
        """Return what all doors said, or that they did not say one thing."""
        said = {knock.answer for knock in self.knocks}
        return said.pop() if len(said) == 1 else Answer.UNCLEAR


@dataclass(frozen=True, slots=True)
class InUse:
    """What one consumer holds after the response, in place of which stolen id, and what its doors said to it."""

    consumer: str
    instead_of: str
    using: str
    knocks: Sequence[Knock]

    @property
    def works(self) -> bool:
        """Tell whether every door opened."""
        return all(knock.answer is Answer.OPENED for knock in self.knocks)


def lies(report: Mapping[str, Any], tried: Iterable[Tried], used: Iterable[InUse]) -> list[str]:
    """Return one line for each thing that the report says and a door denies; none when it is true."""
    entries = {entry["id"]: entry for entry in report["credentials"]}
    totals = dict(report["totals"])
    found = [] if totals.pop("credentials") == sum(totals.values()) else ["the totals do not sum to the credentials"]
    for state, count in totals.items():
        if count != sum(entry["state"] == state for entry in report["credentials"]):
            found.append(f"the total of {state} is not the number of entries that say so")
    for stolen, knocks in ((each.stolen, each.knocks) for each in tried):
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
        entry = entries.get(use.instead_of, {})
        if entry.get("replacement") and entry["replacement"] != use.using and entry.get("converged_at"):
            found.append(f"{use.consumer} is said to hold {entry['replacement']}, and holds {use.using}")
    return found


def unfinished(report: Mapping[str, Any], tried: Iterable[Tried], used: Iterable[InUse]) -> list[str]:
    """Return one line for each stolen credential that is not dead, and each consumer without a new one that works."""
    states = {entry["id"]: entry["state"] for entry in report["credentials"]}
    left = [
        f"{each.stolen.label} is {states.get(each.stolen.id, 'not in the report')}; its doors: {each.answer}"
        for each in tried
        if each.answer is not Answer.REFUSED or (each.stolen.whole and states.get(each.stolen.id) not in DEAD)
    ]
    left += [f"{use.consumer} still holds the stolen {use.using}" for use in used if use.using == use.instead_of]
    left += [f"{use.consumer} cannot use what it holds" for use in used if not use.works]
    failed = {step["state"] for entry in report["credentials"] for step in entry["steps"]} & {"failed", "uncertain"}
    return left + [f"a step of the report is {state}" for state in sorted(failed)]


def still_open(report: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the report's entries that it does not call dead."""
    return [entry for entry in report["credentials"] if entry["state"] not in DEAD]
