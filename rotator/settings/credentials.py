"""`[[credentials]]`: what is known of a credential before it leaks, and where its replacement goes."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, field_validator

from rotator.errors import BadInput
from rotator.flow.paths import unmeant
from rotator.flow.playbook_words import meant
from rotator.flow.scope import Custody
from rotator.flow.site import Site, SiteKind, site
from rotator.ports.store import Place
from rotator.settings.consumers import ConsumerSettings, address_of


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
    reachable_from: list[str] = []
    vendor: str = ""
    datasets: list[str] = []
    contact: str = ""
    shared: bool = False
    canary: bool = False

    @field_validator("reachable_from")
    @classmethod
    def _sites(cls, value: list[str]) -> list[str]:
        try:
            return [str(site(each)) for each in value]
        except BadInput as error:
            raise ValueError(f"{error.what}: {error.mend}") from None

    def custody(self) -> Custody:
        """Return it as the flow's noun."""
        return custody_of(
            self.match.model_dump(exclude_none=True),
            self.model_dump(mode="json", exclude={"match"}, exclude_unset=True),
        )

    def check_names(self, connections: Mapping[str, str]) -> None:
        """Raise ValueError for a connection that it names and that is not there, and for a path that means nothing.

        `connections` have their mounts: see `mounts_of` in flow/paths.py.
        """
        for place in self.deliver:
            _check("deliver names the connection", place.connection, connections)
        for consumer in self.consumers:
            if consumer.connection is not None:
                _check("consumers name the connection", consumer.connection, connections)
        for key, names in (("reads", self.reads or ()), ("administers", self.administers)):
            for each in names:
                name = each.partition(":")[0]
                if name not in connections:
                    raise ValueError(
                        f"{key} has {each}, and no connection is called {name}: {_known(name, connections)}; "
                        "a wrong name would let a new secret go where a thief can read it"
                    )
                if mend := unmeant(each, connections[name]):
                    raise ValueError(f"{key} has {each}, which matches no secret: {mend}")


def custody_of(match: Mapping[str, str], said: Mapping[str, Any]) -> Custody:
    """Return an entry as the flow's noun. What it says was validated when it was written: tens of thousands come."""
    reads = said.get("reads")
    return Custody(
        match=match,
        criticality=said.get("criticality", ""),
        reads=None if reads is None else tuple(reads),
        administers=tuple(said.get("administers", ())),
        environment=said.get("environment"),
        deliver=tuple(Place(each["store"], each["connection"], each["name"]) for each in said.get("deliver", ())),
        consumers=tuple(address_of(each) for each in said.get("consumers", ())),
        reachable_from=tuple(_site(each) for each in said.get("reachable_from", ())),
        vendor=said.get("vendor", ""),
        datasets=tuple(said.get("datasets", ())),
        contact=said.get("contact", ""),
        shared=said.get("shared", False),
        canary=said.get("canary", False),
    )


def _site(text: str) -> Site:
    kind, _, name = text.partition(":")
    return Site(SiteKind(kind), name)


def _check(who: str, name: str, connections: Collection[str]) -> None:
    if name not in connections:
        raise ValueError(f"{who} {name}, which is not there: {_known(name, connections)}")


def _known(name: str, connections: Collection[str]) -> str:
    return meant(name, connections) if connections else "add it to [[connections]]"
