"""`[advisories]`: where advisories are looked up that are not given as a file."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class AdvisorySettings(BaseModel):
    """The `[advisories]` table. `url` is a server of OSV's interface; absent: nothing is looked up anywhere."""

    model_config = ConfigDict(extra="forbid")
    url: Annotated[str, Field(pattern=r"^https?://[^\s/@?#]+(/[^\s?#]*)?$")] | None = None
