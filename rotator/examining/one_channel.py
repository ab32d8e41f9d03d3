"""What is alike of notices and SIEMs: the one channel that a person named, and what helps where it was not reached."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol, TypeVar

from rotator.errors import BadInput, RotatorError, Uncertain
from rotator.flow.playbook_words import meant


class Named(Protocol):
    """An entry of the configuration that has a name."""

    @property
    def name(self) -> str:
        """Return it."""


Entry = TypeVar("Entry", bound=Named)


def named(entries: Sequence[Entry], name: str, table: str) -> Entry:
    """Return a channel of a table of the configuration. Raises BadInput where none is called so."""
    for entry in entries:
        if entry.name == name:
            return entry
    known = [each.name for each in entries]
    what = meant(name, known) if known else f"there is none: docs/{table}.md says how to add one"
    raise BadInput(f"no channel is called {name}", f"[[{table}]]", what)


def mend(error: RotatorError, mends: Mapping[str, str], table: str) -> str:
    """Return what helps where a channel did not take what it was sent."""
    if isinstance(error, Uncertain):
        return "it may have it all the same: look there"
    return mends.get(error.reason, f"docs/{table}.md says what it needs")
