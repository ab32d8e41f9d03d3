"""`[vendors]`: the checklist by which a vendor that was paused is let in again."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from rotator.flow.approval import Role
from rotator.flow.checklist import CUT, DEFAULT, WEAK, Asks, Gate

_OF = {"kinds": Asks.ATTESTATIONS, "fresh": Asks.ATTESTATIONS, "count": Asks.APPROVAL, "role": Asks.APPROVAL}
"""The keys that only one sort of gate has."""


class GateSettings(BaseModel):
    """One gate: what it is called, and what it asks."""

    model_config = ConfigDict(extra="forbid")
    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,62}$")]
    asks: Literal["document", "attestations", "software", "datasets", "credentials", "approval"]
    kinds: list[Annotated[str, Field(min_length=1, max_length=64)]] = []
    fresh: bool = False
    count: Annotated[int, Field(ge=1, le=5)] = 1
    role: Literal["approver", "admin"] = "approver"

    @model_validator(mode="after")
    def _keys_of_its_sort(self) -> GateSettings:
        for key, asks in _OF.items():
            if key in self.model_fields_set and self.asks != asks:
                raise ValueError(f"`{key}` belongs to a gate that asks for {asks}, and this one asks for {self.asks}")
        if self.name == CUT.name:
            raise ValueError(f"the gate `{CUT.name}` is always there, before all others: take another name")
        return self

    def gate(self) -> Gate:
        """Return it as the flow's noun."""
        return Gate(self.name, Asks(self.asks), tuple(self.kinds), self.fresh, self.count, Role(self.role))


class VendorSettings(BaseModel):
    """The table. Without `gates` the checklist has one of each sort."""

    model_config = ConfigDict(extra="forbid")
    gates: list[GateSettings] = []

    @model_validator(mode="after")
    def _finds_something_out(self) -> VendorSettings:
        names = [each.name for each in self.gates]
        if twice := next((each for each in names if names.count(each) > 1), None):
            raise ValueError(f"two gates are called {twice}: rename one")
        if self.gates and all(Asks(each.asks) in WEAK for each in self.gates):
            raise ValueError(
                "no vendor is let in by attestations and a yes alone: add a gate that asks for a document, software, "
                "datasets or credentials"
            )
        return self

    @property
    def checklist(self) -> tuple[Gate, ...]:
        """Return the gates in their order, first the one that is always there."""
        return (CUT, *(each.gate() for each in self.gates)) if self.gates else (CUT, *DEFAULT)
