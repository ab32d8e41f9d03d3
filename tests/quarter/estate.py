"""Who has what: credentials of an age up to a year, their places and users, and what the rotator is told of them."""

from __future__ import annotations

import functools
import json
import random
from collections.abc import Mapping, Sequence
from pathlib import Path

from rotator.bootstrap import Rotator
from rotator.credential import CredentialRef
from rotator.flow.inventory import Said
from rotator.flow.playbook import Playbook
from rotator.flow.scope import ConsumerAddress
from rotator.outside import Outside
from rotator.ports.consumer import Consumer
from rotator.ports.provider import Provider, State
from rotator.ports.store import Place, Store
from rotator.settings.configuration import Settings
from rotator.settings.file import load
from tests.fakes.issuer import QUOTA
from tests.fakes.store import FakeStore
from tests.quarter.world import Accessors, Keys, Tokens, Town, TownIssuer, User, document

DAY_S = 86400.0
PROPAGATION_S, SETTLE_S = 4.0, 6.0
LATE = 0.01
"""Which share of the users has a process that reads the new secret as much as a day and a half later."""
_SHAPES = {"aws_iam_access_key": Keys, "acme_api_token": Tokens, "vault_token": Accessors}
ISSUERS: dict[tuple[str, str], float] = {
    ("aws_iam_access_key", "aws-prod"): 0.3,
    ("aws_iam_access_key", "aws-dev"): 0.2,
    ("acme_api_token", "acme"): 0.3,
    ("vault_token", "vault"): 0.2,
}
"""Each issuer, and which share of all credentials is its."""
MANY_MACHINES = """
broker_url = "redis://127.0.0.1:1/0"
seal_key = "file:seal.key"
evidence.signing_key = "file:signing.key"
"""
"""What a ledger on PostgreSQL asks for; nothing is sent over that broker."""
CONFIGURATION = """
data_dir = "data"
database_url = "{url}"
hygiene = ["hygiene.yaml"]
[targets]
proven_dead = {{p90 = "45m"}}
contained = {{p99 = "30m", severity = "critical"}}
[[connections]]
name = "aws-prod"
family = "aws"
account = "prod"
kinds = ["aws_iam_access_key"]
region = "eu-central-1"
[[connections]]
name = "aws-dev"
family = "aws"
account = "dev"
kinds = ["aws_iam_access_key"]
region = "eu-central-1"
[[connections]]
name = "acme"
family = "http"
kinds = ["acme_api_token"]
endpoint_url = "http://acme"
[[connections]]
name = "vault"
family = "vault"
kinds = ["vault_token"]
endpoint_url = "http://vault"
"""
POLICIES = """
policies:
  - name: keys
    select: provider:aws_iam_access_key
    max_age: {keys_age}
    schedule: "0 2 * * mon-fri"
    window: 2h
    time_zone: Europe/Berlin
    jitter: 20d
    overlap: 1d
    at_once: {at_once}
    freeze:
      - {{from: 2026-08-17, to: 2026-08-21, why: the summer sale}}
    approved_by: Jana
    expires: 2027-06-30
    destroys: true
  - name: tokens
    select: provider:acme_api_token
    max_age: 300d
    schedule: "30 23 * * *"
    window: 1h
    jitter: 30d
    overlap: 12h
    at_once: {at_once}
    approved_by: Jana
    expires: 2027-06-30
  - name: vault
    select: provider:vault_token,connection:vault
    max_age: 270d
    schedule: "0 5 * * sat"
    window: 4h
    time_zone: America/New_York
    jitter: 40d
    overlap: 2d
    at_once: {at_once}
    approved_by: Omar
    expires: 2027-06-30
    destroys: true
"""


class TownOutside(Outside):
    """The town as the rotator reaches it; which kinds there are is the product's own."""

    def __init__(self, settings: Settings, playbooks: Mapping[str, Playbook], estate: Estate) -> None:
        super().__init__(settings, playbooks)
        self._estate = estate

    def provider_of(self, kind: str, connection: str) -> Provider:
        return self._estate.providers[kind, connection]

    def store(self, _place: Place) -> Store:
        return self._estate.keeper

    def consumer(self, address: ConsumerAddress) -> Consumer:
        return self._estate.users[address.name]


