"""How a role that hands out logins is tried once: a login is taken, looked at, ended, and seen refused.

It is written down before it is taken, and again by its name once it has one. A role that somebody else made, or that
was prepared whole before, is not tried: nobody could tell a login of ours from theirs, were the answer lost.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from rotator.credential import Secret
from rotator.families.vault_dynamic import EngineRole

Thing = Mapping[str, str]


class Noting(Protocol):
    """What is written down before it is made, and what was so before: `conversions.Notes`."""

    @property
    def begun(self) -> Collection[Thing]: ...

    @property
    def intends(self) -> Callable[[Sequence[Thing]], None]: ...

    @property
    def became(self) -> Callable[[Thing, Thing], None]: ...


@dataclass(frozen=True, slots=True)
class Trying:
    """What is looked at of a login while it lives and once it is revoked; each raises Rejected, or says what it saw.

    `found_by` is what is needed besides to find what a login left.
    """

    lives: Callable[[str, Secret], str]
    is_gone: Callable[[str, Secret], str]
    found_by: Thing = field(default_factory=dict)


def made_and_tried(role: EngineRole, notes: Noting, trying: Trying) -> dict[str, str]:
    """Make the role where it is not there, and try it where it is nobody's yet; return what was seen."""
    is_there = role.is_there()
    if is_there and role.thing() not in notes.begun:
        return {"tried": "not now: the role was there before, and its logins may be in use"}
    trial = {**role.trial(), **trying.found_by}
    notes.intends([role.thing(), trial])
    if not is_there:
        role.make()
    with role.login(lambda found: notes.became(trial, {**trial, **found})) as (user, password):
        seen = trying.lives(user, password)
    return {"tried": seen, "revoked": trying.is_gone(user, password)}
