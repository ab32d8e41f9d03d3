"""A company of fakes as the parts that a drill stands on, all by the company's own time."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from rotator import clock
from rotator.bootstrap import Rotator
from rotator.credential import CredentialRef
from rotator.flow.exercise import Exercise
from rotator.flow.scope import ConsumerAddress
from rotator.ports.connection import Connection
from rotator.ports.store import Place
from rotator.settings.configuration import Settings
from tests.fakes.company import CONSUMER, Company
from tests.fakes.deployment import PLAYBOOKS, SEAL, Deployment, Outside

KEY, TOKEN = "aws_iam_access_key", "acme_api_token"
CONNECTIONS = {KEY: "aws", TOKEN: "acme", "vault_token": "vault", "ssh_authorized_key": "hosts"}


@dataclass
class Reached(Outside):
    """The fakes, by kind and connection too."""

    checked: list[Any] = field(default_factory=list)

    def provider_of(self, kind: str, connection: str) -> Any:
        return self.providers[kind, connection]

    def family(self, kind: str) -> str:
        return kind

    def is_grant(self, kind: str) -> bool:
        return kind == "aws_role_trust"

    def check_places(self, places: Any, where: str) -> None:
        self.checked.append((places, where))


@dataclass
class Ground:
    """Where drills are held, and what is true there whatever a ledger says."""

    company: Company
    deployment: Deployment
    parts: Rotator

    @property
    def world(self):
        return self.company.world

    def wait(self, seconds: float) -> None:
        self.world.wait_until(self.world.now() + seconds)

    def work(self, _incident: str) -> None:
        """Carry out what is due within a minute."""
        self.deployment.rest(patience_s=60.0)

    def alive(self) -> set[str]:
        """Return every credential that opens something, or will."""
        with self.world.open() as state:
            owners = {(each["kind"], each["owner"]) for each in state["credentials"].values()}
        return set().union(*(self.company.living(CredentialRef(kind, "", owner, "")) for kind, owner in owners))

    def made(self) -> set[str]:
        with self.world.open() as state:
            return set(state["credentials"])


def ground(company: Company, deployment: Deployment, monkeypatch: Any, **settings: Any) -> Ground:
    """Return the parts over the company, their clock set to its time."""
    monkeypatch.setattr(clock, "now", company.world.now)
    parts = Rotator(Settings(**settings))
    outside = Reached(**{name: getattr(company.outside, name) for name in ("providers", "stores", "consumers")})
    deployment.outside = outside
    connections = [Connection(name, kind) for kind, name in CONNECTIONS.items()]
    kept = {"database": deployment.database, "seal": SEAL, "playbooks": PLAYBOOKS, "outside": outside}
    kept |= {"connections": connections, "entries": [], "limits": {}, "account_of": lambda _connection: ""}
    kept |= {name: getattr(deployment, name) for name in ("reading", "enrolment", "hands", "stops")}
    kept["basis"] = lambda _credentials, _used: {}
    parts.__dict__.update(kept)
    return Ground(company, deployment, parts)


def exercise(kind: str = KEY, **more: Any) -> Exercise:
    """Return one that is replaced in a place of its own, and told to the company's consumer."""
    told = {
        "name": "weekly",
        "connection": CONNECTIONS[kind],
        "owners": ("drill",),
        "deliver": (Place("fake", "kv", f"drill/{kind}"),),
        "consumers": (ConsumerAddress("webhook", CONSUMER),),
    }
    return Exercise(kind=kind, **{**told, **more})