class Company(Rotator):
    """The rotator of a company in the town; all else of it is its own."""

    def __init__(self, folder: Path, estate: Estate) -> None:
        super().__init__(load(folder / "rotator.toml"))
        self._estate = estate

    @functools.cached_property
    def outside(self) -> Outside:
        """Return the town."""
        return TownOutside(self.settings, self.playbooks, self._estate)


class Estate:
    """The town's credentials. `size` are planted, each of an owner of its own."""

    def __init__(self, world: Town, seed: str, size: int) -> None:
        self.world, self.die = world, random.Random(f"{seed}/estate")
        self.issuers = {
            of: TownIssuer(world, *of, PROPAGATION_S, quota=QUOTA if "key" in of[0] else None) for of in ISSUERS
        }
        self.providers: dict[tuple[str, str], Provider] = {
            of: _SHAPES[of[0]](at, SETTLE_S) for of, at in self.issuers.items()
        }
        self.keeper = FakeStore(world, "vault")
        self.users: dict[str, User] = {}
        self.planted: list[CredentialRef] = []
        shares = self.die.choices(list(ISSUERS), list(ISSUERS.values()), k=size)
        for number, of in enumerate(shares):
            self.plant(of, f"svc-{number:05d}", self.die.uniform(0.0, 365.0))

    def plant(self, of: tuple[str, str], owner: str, days: float) -> CredentialRef:
        """Give somebody a credential that is so old, in a place, with a user."""
        issuer, now = self.issuers[of], self.world.now()
        with self.world.open() as state:
            ref, _ = issuer.make(state, owner, now - days * DAY_S)
            state["credentials"][ref.id]["last_used_at"] = str(now - self.die.uniform(0.0, days) * DAY_S)
            state["consumers"][name := f"http://{owner}"] = ref.id
        self.keeper.put(f"{of[1]}/{owner}", document(ref.id))
        late_s = self.die.uniform(0.5, 1.5) * DAY_S if self.die.random() < LATE else 0.0
        self.users[name] = User(self.world, name, late_s)
        self.planted.append(ref)
        return ref

    def said(self, refs: Sequence[CredentialRef]) -> list[Said]:
        """Return what the company's inventory says of credentials."""
        return [
            Said(
                {"provider": ref.provider, "owner": ref.owner},
                {
                    "criticality": self.die.choice(["low", "medium", "high", "critical"]),
                    "environment": "development" if ref.connection == "aws-dev" else "production",
                    "reads": [],
                    "deliver": [{"store": "vault_kv", "connection": "vault", "name": f"{ref.connection}/{ref.owner}"}],
                    "consumers": [{"webhook": f"http://{ref.owner}"}],
                    "contact": f"team-{int(ref.owner.rpartition('-')[2]) % 12}",
                },
                "estate",
            )
            for ref in refs
        ]

    def withdraw(self, ref: CredentialRef) -> None:
        """Let its owner destroy a credential, and use none any more."""
        with self.world.open() as state:
            state["credentials"][ref.id]["state"] = State.ABSENT.value
            state["places"].pop(f"vault:{ref.connection}/{ref.owner}")

    def living(self) -> list[CredentialRef]:
        """Return what opens something now, and is what its place holds, by name."""
        return [
            CredentialRef(each["kind"], each["connection"], each["owner"], name)
            for name, each in sorted(self.world.credentials.items())
            if each["state"] == State.ACTIVE.value and self.delivered(each) == name
        ]

    def delivered(self, record: dict[str, str]) -> str | None:
        """Return the credential that its owner's place holds."""
        place = self.world.places.get(f"vault:{record['connection']}/{record['owner']}")
        if place is None:
            return None
        return str(json.loads(place["versions"][place["current"]])["id"])
