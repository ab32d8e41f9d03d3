"""Who uses a secret, and must hear that it changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from rotator.credential import CredentialRef
from rotator.ports.store import Place


@dataclass(frozen=True, slots=True)
class Notice:
    """Tell a consumer which credential changed: names only."""

    incident: str
    exposed: CredentialRef
    replacement: CredentialRef
    places: tuple[Place, ...]


@dataclass(frozen=True, slots=True)
class Told:
    """Record a consumer's answer. `using` is the id it says it holds now, or None when it does not say."""

    said: str
    using: str | None = None


class Consumer(Protocol):
    """A user of a secret who must hear that it changed."""

    name: str

    def reload(self, notice: Notice) -> Told:
        """Tell it to read the new secret."""
        ...

    def holding(self, notice: Notice) -> Told:
        """Ask which credential it holds now; asks nothing of it."""
        ...
