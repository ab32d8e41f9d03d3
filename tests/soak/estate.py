"""Who has what: incidents of any size and shape, planted into a world of four issuers and two stores."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, field, replace

from rotator.credential import CredentialRef, Leaked, Secret
from rotator.flow.exposure import Exposure
from rotator.flow.playbook_words import Strategy
from rotator.flow.scope import Scoped, Unresolved
from rotator.ports.store import Place
from tests.fakes.company import DOORS, KINDS, PROPAGATION_S, SETTLE_S
from tests.fakes.consumer import FakeConsumer
from tests.fakes.deployment import Outside, scoped
from tests.fakes.issuer import KeyIssuer, MarkedIssuer, TokenIssuer
from tests.soak.issuers import SoakDoors, SoakIssuer, SoakStore
from tests.soak.world import SoakWorld

STORES = ("kv", "kv-2")
CONNECTIONS = {
    "aws_iam_access_key": "aws",
    "acme_api_token": "acme",
    "vault_token": "vault",
    "ssh_authorized_key": "hosts",
}
QUOTA = 2
SIZES = [1] * 4 + [2, 2, 3, 3, 4, 5, 6, 7, 8, 9, 11, 13, 15, 24]
WANTED = [None] * 8 + [Strategy.CONTAIN_FIRST] * 4 + [Strategy.REPLACE_FIRST] * 5 + [Strategy.REVOKE_ONLY] * 3
CUT_ONLY = 0.02


@dataclass(frozen=True)
class Stolen:
    """One exposed credential: what triage said of it, and what it really opens with."""

    scoped: Scoped
    secret: Secret
    told: str

    @property
    def ref(self) -> CredentialRef:
        return self.scoped.ref

    @property
    def slot(self) -> tuple[str, str, tuple[Place, ...]]:
        """Return what has one replacement: an owner's credentials that are delivered to the same places."""
        return self.ref.provider, self.ref.owner, self.scoped.custody.deliver


@dataclass
class Case:
    """One incident as it was planted. `strategies` are those of its plan, once it has one."""

    id: str
    number: int
    stolen: list[Stolen]
    manual: list[Unresolved]
    wanted: Strategy | None
    strategies: dict[str, Strategy] = field(default_factory=dict)
    consumers: dict[tuple[str, str, tuple[Place, ...]], list[str]] = field(default_factory=dict)


class Estate:
    """The town's issuers, stores and consumers, and whoever was robbed."""

    def __init__(self, world: SoakWorld, seed: str) -> None:
        self.world, self.die = world, random.Random(seed)
        self.issuers = {
            kind: SoakIssuer(world, kind, CONNECTIONS[kind], PROPAGATION_S, quota=QUOTA if kind == KINDS[0] else None)
            for kind in KINDS
        }
        self.doors = SoakDoors(self.issuers["ssh_authorized_key"], DOORS)
        aws, acme, vault = (self.issuers[kind] for kind in KINDS[:3])
        self.outside = Outside(
            providers={
                (aws.kind, "aws"): KeyIssuer(aws, SETTLE_S),
                (acme.kind, "acme"): MarkedIssuer(acme, SETTLE_S),
                (vault.kind, "vault"): TokenIssuer(vault, SETTLE_S),
                ("ssh_authorized_key", "hosts"): self.doors,
            },
            stores={name: SoakStore(world, name) for name in STORES},
        )
        # One issuer says how long its changes take to spread; of the others nobody knows.
        self.outside.providers[aws.kind, "aws"].propagation_s = PROPAGATION_S  # type: ignore[misc]
        self.silent: set[str] = set()
        self.cases: list[Case] = []

    def plant(self, number: int) -> Case:
        """Rob somebody."""
        die = self.die
        wanted = Strategy.CUT_ONLY if die.random() < CUT_ONLY else die.choice(WANTED)
        case = Case(f"inc-{number}", number, [], [], wanted)
        size = die.choice(SIZES)
        while len(case.stolen) < size:
            self._rob_an_owner(case, f"owner-{number}-{len(case.stolen)}", size - len(case.stolen))
        if die.random() < 0.02:
            where = Exposure("list", "unknown", Leaked(id="who-knows"), path="laptop/.env", line=9)
            case.manual.append(Unresolved(None, f"manual-{number}", (where,), "no playbook", "revoke it by hand"))
        self.cases.append(case)
        return case

    def _rob_an_owner(self, case: Case, owner: str, most: int) -> None:
        die = self.die
        kind = die.choice(KINDS)
        # Two keys fill the quota: under replace_first no third can be made before one is gone, and a person is asked.
        full = kind == KINDS[0] and case.wanted is Strategy.REPLACE_FIRST and die.random() < 0.95
        keys = min(die.choice([1] * 7 + [2, 2, 3]), most, 1 if full else QUOTA if kind == KINDS[0] else 3)
        if kind == KINDS[0] and keys == 1 and die.random() < (0.25 if case.wanted is Strategy.CONTAIN_FIRST else 0.03):
            self._plant_key(kind, owner)  # in use and not stolen: the quota is full
        apart = keys > 1 and die.random() < 0.6
        first = [self._places(case, owner, kind, number) for number in range(keys if apart else 1)]
        for number in range(keys):
            self._steal(case, owner, kind, *first[number if apart else 0])

    def _places(self, case: Case, owner: str, kind: str, number: int) -> tuple[tuple[Place, ...], tuple[str, ...]]:
        chosen = self.die.choice([()] + [("kv",)] * 6 + [("kv-2",)] * 3 + [STORES] * 5)
        places = tuple(Place("fake", each, f"{owner}/{kind}/{number}") for each in chosen)
        names = tuple(f"http://{owner}-{number}-{each}" for each in range(self.die.choice([0, 1, 1, 2])))
        for name in names:
            silent = self.die.random() < 0.1
            self.outside.consumers[name] = FakeConsumer(self.world, name, silent=silent)
            if silent:
                self.silent.add(name)
        case.consumers[kind, owner, places] = list(names)
        return places, names

    def _steal(self, case: Case, owner: str, kind: str, places: tuple[Place, ...], consumers: tuple[str, ...]) -> None:
        die = self.die
        ref, secret = self._plant_key(kind, owner)
        for place in places:
            self.outside.stores[place.connection].put(place.name, json.dumps({"id": ref.id}))  # type: ignore[attr-defined]
        for name in consumers:
            with self.world.open() as state:
                state["consumers"][name] = ref.id
        told = die.choices(["whole", "id only", "truncated", "mispaired"], [1000, 35, 2, 2])[0]
        shown = {
            "whole": secret,
            "id only": None,
            "truncated": Secret(secret.reveal()[:-4]),
            "mispaired": Secret(f"canary-of-another-{owner}"),
        }[told]
        reads: tuple[str, ...] | None = ()
        if told == "whole" and case.wanted is not Strategy.CUT_ONLY:
            of = [*STORES, *CONNECTIONS.values()]
            reads = die.choice(
                [()] * 14 + [(f"{die.choice(of)}:all/*",)] * 4 + [tuple(f"{each}:*" for each in STORES), None]
            )
        level = die.choice(["low", "medium", "high", "critical"])
        said = scoped(ref, secret, *places, consumers=consumers, reads=reads, criticality=level)
        said = replace(said, leaked=Leaked(id=ref.id, secret=shown))
        case.stolen.append(Stolen(said, secret, told))

    def _plant_key(self, kind: str, owner: str) -> tuple[CredentialRef, Secret]:
        return self.doors.plant(owner) if kind == "ssh_authorized_key" else self.issuers[kind].plant(owner)
