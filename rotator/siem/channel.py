"""What a channel to a SIEM can do, and the line that it takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Line:
    """An event in the channel's format: `at` in epoch seconds, OCSF's severity, and what it is an event of."""

    text: str
    at: float
    severity_id: int
    name: str


class Channel(Protocol):
    """A way to a SIEM. A receiver may get a line twice and never loses one that `send` returned for, but over UDP."""

    def send(self, lines: Sequence[Line]) -> str:
        """Hand over all lines, in this order; return the answer once they are taken. Raises one of the errors."""
        ...

    def reach(self) -> str:
        """Look whether somebody would take one, and send none; return the answer."""
        ...
