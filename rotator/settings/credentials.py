"""`[[credentials]]`: what is known of a credential before it leaks, and where its replacement goes."""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal

from pydantic import BaseModel, ConfigDict

from rotator.flow.scope import Custody
from rotator.ports import Place
from rotator.settings.consumers import ConsumerSettings


class Match(BaseModel):
    """Which credentials an entry speaks of."""

    model_config = ConfigDict(extra="forbid")
    provider: str | None = None
    connection: str | None = None
    owner: str | None = None
    id: str | None = None


class PlaceSettings(BaseModel):
    """Where a replacement goes."""

    model_config = ConfigDict(extra="forbid")
    store: str
    connection: str
    name: str


class CredentialSettings(BaseModel):
    """One `[[credentials]]` entry."""

    model_config = ConfigDict(extra="forbid")
    match: Match
    criticality: Literal["low", "medium", "high", "critical"] = "medium"
    environment: Literal["production", "staging", "test", "development"] | None = None
    reads: list[str] | None = None
    administers: list[str] = []
    deliver: list[PlaceSettings] = []
    consumers: list[ConsumerSettings] = []

    def custody(self) -> Custody:
        """Return it as the flow's noun."""
        return Custody(
            match={key: value for key, value in self.match.model_dump().items() if value is not None},
            criticality=self.criticality,
            reads=None if self.reads is None else tuple(self.reads),
            administers=tuple(self.administers),
            environment=self.environment,
            deliver=tuple(Place(each.store, each.connection, each.name) for each in self.deliver),
            consumers=tuple(each.address() for each in self.consumers),
        )

    def check_names(self, connections: Collection[str]) -> None:
        """Raise ValueError for a connection that it names and that is not there."""
        for place in self.deliver:
            if place.connection not in connections:
                raise ValueError(f"deliver names the connection {place.connection}, which is not there")
        for consumer in self.consumers:
            if consumer.connection is not None and consumer.connection not in connections:
                raise ValueError(f"consumers name the connection {consumer.connection}, which is not there")
        for key, names in (("reads", self.reads or ()), ("administers", self.administers)):
            for each in names:
                if each.partition(":")[0] not in connections:
                    raise ValueError(
                        f"{key} has {each}, and no connection is called {each.partition(':')[0]}: "
                        "a wrong name would let a new secret go where a thief can read it"
                    )
