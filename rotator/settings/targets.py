"""`[targets]`: within which time which share of the exposed credentials is to be answered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from rotator.flow.duration import Duration
from rotator.flow.incident import Severity

if TYPE_CHECKING:
    from rotator.flow.objective import Objective

ClockName = Literal[
    "detected", "declared", "approved", "acknowledged", "contained", "proven_dead", "replaced", "converged"
]
_Limit = Annotated[Duration, Field(ge=1)] | None


class TargetSettings(BaseModel):
    """One target: `{p95 = "15m", severity = "critical"}`. Without a severity it is for all."""

    model_config = ConfigDict(extra="forbid")
    p50: _Limit = None
    p90: _Limit = None
    p95: _Limit = None
    p99: _Limit = None
    severity: Severity | None = None

    @model_validator(mode="after")
    def _one(self) -> TargetSettings:
        if len(self._limits) != 1:
            raise ValueError("a target has one of p50, p90, p95 and p99: within which time that share is to be")
        return self

    @property
    def _limits(self) -> dict[int, int]:
        given = {50: self.p50, 90: self.p90, 95: self.p95, 99: self.p99}
        return {percent: limit for percent, limit in given.items() if limit is not None}

    def target(self, clock: str) -> Objective:
        """Return it as the flow's noun."""
        from rotator.flow.objective import Objective  # noqa: PLC0415 - only who aims waits for what judges

        [(percent, limit)] = self._limits.items()
        return Objective(clock, percent, float(limit), self.severity.value if self.severity else "")


class Aiming(BaseModel):
    """The key of the top level that says what is aimed at."""

    targets: dict[ClockName, TargetSettings | list[TargetSettings]] = {}

    @property
    def aims(self) -> list[Objective]:
        """Return every target, in the order of the file."""
        return [
            each.target(clock)
            for clock, given in self.targets.items()
            for each in (given if isinstance(given, list) else [given])
        ]
