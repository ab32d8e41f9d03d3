"""`[watch]`: for how long what is dead is looked at again."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class WatchSettings(BaseModel):
    """The `[watch]` table."""

    model_config = ConfigDict(extra="forbid")
    days: Annotated[int, Field(ge=0, le=365)] = Field(30, description="0: nothing is looked at again")
