"""`[[connections]]`: the accounts that the rotator reaches, and with which credential of its own."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator

from rotator import secret_reference
from rotator.families import by_hand
from rotator.ports.connection import Connection


class Budget(BaseModel):
    """How many calls an account allows."""

    model_config = ConfigDict(extra="forbid")
    calls_per_second: Annotated[float, Field(gt=0)]
    burst: Annotated[int, Field(gt=0)] = 1


class ConnectionSettings(BaseModel):
    """One `[[connections]]` entry; keys that only the family knows are kept for it."""

    model_config = ConfigDict(extra="allow")
    name: Annotated[str, Field(min_length=1, pattern=r"^[A-Za-z0-9_.-]+$")]
    family: Annotated[str, Field(min_length=1)]
    account: str | None = None
    credential: str | None = None
    recovery: str | None = None
    endpoint_url: str | None = None
    settle_s: Annotated[float, Field(ge=0)] | None = None
    propagation_s: Annotated[float, Field(ge=0)] | None = None
    budget: Budget | None = None
    kinds: list[str] | None = Field(None, description="the playbooks it serves; absent: all of its family")

    @field_validator("credential")
    @classmethod
    def _reference(cls, value: str | None, known: ValidationInfo) -> str | None:
        if value is not None:
            secret_reference.check(value, f"connections {known.data.get('name', '?')}: credential")
        return value

    @model_validator(mode="after")
    def _says_whose(self) -> ConnectionSettings:
        if self.family == "http" and not self.kinds:
            raise ValueError(
                f"the http connection {self.name} does not say what it serves: leaked secrets of any vendor would be "
                "shown to it; name its playbooks in `kinds`"
            )
        return self

    def connection(self, folder: Path) -> Connection:
        """Return it as the ports' noun; a relative file that it refers to is meant from `folder`."""
        reference = self.credential
        return Connection(
            name=self.name,
            family=self.family,
            account=self.account,
            endpoint_url=self.endpoint_url,
            credential=partial(secret_reference.read, reference, folder) if reference else lambda: None,
            settings=self.model_extra or {},
            settle_s=self.settle_s,
            propagation_s=self.propagation_s,
            kinds=None if self.kinds is None else tuple(self.kinds),
        )


def check_together(entries: Sequence[ConnectionSettings]) -> None:
    """Raise ValueError where one takes another's name, or its recovery leads nowhere."""
    names = [each.name for each in entries]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"two connections are called {name}")
    if by_hand.CONNECTION.name in names:
        raise ValueError(f"`{by_hand.CONNECTION.name}` is what people do: give that connection another name")
    for each in entries:
        _recovers(each, entries)


def _recovers(entry: ConnectionSettings, entries: Sequence[ConnectionSettings]) -> None:
    if entry.recovery is None:
        return
    found = next((each for each in entries if each.name == entry.recovery), None)
    if found is None or found.name == entry.name:
        what = "itself" if found else f"{entry.recovery}, which is not there"
        raise ValueError(f"the recovery of {entry.name} is {what}: name another connection to the same account")
    if found.family != entry.family:
        raise ValueError(
            f"the recovery of {entry.name} is {found.name}, which is one of {found.family}, not of {entry.family}"
        )
