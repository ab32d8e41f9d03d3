"""`[evidence]`: which key signs the chains of evidence and how often, and who outside of the ledger witnesses it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from rotator import secret_reference
from rotator.errors import BadInput
from rotator.evidence.address import bucket_of
from rotator.flow.duration import Duration
from rotator.settings.connections import ConnectionSettings

_DAY_S = 86_400
_YEAR_S = 365 * _DAY_S
"""PCI DSS 10.5.1 wants a year of it."""


class EvidenceSettings(BaseModel):
    """The `[evidence]` table. Without a `signing_key` one process alone makes its own; many sign nothing."""

    model_config = ConfigDict(extra="forbid")
    signing_key: str | None = Field(None, description="a reference to an Ed25519 seed: 32 bytes in base64")
    every: Annotated[Duration, Field(ge=10)] = 300
    keep: list[str] = []
    connection: str | None = None
    retain_days: Annotated[int, Field(ge=1, le=36_500)] = 365
    delete_after: Annotated[Duration, Field(ge=_YEAR_S)] | None = None
    timestamps: str | None = None
    timestamps_ca: Path | None = None
    timestamps_every: Annotated[Duration, Field(ge=10)] = 3_600

    @field_validator("signing_key")
    @classmethod
    def _reference(cls, value: str | None) -> str | None:
        if value is not None:
            secret_reference.check(value, "evidence: signing_key")
        return value

    @field_validator("keep")
    @classmethod
    def _keepers(cls, value: list[str]) -> list[str]:
        try:
            for each in value:
                bucket_of(each)
        except BadInput as error:
            raise ValueError(str(error)) from None
        if len(set(value)) < len(value):
            raise ValueError("one keeper is named twice")
        return value

    @field_validator("timestamps")
    @classmethod
    def _authority(cls, value: str | None) -> str | None:
        if value is not None:
            address = urlsplit(value)
            if address.scheme not in ("http", "https") or not address.hostname or "@" in address.netloc:
                raise ValueError("must be the http or https address of a time stamping authority, without a login")
        return value

    @model_validator(mode="after")
    def _whole(self) -> EvidenceSettings:
        if (self.timestamps is None) != (self.timestamps_ca is None):
            raise ValueError("`timestamps` and `timestamps_ca` belong together: a stamp is checked before it is kept")
        if self.delete_after is not None and self.delete_after < self.retain_days * _DAY_S:
            raise ValueError(
                f"`delete_after` is less than `retain_days`, for which buckets lock it: {self.retain_days}d"
            )
        return self

    @property
    def witnesses(self) -> list[str]:
        """Return the addresses of all who witness checkpoints outside."""
        return [*self.keep, *([] if self.timestamps is None else [self.timestamps])]

    def settle(self, at_home: Callable[[str, Path], Path], connections: Sequence[ConnectionSettings]) -> None:
        """Take paths from the configuration's folder on. Raises ValueError for a connection that is none of AWS."""
        self.keep = [each if bucket_of(each) else str(at_home("evidence: keep", Path(each))) for each in self.keep]
        if self.timestamps_ca is not None:
            self.timestamps_ca = at_home("evidence: timestamps_ca", self.timestamps_ca)
        if self.connection is not None:
            family = next((each.family for each in connections if each.name == self.connection), None)
            if family != "aws":
                raise ValueError(f"evidence: connection: `{self.connection}` is no connection of the family aws")
