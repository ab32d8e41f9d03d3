"""`[evidence]`: which key signs the chains of evidence, and how often."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, field_validator

from rotator import secret_reference
from rotator.flow.playbook_line import Duration


class EvidenceSettings(BaseModel):
    """The `[evidence]` table. Without a `signing_key` one process alone makes its own; many sign nothing."""

    model_config = ConfigDict(extra="forbid")
    signing_key: str | None = Field(None, description="a reference to an Ed25519 seed: 32 bytes in base64")
    every: Annotated[Duration, Field(ge=10)] = 300

    @field_validator("signing_key")
    @classmethod
    def _reference(cls, value: str | None) -> str | None:
        if value is not None:
            secret_reference.check(value, "evidence: signing_key")
        return value
