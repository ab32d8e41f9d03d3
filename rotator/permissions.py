"""What the rotator's own credential may do on the other side, asked before an incident and with nothing tried.

An answer is the other side's own word, or `None`: nobody can tell without trying. It is never a promise: a rule that is
looked at only when the call is made (a condition, a lock, a quota) may still refuse it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

LOOK = "look"
"""What every run does besides the verbs of its playbook: identify, inspect, siblings."""


@dataclass(frozen=True, slots=True)
class Permission:
    """One thing that some verbs need, and what the other side says of it.

    `verbs` are a playbook's (`issue`, `revoke`, `end_sessions`; of a store `promote` and `demote`), and LOOK. `needs`
    is the other side's own name for it, so that whoever grants it knows it ("iam:DeleteAccessKey on user/ci").
    `granted` is None where nobody can tell; `why` then says why, and otherwise what refuses it, if that is told.
    """

    verbs: tuple[str, ...]
    needs: str
    granted: bool | None
    why: str = ""


@runtime_checkable
class Permitted(Protocol):
    """A kind or a store whose other side says what the rotator may do there."""

    def permissions(self, whose: str | None) -> Sequence[Permission]:
        """Return what each verb needs there, and whether it is granted; change nothing.

        `whose` is an owner (of a store: the name in it); None means whatever is on the connection, and is granted only
        where it is for all of them. Raises the three errors where nobody could be asked.
        """
        ...
