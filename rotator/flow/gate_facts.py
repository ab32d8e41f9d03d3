"""What the gates of a vendor's checklist are asked against: what people gave for them, and what is so now."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from enum import StrEnum

from rotator.flow.approval import Role
from rotator.flow.checklist import Gate
from rotator.flow.narrowing import Reach
from rotator.flow.vendor import Attestation


class Did(StrEnum):
    """What was done for a gate, as it is kept."""

    GIVEN = "given"
    YES = "yes"
    OVERRIDDEN = "overridden"
    FOUND = "found"


@dataclass(frozen=True, slots=True)
class Document:
    """A file that somebody gave: its SHA-256 and size in bytes, from whom it is, and the day that it bears."""

    name: str
    digest: str
    size: int
    sender: str
    dated: date


@dataclass(frozen=True, slots=True)
class Given:
    """What a person did for a gate. `number` counts all that was done for the pause, in its order.

    `of` are what an override is for, or the attestations that a person spoke of: keys of what stood then, and
    `against` is that of an override in words.
    """

    gate: str
    number: int
    did: Did
    at: float
    by: str
    reason: str
    document: Document | None = None
    of: frozenset[str] = frozenset()
    against: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Brought:
    """What gates rest on beside what was given for one: a check, a list, a paper, a word. When, by whom, what it is."""

    at: float
    by: str
    what: str


@dataclass(frozen=True, slots=True)
class Since:
    """Since when what a vendor held may have been in other hands, in epoch seconds, and who or what says so."""

    at: float
    why: str


@dataclass(frozen=True, slots=True)
class Cut:
    """A credential, grant or task of the pause. `dead_at` is None while it may live; `says` is how it stands.

    `again` names what gave it back its life since it was cut, "" where nothing did: who knew it alive before knew not
    of that.
    """

    name: str
    dead_at: float | None
    says: str
    todo: str = ""
    again: str = ""


@dataclass(frozen=True, slots=True)
class Software:
    """What a vendor is known to run: when each list says that it was made, which of it may be bad, by which advisories.

    `unread` are notices of the pause of which no advisory is here, `of_pipelines` the lists that its own build sends.
    """

    lists: Mapping[str, float]
    bad: tuple[str, ...]
    advisories: tuple[str, ...]
    unread: tuple[str, ...] = ()
    of_pipelines: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Checked:
    """A dataset that the vendor could reach: its manifest, when that was recorded, and what the last check found.

    `seen` names what was there: whatever else is found later is another finding. `instead_of` is the manifest that was
    named as it was paused, where that is too young and this one, of the same place, is older. `checked_at` is of when
    the check tells; what `read_by` had read elsewhere was given by `checked_by` later, at `given_at`.
    """

    name: str
    manifest: str = ""
    recorded_at: float | None = None
    checked_at: float | None = None
    is_as_recorded: bool = False
    seen: str = ""
    checked_by: str = ""
    instead_of: str = ""
    read_by: str = ""
    given_at: float | None = None


@dataclass(frozen=True, slots=True)
class New:
    """A credential that the vendor holds and the pause did not cut.

    `reach` is None where nobody has said it. `shorter` says how it could live shorter, "" where it could not.
    """

    name: str
    has_id: bool
    created_at: float | None
    reach: Reach | None
    shorter: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is so now. `pausers` are who paused it, and who is behind a program that did.

    `roles` has what people may do; None where no rule says so, and anybody may approve. `before` is what the vendor's
    credentials reached before, None where nobody knows it any more; `unsaid` are those of which nobody has said which
    datasets that was. `approvals` are the names of the gates that ask for a yes. `incident` is that of the pause, whose
    report tells the checks. `brought` is what gates rest on that was not given for one, and `behind` has who is behind
    each program that gave or brought something. What was recorded since it was `exposed` may be a picture of what was
    altered.
    """

    vendor: str
    today: date
    paused_at: float
    pausers: frozenset[str]
    exposed: Since
    given: tuple[Given, ...] = ()
    cut: tuple[Cut, ...] = ()
    attestations: tuple[Attestation, ...] = ()
    software: Software = field(default_factory=lambda: Software({}, (), ()))
    datasets: tuple[Checked, ...] = ()
    unsaid: tuple[str, ...] = ()
    before: tuple[Reach, ...] | None = ()
    new: tuple[New, ...] = ()
    roles: Mapping[str, Role] | None = None
    approvals: frozenset[str] = frozenset()
    incident: str = "last"
    brought: tuple[Brought, ...] = ()
    behind: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def givers_of(self, last: Brought | None) -> frozenset[str]:
        """Return who brought something: each who did in that moment, and who is behind a program among them."""
        if last is None:
            return frozenset()
        people = frozenset({last.by, *(each.by for each in self.brought if each.at == last.at)})
        return people.union(*(self.behind.get(each, frozenset()) for each in people))

    @property
    def paused_on(self) -> date:
        """Return the day of the pause, in UTC."""
        return datetime.fromtimestamp(self.paused_at, UTC).date()


@dataclass(frozen=True, slots=True)
class Shut:
    """One thing that keeps a gate shut. `key` names it as long as it is the same, `todo` is what to do about it."""

    key: str
    says: str
    todo: str


Found = tuple[list[Shut], list[str]]
"""What keeps a gate shut, and the evidence that it stands on."""


def said_of(gate: Gate, facts: Facts, did: Did) -> Iterator[Given]:
    return (each for each in facts.given if each.gate == gate.name and each.did is did)


def met_by(gate: Gate, facts: Facts, options: str) -> str:
    return f"rotator vendor meet {facts.vendor} {gate.name} {options}"


def moment(at: float | None) -> str:
    return "" if at is None else f"{datetime.fromtimestamp(at, UTC):%Y-%m-%dT%H:%M:%SZ}"
