"""The checklist by which a vendor is let in again: which gates there are, and what each asks."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum

from rotator.flow.approval import Role


class Asks(StrEnum):
    """What a gate asks."""

    CUT = "cut"
    DOCUMENT = "document"
    ATTESTATIONS = "attestations"
    SOFTWARE = "software"
    DATASETS = "datasets"
    CREDENTIALS = "credentials"
    APPROVAL = "approval"


WEAK = frozenset({Asks.ATTESTATIONS, Asks.APPROVAL})
"""What lets nobody in by itself: a paper tells how things were said to be, and a yes stands on what was found."""


@dataclass(frozen=True, slots=True)
class Gate:
    """One gate of a checklist. `kinds` and `fresh` are of attestations, `count` and `role` of an approval.

    `fresh`: only what was issued after the pause counts. `role` is the least that who says yes must be.
    """

    name: str
    asks: Asks
    kinds: tuple[str, ...] = ()
    fresh: bool = False
    count: int = 1
    role: Role = Role.APPROVER


CUT = Gate("cut", Asks.CUT)
"""Every access that the vendor held is dead. It stands before every checklist."""
DEFAULT = (
    Gate("forensics", Asks.DOCUMENT),
    Gate("attestations", Asks.ATTESTATIONS),
    Gate("software", Asks.SOFTWARE),
    Gate("datasets", Asks.DATASETS),
    Gate("credentials", Asks.CREDENTIALS),
    Gate("approval", Asks.APPROVAL),
)
"""The checklist where none is configured."""


def frozen(gates: Sequence[Gate]) -> str:
    """Return a checklist as it is kept with a pause: to change it later opens nothing."""
    return json.dumps([asdict(each) for each in gates], sort_keys=True)


def gates_of(text: str) -> tuple[Gate, ...]:
    """Return the checklist that was kept with a pause."""
    return tuple(
        Gate(each["name"], Asks(each["asks"]), tuple(each["kinds"]), each["fresh"], each["count"], Role(each["role"]))
        for each in json.loads(text)
    )
