"""`[approval]`, `[[people]]` and `[[standing_orders]]`: who says yes to what, and what was agreed beforehand."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from rotator.flow.approval import Person, Policy, Role
from rotator.flow.roles import misread

if TYPE_CHECKING:
    from rotator.flow.standing_order import Order

CLI = "cli"
"""How an order names what a person declares at the command line."""
_PROSE = "pagerduty"
"""The sender that names nothing: what is read out of its alerts stands in text that anybody's request may have made."""
_OF = "environment:"
Environment = Annotated[str, Field(pattern=r"^environment:[^\s,:*?\[]+$")]


class PersonSettings(BaseModel):
    """One `[[people]]` entry. `name` is the OS login."""

    model_config = ConfigDict(extra="forbid")
    name: Annotated[str, Field(min_length=1, max_length=128)]
    roles: Annotated[list[Role], Field(min_length=1)]
    contact: str = ""

    @field_validator("name")
    @classmethod
    def _is_read_as_nobody_else(cls, value: str) -> str:
        if misread(value):
            raise ValueError("nobody is called so: `token NAME` is a program's token, which says no yes")
        return value

    def person(self) -> Person:
        """Return it as the rule's noun."""
        return Person(self.name, frozenset(self.roles), self.contact)


class ApprovalSettings(BaseModel):
    """The table `[approval]`. Without it one person does everything."""

    model_config = ConfigDict(extra="forbid")
    four_eyes: bool = True
    approvals: Annotated[int, Field(ge=1, le=2)] = 1
    destruction: Literal["apart", "with_plan"] = "apart"
    confirm: list[Environment] = []

    def policy(self, people: Sequence[PersonSettings]) -> Policy:
        """Return the rule, for these people."""
        return Policy(
            people={each.name: each.person() for each in people},
            four_eyes=self.four_eyes,
            approvals=self.approvals,
            apart=self.destruction == "apart",
            confirm=tuple(each.removeprefix(_OF) for each in self.confirm),
        )


class StandingOrderSettings(BaseModel):
    """One `[[standing_orders]]` entry. It `expires` at the end of that day, UTC."""

    model_config = ConfigDict(extra="forbid")
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,64}$")]
    triggers: list[str]
    environments: Annotated[list[str], Field(min_length=1)]
    approved_by: Annotated[str, Field(min_length=1, max_length=128)]
    expires: dt.date
    verified: bool = True
    reversible: bool = True
    scope: Literal["containment"] = "containment"

    @field_validator("triggers")
    @classmethod
    def _names_what_leaked(cls, triggers: list[str]) -> list[str]:
        if _PROSE in triggers:
            raise ValueError(
                "no order covers `pagerduty`: whoever gets words into an alert would choose what is stopped"
            )
        return triggers

    def order(self) -> Order:
        """Return it as the rule's noun."""
        from rotator.flow.standing_order import Order  # noqa: PLC0415 - only who declares waits for it

        end = dt.datetime.combine(self.expires, dt.time.max, dt.UTC)
        return Order(
            name=self.name,
            triggers=frozenset(self.triggers),
            environments=frozenset(self.environments),
            approved_by=self.approved_by,
            expires=end.timestamp(),
            verified=self.verified,
            reversible=self.reversible,
        )


class Approving(BaseModel):
    """The keys of the top level that say who approves."""

    approval: ApprovalSettings | None = None
    people: list[PersonSettings] = []
    standing_orders: list[StandingOrderSettings] = []

    @model_validator(mode="after")
    def _names(self) -> Approving:
        for what, entries in (("people", self.people), ("standing_orders", self.standing_orders)):
            names = [each.name for each in entries]
            for name in names:
                if names.count(name) > 1:
                    raise ValueError(f"two {what} are called {name}")
        return self

    @property
    def policy(self) -> Policy | None:
        """Return the rule of approval; None where one person does everything."""
        return self.approval.policy(self.people) if self.approval is not None else None

    @property
    def orders(self) -> list[Order]:
        """Return the standing orders, in the order of the file."""
        return [each.order() for each in self.standing_orders]
