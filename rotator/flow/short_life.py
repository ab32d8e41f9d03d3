"""Short life: what is issued for minutes or hours in the stead of a kind, and how to come from the one to the other.

A conversion is a numbered list. A machine does some of its moves, a person the others: no machine can see that a job
really runs with what is new, or decide who may assume a role.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field, StringConstraints, model_validator

from rotator.flow.mistake import wrong
from rotator.rest_template import Strict

Words = Annotated[str, StringConstraints(min_length=10, max_length=400)]


class Act(StrEnum):
    """What a machine does of a conversion.

    `prepare` makes, beside what is there, what issues short-lived ones with the same rights (`rotator segmentation
    convert`); `retire` stops the old one for good as after a leak, by this playbook's `revoke_only`.
    """

    PREPARE = "prepare"
    RETIRE = "retire"


class Move(Strict):
    """One move of a conversion: a machine's, or a person's in words."""

    machine: Act | None = None
    person: Words | None = None

    @model_validator(mode="after")
    def _whose(self) -> Move:
        if (self.machine is None) == (self.person is None):
            raise wrong("a move is a machine's or a person's", "write either `machine:` or `person:`")
        return self


class ShortLived(Strict):
    """The short-lived way of a kind."""

    by: Words = Field(description="what is issued instead, and by whom")
    moves: Annotated[list[Move], Field(min_length=2)]

    @model_validator(mode="after")
    def _ends_the_old_one(self) -> ShortLived:
        machine = [each.machine for each in self.moves if each.machine is not None]
        if machine != sorted(set(machine)):
            raise wrong("`prepare` comes once, and before `retire`", "put the moves in order", ("moves",))
        if Act.RETIRE in machine and self.moves[-1].machine is not Act.RETIRE:
            raise wrong("the old one is retired last", "put `machine: retire` at the end", ("moves",))
        return self

    @property
    def is_prepared(self) -> bool:
        """Tell whether a machine makes what is new."""
        return any(each.machine is Act.PREPARE for each in self.moves)
