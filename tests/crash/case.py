"""The cases: every shipped playbook, strategy and number of places, each also with a twist; prepared as a folder.

A folder is a whole deployment on files: the world, the ledger, and what the judges must know that no ledger says.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from rotator.credential import CredentialRef, Secret
from rotator.errors import Unavailable
from rotator.flow.playbook_words import Strategy
from rotator.flow.scope import Scoped
from rotator.ports import Place
from tests.fakes.company import KINDS, PROPAGATION_S, Company
from tests.fakes.consumer import FakeConsumer
from tests.fakes.deployment import PLAYBOOKS, Deployment, scoped, sqlite
from tests.fakes.issuer import QUOTA
from tests.fakes.world import START, FileWorld

REPLACING = frozenset({Strategy.CONTAIN_FIRST, Strategy.REPLACE_FIRST})
INCIDENT = "inc-1"
STORES = ("kv", "kv-2")
OWNER = "ci"
LOST_DOOR = "web-2"
_WORDED: dict[Any, Any] = {}
"""Statements that were worded once: kept by the process that all workers are forked from."""
DOOR_BACK_S = 6.0
"""Less than the pairing knock is patient for: a door that nobody saw open is left to a person, which is right."""


class Twist(StrEnum):
    """What is unusual about a case."""

    NONE = "as usual"
    ID_ONLY = "id only"
    QUOTA = "quota full"
    TWO = "two of one owner"
    DOOR_LATE = "a door down for a moment"
    DOOR_DOWN = "a door down for good"


@dataclass(frozen=True)
class Case:
    """One beginning."""

    kind: str
    strategy: Strategy
    places: int = 1
    twist: Twist = Twist.NONE

    @property
    def name(self) -> str:
        where = "one place" if self.places == 1 else f"{self.places} places"
        return f"{self.kind}, {self.strategy}, {where}, {self.twist}"

    @property
    def stuck(self) -> bool:
        """Tell whether a person must mend something before it can end well: visibly so, and nothing may be lost."""
        full = self.twist is Twist.QUOTA and self.strategy is Strategy.REPLACE_FIRST
        return full or self.twist is Twist.DOOR_DOWN

    @property
    def short(self) -> bool:
        """Tell whether it belongs to the few in which every distinct shape of a step is met."""
        if self.twist is Twist.TWO and self.kind not in KINDS[:2]:
            return False  # one kind without markers and one with them
        if self.strategy is Strategy.CONTAIN_FIRST:
            return self.places == 1 or self.twist is Twist.NONE
        return self.places == 1 and self.twist is Twist.NONE

    @property
    def quota(self) -> int | None:
        # Two stolen keys fill the quota; replace_first has nothing that it could destroy for room.
        return None if self.twist is Twist.TWO and self.strategy is Strategy.REPLACE_FIRST else QUOTA


def every_case() -> Iterator[Case]:
    """Yield each shipped playbook, strategy and number of places, with what can be unusual about it."""
    for kind in KINDS:
        for strategy in PLAYBOOKS[kind].strategies:
            twists = [Twist.NONE, Twist.ID_ONLY, Twist.TWO]
            if kind == "aws_iam_access_key":
                twists.append(Twist.QUOTA)
            if kind == "ssh_authorized_key":
                twists += [Twist.DOOR_LATE, Twist.DOOR_DOWN]
            for twist in twists:
                for places in (1, 2) if strategy in REPLACING else (1,):
                    yield Case(kind, strategy, places, twist)


@dataclass(frozen=True)
class Theft:
    """One stolen credential, who uses it, and its material, whether or not the report had it."""

    ref: CredentialRef
    secret: Secret
    places: tuple[Place, ...]
    consumer: str


@dataclass
class Scene:
    """A folder, opened: the company, its rotator, and what was stolen."""

    case: Case
    company: Company
    deployment: Deployment
    thefts: list[Theft]
    innocent: str | None = None

    @property
    def planted(self) -> set[str]:
        """Return the ids of every credential that was there before."""
        return {theft.ref.id for theft in self.thefts} | ({self.innocent} if self.innocent else set())

    def meet_downtime(self, about: str) -> None:
        """Raise Unavailable while the door that this exchange concerns is down."""
        twist = self.case.twist
        if twist in {Twist.DOOR_LATE, Twist.DOOR_DOWN} and about.endswith(f"@{LOST_DOOR}"):
            back = twist is Twist.DOOR_LATE and self.company.world.now() >= START + DOOR_BACK_S
            if not back:
                raise Unavailable("unreachable", f"{LOST_DOOR} is down")


def opened(folder: Path, case: Case) -> Scene:
    """Open the world and the ledger of a folder, as each process finds them."""
    world = FileWorld(folder / "world.json")
    company = Company(world, propagation_s=PROPAGATION_S, quota=case.quota)
    database = sqlite(folder / "ledger.db")
    database.engine = database.engine.execution_options(compiled_cache=_WORDED)
    deployment = Deployment(world, company.outside, database)
    known = folder / "stolen.json"
    kept = json.loads(known.read_text()) if known.exists() else {"stolen": [], "innocent": None}
    thefts = [
        Theft(
            CredentialRef(case.kind, each["connection"], OWNER, each["id"]),
            Secret(each["secret"]),
            tuple(Place(*place) for place in each["places"]),
            each["consumer"],
        )
        for each in kept["stolen"]
    ]
    scene = Scene(case, company, deployment, thefts, kept["innocent"])
    for number in range(2):
        name = f"http://consumer-{number}"
        company.outside.consumers[name] = FakeConsumer(world, name)
    return scene


def prepare(folder: Path, case: Case) -> None:
    """Plant, declare and approve; leave behind what was planted, for those who judge."""
    scene = opened(folder, case)
    reported: list[Scoped] = []
    for number in range(2 if case.twist is Twist.TWO else 1):
        ref, secret = scene.company.plant(case.kind, OWNER)
        places = tuple(Place("fake", store, f"{OWNER}/{number}") for store in STORES[: case.places])
        for place in places:
            scene.company.outside.stores[place.connection].put(place.name, json.dumps({"id": ref.id}))  # type: ignore[attr-defined]
        theft = Theft(ref, secret, places, f"http://consumer-{number}")
        scene.thefts.append(theft)
        material = None if case.twist is Twist.ID_ONLY else secret
        reported.append(scoped(ref, material, *places, consumers=(theft.consumer,)))
    if case.twist is Twist.QUOTA:
        scene.innocent = scene.company.plant(case.kind, OWNER)[0].id
    kept = [
        {
            "connection": theft.ref.connection,
            "id": theft.ref.id,
            "secret": theft.secret.reveal(),
            "places": [(place.store, place.connection, place.name) for place in theft.places],
            "consumer": theft.consumer,
        }
        for theft in scene.thefts
    ]
    (folder / "stolen.json").write_text(json.dumps({"stolen": kept, "innocent": scene.innocent}))
    scene.deployment.start(reported, wanted=case.strategy, incident=INCIDENT)
    scene.deployment.database.close()
