"""A small company of fakes: four issuers, one store, one consumer, and one stolen credential of each kind."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from rotator.credential import CredentialRef, Secret
from rotator.flow.scope import Scoped
from rotator.ledger.database import Database
from rotator.ports.abilities import SessionEnding
from rotator.ports.provider import State
from rotator.ports.store import Place
from tests.fakes.actors import actor
from tests.fakes.consumer import FakeConsumer
from tests.fakes.deployment import Deployment, Outside, scoped, sqlite
from tests.fakes.doors import DoorIssuer
from tests.fakes.issuer import QUOTA, Issuer, KeyIssuer, MarkedIssuer, TokenIssuer
from tests.fakes.store import FakeStore
from tests.fakes.world import World

KINDS = ("aws_iam_access_key", "acme_api_token", "vault_token", "ssh_authorized_key")
DOORS = ("web-1", "web-2")
PROPAGATION_S = 4.0
SETTLE_S = 6.0
CONSUMER = "http://consumer"


class Company:
    """The fakes, and what is true of them whatever a ledger says."""

    def __init__(
        self,
        world: World,
        propagation_s: float = PROPAGATION_S,
        quota: int | None = QUOTA,
        doors: tuple[str, ...] = DOORS,
    ) -> None:
        self.world = world
        self.aws = Issuer(world, "aws_iam_access_key", "aws", propagation_s, quota=quota)
        self.acme = Issuer(world, "acme_api_token", "acme", propagation_s)
        self.vault = Issuer(world, "vault_token", "vault", propagation_s)
        self.hosts = DoorIssuer(Issuer(world, "ssh_authorized_key", "hosts"), doors)
        self.store = FakeStore(world, "kv")
        self.outside = Outside(
            providers={
                ("aws_iam_access_key", "aws"): KeyIssuer(self.aws, SETTLE_S),
                ("acme_api_token", "acme"): MarkedIssuer(self.acme, SETTLE_S),
                ("vault_token", "vault"): TokenIssuer(self.vault, SETTLE_S),
                ("ssh_authorized_key", "hosts"): self.hosts,
            },
            stores={"kv": self.store, "kv-2": FakeStore(world, "kv-2")},
            consumers={CONSUMER: FakeConsumer(world, CONSUMER)},
        )

    def let_in(self, kind: str) -> None:
        """Have one more kind, played by its actor."""
        played = actor(self.world, kind, self.aws.propagation_s, SETTLE_S)
        self.outside.providers[kind, played.at.connection] = played

    def plant(self, kind: str, owner: str = "ci") -> tuple[CredentialRef, Secret]:
        """Give somebody a credential of that kind."""
        found = next(each for (name, _), each in self.outside.providers.items() if name == kind)
        return getattr(found, "plant", found.at.plant)(owner)  # type: ignore[attr-defined,no-any-return]

    def stolen(self, kind: str, owner: str = "ci", places: tuple[str, ...] = ("kv",)) -> tuple[Scoped, Secret]:
        """Plant a credential that consumers use, and say what triage would say of it."""
        ref, secret = self.plant(kind, owner)
        places_of = tuple(Place("fake", connection, f"{owner}/{kind}") for connection in places)
        for place in places_of:
            self.outside.stores[place.connection].put(place.name, json.dumps({"id": ref.id}))  # type: ignore[attr-defined]
        return scoped(ref, secret, *places_of, consumers=(CONSUMER,)), secret

    def credential(self, credential_id: str) -> dict[str, Any]:
        with self.world.open() as state:
            return dict(state["credentials"][credential_id])

    def opens(self, ref: CredentialRef, secret: Secret) -> bool:
        """Tell whether somebody gets in with it anywhere, now."""
        found = self.credential(ref.id)
        with self.world.open() as state:
            if "material" not in found:
                return any(door["open"] for door in found["doors"].values())
            right = found["material"] == secret.reveal()
            at = self.outside.provider(ref).at  # type: ignore[attr-defined]
            return right and at.felt(state, found) == State.ACTIVE.value

    def sessions(self, ref: CredentialRef) -> int:
        found = self.credential(ref.id)
        doors = sum(door["sessions"] for door in found["doors"].values())
        ends = isinstance(self.outside.provider(ref), SessionEnding)
        return doors + (found.get("sessions", 0) if ends else 0)

    def holders(self) -> dict[str, str]:
        """Return which credential each consumer holds."""
        with self.world.open() as state:
            return dict(state["consumers"])

    def living(self, ref: CredentialRef) -> set[str]:
        """Return every credential of that owner that still opens something or will."""
        with self.world.open() as state:
            return {
                name
                for name, found in state["credentials"].items()
                if (found["kind"], found["owner"]) == (ref.provider, ref.owner)
                and (
                    found.get("state") == State.ACTIVE.value
                    or found.get("held")
                    or any(each["open"] for each in found["doors"].values())
                )
            }

    def delivered(self, ref: CredentialRef, place: Place) -> tuple[CredentialRef, Secret]:
        """Return what a consumer reads at the place now."""
        document = json.loads(self.outside.stores[place.connection].consumed(place.name) or "{}")  # type: ignore[attr-defined]
        field = self.outside.provider(ref).secret_field
        return ref.with_id(document["id"]), Secret(document.get(field, ""))


def founded(
    tmp_path: Path, world: World | None = None, database: Database | None = None, **of: Any
) -> tuple[Company, Deployment]:
    """Return a company and a fresh deployment that guards it."""
    company = Company(world or World(), **of)
    ledger = database or sqlite(tmp_path / "ledger.db")
    return company, Deployment(company.world, company.outside, ledger)
