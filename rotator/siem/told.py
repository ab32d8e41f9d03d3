"""What an event is made of: a record of the evidence, and what the ledger knows of those that it names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Credential:
    """The stolen credential of a run: its id, and whose it is where. None of it opens anything."""

    kind: str
    connection: str
    owner: str
    id: str


@dataclass(frozen=True, slots=True)
class About:
    """An incident: its title, its severity as a word; `routine` where it is hygiene, `drill` where it is played.

    Nothing was stolen in either.
    """

    id: str
    title: str
    severity: str
    routine: bool = False
    drill: bool = False


@dataclass(frozen=True, slots=True)
class Told:
    """A record as it was hashed, read: `hash` names it for good, `at` says when it was written, in epoch seconds.

    `about` and `credential` where it is of one.
    """

    hash: str
    at: float
    body: Mapping[str, Any]
    about: About | None = None
    credential: Credential | None = None
