"""A small row for one credential of an incident, as a board shows it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from rotator.flow.standing import UNCOUNTED, CredentialState


class Needs(StrEnum):
    """Why a credential needs a person; the worst first. What goes on by itself once a gate opens needs none."""

    ALIVE_AGAIN = "alive again"
    FAILED = "failed"
    BY_HAND = "by hand"
    HELD = "held"
    LEFT_OPEN = "left open"
    TASK = "no machine can answer it"


@dataclass(frozen=True, slots=True)
class Row:
    """One run, or the task of a person (`is_task`). Times in epoch seconds, None for what has not happened.

    `provider` is "" for what nobody recognised. `place` is its incident's: 0, or behind for one that was merged into
    it. `touches` are the connections at which a stop keeps it where it is, none where nothing of it is left to do.
    `settled_by` names the run that saw a death which this one has not. `also` are the other runs of the same
    credential.
    """

    run: str
    incident: str
    place: int
    provider: str
    connection: str
    owner: str
    id: str
    strategy: str
    wave: int
    priority: float
    revision: int
    state: CredentialState
    evidence: str
    detected_at: float
    requested_at: float | None = None
    acknowledged_at: float | None = None
    contained_at: float | None = None
    dead_at: float | None = None
    replaced_at: float | None = None
    converged_at: float | None = None
    destroys_at: float | None = None
    needs: Needs | None = None
    touches: tuple[str, ...] = ()
    settled_by: str = ""
    also: tuple[str, ...] = ()
    is_task: bool = False
    words: str = field(init=False, repr=False, compare=False)
    """In what a text is looked for, in small letters."""

    def __post_init__(self) -> None:
        found = f"{self.id}\n{self.owner}\n{self.connection}\n{self.run}".casefold()
        object.__setattr__(self, "words", found)

    @property
    def is_dismissed(self) -> bool:
        """Tell whether it is no leak of ours to answer."""
        return self.state is CredentialState.DISMISSED

    @property
    def is_counted(self) -> bool:
        """Tell whether the figures of its incident count it."""
        return self.state not in UNCOUNTED

    @property
    def rank(self) -> tuple[bool, bool, bool, int, float, int, str]:
        """Return by what the report sorts: runs before tasks, what is dismissed or settled elsewhere behind."""
        if self.is_task:
            return (True, False, False, self.place, 0.0, len(self.run), self.run)
        return (False, self.is_dismissed, bool(self.settled_by), self.place, -self.priority, 0, self.run)
