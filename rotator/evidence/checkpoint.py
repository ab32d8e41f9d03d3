"""Checkpoints: a signed chain that says of every chain of evidence how long it is, and which record is its last.

Each tells only what has grown since the one before, so it costs what was done and not what there is; all of them
together cover every chain. A record that was altered, taken out or put in contradicts them, and so does a chain that is
missing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import rfc8785

from rotator.evidence import signing
from rotator.evidence.signing import SigningKey

FORMAT = "rotator checkpoint 1"
SERVICE = "service"
"""The chain of what belongs to no incident."""


@dataclass(frozen=True, slots=True)
class Grown:
    """How a chain stands: its `length` in records, and the SHA-256 of the last one's body."""

    length: int
    head: str


@dataclass(frozen=True, slots=True)
class Following:
    """The public key that signs from the next checkpoint on; `stolen_since`, in epoch seconds, if the old one was."""

    public: str
    stolen_since: float | None = None


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A checkpoint as it is kept: its `body` is RFC 8785 canonical JSON, the signature is over these bytes."""

    body: str
    signature: str

    @property
    def hash(self) -> str:
        """Return the SHA-256 of the body, by which the next one names it."""
        return hashlib.sha256(self.body.encode()).hexdigest()

    @property
    def told(self) -> dict[str, Any]:
        """Return what it says."""
        found: dict[str, Any] = json.loads(self.body)
        return found


def is_of(chain: str, of: Sequence[str]) -> bool:
    """Tell whether a chain belongs into a pack of these incidents, of everything where there are none."""
    return not of or chain == SERVICE or any(chain == each or chain.startswith(f"{each}.") for each in of)


def make(  # noqa: PLR0917 - all that a checkpoint may say
    key: SigningKey,
    previous: Checkpoint | None,
    grown: Mapping[str, Grown],
    at: float,
    following: Following | None = None,
    deleted: Mapping[str, Grown] | None = None,
) -> Checkpoint:
    """Return the checkpoint behind `previous`, which tells what has `grown` since; `at` in epoch seconds.

    All that come after it are signed by the key that is `following`, if one is. Of the chains that were `deleted`, each
    as it was signed last, nothing is left from here on.
    """
    before = previous.told if previous is not None else {"number": 0}
    told: dict[str, Any] = {
        "format": FORMAT,
        "number": before["number"] + 1,
        "at": round(at, 3),
        "previous": previous.hash if previous is not None else "",
        "key": key.public,
        "chains": _listed(grown),
    }
    if deleted:
        told["deleted"] = _listed(deleted)
    if following is not None:
        told["next_key"] = following.public
        if following.stolen_since is not None:
            told["stolen_since"] = round(following.stolen_since, 3)
    body = rfc8785.dumps(told).decode()
    return Checkpoint(body, key.sign(signing.CHECKPOINT, body))


def _listed(chains: Mapping[str, Grown]) -> list[list[str | int]]:
    return [[name, each.length, each.head] for name, each in sorted(chains.items())]
