"""The shapes of what acts are given over HTTP; what they answer is in `outcomes.py`."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from rotator.operations.operation import LONGEST_REASON

SOMETHING = r"\S"
"""What a text must match that is more than blanks."""
Text = Annotated[
    str,
    Field(min_length=1, max_length=LONGEST_REASON, pattern=SOMETHING, examples=["the laptop was stolen"]),
]


class _Given(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Why(_Given):
    """Why; it becomes evidence."""

    reason: Text


class Releasing(Why):
    """Why; and the vendor that is paused and for which something new is made all the same, where one is."""

    although_paused: str = ""


class Undoing(Why):
    """Why; and that it is meant, where a stolen credential would live again, or consumers get one that is refused.

    With `would_do`, as it was answered before, nothing else is done than that.
    """

    yes: bool = False
    would_do: Annotated[list[Annotated[str, Field(max_length=500)]], Field(max_length=1000)] | None = None


_WITH_ITS_REASON: dict[str, Any] = {
    "anyOf": [
        {
            "properties": {"break_glass": {"const": True}, "reason": {"pattern": r"\S", "minLength": 1}},
            "required": ["break_glass", "reason"],
        },
        {"properties": {"break_glass": {"const": False}, "reason": {"maxLength": 0}}},
    ]
}
"""Broken glass needs a reason, and nothing else takes one."""


class Yes(_Given):
    """A yes to a plan, by its digest: to `all` of it where no scope is given, or as the rule has it.

    `confirm` is what would have to be typed at a terminal. With `break_glass` it begins without the approval that is
    needed, which asks for a `reason` and is reviewed later.
    """

    model_config = ConfigDict(extra="forbid", json_schema_extra=_WITH_ITS_REASON)

    digest: Annotated[str, Field(pattern=r"^[!-~]{1,64}$", examples=["056172c67b135cf5"])]
    scope: Literal["containment", "destruction", "all"] | None = None
    break_glass: bool = False
    reason: Annotated[str, Field(max_length=LONGEST_REASON)] = ""
    confirm: Annotated[str, Field(max_length=500)] = ""


class Looked(_Given):
    """What a review found; it becomes evidence."""

    note: Text


class Dismissal(Why):
    """As what it is dismissed, and why."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    as_: Annotated[
        Literal["false_positive", "canary", "not_ours", "already_dead"], Field(alias="as", examples=["canary"])
    ]


class Closing(Why):
    """Why; and that what is open of it may stay so, which is evidence."""

    accept_open: bool = False


class Into(_Given):
    """The incident under which another is told from now on."""

    into: Annotated[str, Field(min_length=1, max_length=40, pattern=r"^[^\x00]+$", examples=["inc-20261123-a1b2c3"])]
