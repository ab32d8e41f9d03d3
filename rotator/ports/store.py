"""Where a secret is delivered, and what the store there keeps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from rotator.credential import Secret


@dataclass(frozen=True, slots=True)
class Place:
    """Where a secret is delivered: a store's kind, its connection, and the name in it."""

    store: str
    connection: str
    name: str

    def __str__(self) -> str:
        return f"{self.store}:{self.connection}:{self.name}"


class Store(Protocol):
    """Where consumers read a secret. A value is staged beside the current one, then promoted by compare-and-set."""

    def current(self, name: str) -> str | None:
        """Return the version consumers read now, or None when the name holds nothing yet."""
        ...

    def staged(self, name: str, token: str) -> str | None:
        """Return the version staged under `token`, or None."""
        ...

    def stage(self, name: str, document: Secret, token: str) -> str:
        """Keep the document where consumers do not read yet; return its version. Repeating a token changes nothing."""
        ...

    def read(self, name: str, version: str) -> Secret:
        """Return the document of that version, staged or current."""
        ...

    def promote(self, name: str, version: str, expected: str | None) -> str:
        """Make the staged version the current one if `expected` still is; return what `current` answers from now on.

        Raises Rejected("store_changed") when another hand moved it; already promoted counts as done.
        """
        ...

    def demote(self, name: str, version: str, previous: str | None) -> None:
        """Give consumers `previous` back, if `version` is what they read now; already demoted counts as done."""
        ...


@runtime_checkable
class WriteOnly(Protocol):
    """A place whose value nobody can read back: it follows the places beside it that can be read.

    Nothing is staged there. It is written at promotion, when a readable place has become current, with what that one
    holds; written again it is the same. There is no compare-and-set: what another hand wrote there is overwritten.
    """

    def current(self, name: str) -> str | None:
        """Return when it was last written, as the other side says it, or None when the name holds nothing."""
        ...

    def write(self, name: str, document: Secret) -> str:
        """Let consumers have the document; return what `current` answers from now on. Safe to call twice."""
        ...

    def erase(self, name: str) -> None:
        """Take the name away; already absent counts as done."""
        ...
