"""`[ownership]`: how long owners are given to speak before what several use, or nobody is known to own, is stopped."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict

from rotator.flow.duration import Duration

if TYPE_CHECKING:
    from rotator.flow.ownership import Ownership


class OwnershipSettings(BaseModel):
    """The table; without it nothing waits for an owner."""

    model_config = ConfigDict(extra="forbid")
    deadline: Duration = 0
    of: dict[Literal["low", "medium", "high", "critical"], Duration] = {}

    def rules(self) -> Ownership:
        """Return it as the flow's noun."""
        from rotator.flow.ownership import Ownership  # noqa: PLC0415 - only who plans waits for it

        return Ownership(float(self.deadline), {name: float(each) for name, each in self.of.items()})
