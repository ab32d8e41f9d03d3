"""The cases: four kinds with every strategy, place and twist, and one of each further shape; prepared as a folder.

What the four do not meet, a run of another shipped playbook does: `shape.py` says what makes two runs alike, and
`test_shapes.py` that no shipped playbook and strategy is without its like here.
A folder is a whole deployment on files: the world, the ledger, and what the judges must know that no ledger says.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from rotator.credential import CredentialRef, Secret
from rotator.errors import Unavailable
from rotator.flow.playbook_line import Line
from rotator.flow.playbook_words import MINTING, Expect, Strategy, Subject, Verb
from rotator.flow.scope import Scoped
from rotator.ports.abilities import Batch, Unknockable
from rotator.ports.provider import Provider
from rotator.ports.store import Place
from tests.crash.shape import Shape, step_shapes
from tests.fakes.company import KINDS, PROPAGATION_S, Company
from tests.fakes.consumer import FakeConsumer
from tests.fakes.deployment import PLAYBOOKS, Deployment, scoped, sqlite
from tests.fakes.issuer import QUOTA
from tests.fakes.world import START, FileWorld, World

PLAYED: dict[str, tuple[Strategy, ...]] = {
    "age_key": (Strategy.REVOKE_ONLY,),
    "anthropic_api_key": (Strategy.REVOKE_ONLY,),
    "auth0_client_secret": (Strategy.REVOKE_ONLY,),
    "aws_console_password": (Strategy.REVOKE_ONLY,),
    "aws_role_trust": (Strategy.REVOKE_ONLY,),
    "aws_secret": (Strategy.REVOKE_ONLY,),
    "aws_service_specific_credential": (Strategy.REVOKE_ONLY,),
    "aws_ssm_parameter": (Strategy.REVOKE_ONLY,),
    "aws_sts_session": (Strategy.CUT_ONLY,),
    "azure_entra_secret": (Strategy.CONTAIN_FIRST, Strategy.REPLACE_FIRST, Strategy.REVOKE_ONLY),
    "azure_refresh_token": (Strategy.REVOKE_ONLY,),
    "discord_webhook_url": (Strategy.REVOKE_ONLY,),
    "gcp_iam_binding": (Strategy.REVOKE_ONLY,),
    "gcp_secret_version": (Strategy.REVOKE_ONLY,),
    "gcp_service_account_key": (Strategy.CONTAIN_FIRST, Strategy.REPLACE_FIRST, Strategy.REVOKE_ONLY),
    "github_app_installation": (Strategy.REVOKE_ONLY,),
    "github_token": (Strategy.REVOKE_ONLY,),
    "ldap_password": (Strategy.CONTAIN_FIRST, Strategy.REPLACE_FIRST),
    "mariadb_user": (Strategy.CONTAIN_FIRST, Strategy.REPLACE_FIRST, Strategy.REVOKE_ONLY),
    "mongodb_atlas_secret": (Strategy.CONTAIN_FIRST, Strategy.REPLACE_FIRST),
    "okta_client_secret": (Strategy.CONTAIN_FIRST, Strategy.REPLACE_FIRST),
    "postgres_role": (Strategy.CONTAIN_FIRST, Strategy.REPLACE_FIRST, Strategy.REVOKE_ONLY),
    "ssh_krl_key": (Strategy.REVOKE_ONLY, Strategy.CUT_ONLY),
    "ssh_principal": (Strategy.REVOKE_ONLY,),
    "tls_private_key": (Strategy.REVOKE_ONLY,),
    "twilio_api_key": (Strategy.CONTAIN_FIRST, Strategy.REPLACE_FIRST, Strategy.REVOKE_ONLY),
    "vault_approle_secret_id": (Strategy.CONTAIN_FIRST, Strategy.REPLACE_FIRST),
    "vault_ssh_ca": (Strategy.CONTAIN_FIRST, Strategy.REPLACE_FIRST, Strategy.REVOKE_ONLY),
    "vault_transit_key": (Strategy.REPLACE_FIRST,),
}
"""Runs whose shape none of the four kinds has, each played by its actor: one kind for all that run alike."""

INCIDENT = "inc-1"
STORES = ("kv", "kv-2")
OWNER = "ci"
LOST_DOOR = "web-2"
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
        if self.kind in PLAYED:
            return self.name in _short_played()
        if self.twist is Twist.TWO and self.kind not in KINDS[:2]:
            return False  # one kind without markers and one with them
        if self.strategy is Strategy.CONTAIN_FIRST:
            return self.places == 1 or self.twist is Twist.NONE
        return self.places == 1 and self.twist is Twist.NONE

    @property
    def path(self) -> tuple[Line, ...]:
        """Return the lines of its playbook that it takes."""
        return PLAYBOOKS[self.kind].path(self.strategy)

    @property
    def replaces(self) -> bool:
        """Tell whether another credential is made."""
        return any(line.do.verb in MINTING for line in self.path)

    @property
    def kills(self) -> bool:
        """Tell whether the stolen one is to be dead in the end."""
        return any(line.do.subject is Subject.EXPOSED and line.expect is Expect.REJECTED for line in self.path)

    @property
    def may_ask(self) -> bool:
        """Tell whether a lost mint may be left to a person: nothing tells whose it is, and it cannot go alone."""
        return any(line.do.verb is Verb.ISSUE and line.undo is None for line in self.path)

    @property
    def step_shapes(self) -> dict[str, str]:
        """Return what each step asks of the engine, by its name."""
        return _shapes(self.kind, self.strategy)

    @property
    def shape(self) -> Shape:
        """Return the shape of the run, as its fake plays it."""
        return tuple(self.step_shapes.values())

    @property
    def provider(self) -> Provider:
        """Return the fake that plays it, in an empty world."""
        return _staged(Company(World()), self.kind)

    @property
    def quota(self) -> int | None:
        # Two stolen keys fill the quota; replace_first has nothing that it could destroy for room.
        return None if self.twist is Twist.TWO and self.strategy is Strategy.REPLACE_FIRST else QUOTA


def every_case() -> Iterator[Case]:
    """Yield the four kinds with all that can be unusual about them, then each further shape."""
    yield from _of_the_four()
    yield from _of_the_played()


def _of_the_four() -> Iterator[Case]:
    for kind in KINDS:
        for strategy in PLAYBOOKS[kind].strategies:
            twists = [Twist.NONE, Twist.ID_ONLY, Twist.TWO]
            if kind == "aws_iam_access_key":
                twists.append(Twist.QUOTA)
            if kind == "ssh_authorized_key":
                twists += [Twist.DOOR_LATE, Twist.DOOR_DOWN]
            for twist in twists:
                usual = Case(kind, strategy)
                for places in (1, 2) if usual.replaces else (1,):
                    yield Case(kind, strategy, places, twist)


def _of_the_played() -> Iterator[Case]:
    """Yield each once as usual; without its secret where that is told by its id; two where one call takes both."""
    for kind, strategies in PLAYED.items():
        for strategy in strategies:
            usual = Case(kind, strategy)
            yield usual
            provider = usual.provider
            known = any(line.do.verb is Verb.PRESERVE for line in usual.path)
            if known and not usual.replaces and not isinstance(provider, Unknockable):
                yield Case(kind, strategy, 1, Twist.ID_ONLY)
            if isinstance(provider, Batch) and provider.batch_size > 1:
                yield Case(kind, strategy, 1, Twist.TWO)


@functools.cache
def _shapes(kind: str, strategy: Strategy) -> dict[str, str]:
    return step_shapes(PLAYBOOKS[kind], strategy, Case(kind, strategy).provider, None)


@functools.cache
def met_by_the_four() -> frozenset[str]:
    """Return what the steps of the four kinds ask of the engine."""
    return frozenset(shape for case in _of_the_four() if case.twist is Twist.NONE for shape in case.shape)


@functools.cache
def _short_played() -> frozenset[str]:
    """Return the names of as few as needed to meet every step that the four kinds have not."""
    met, chosen = set(met_by_the_four()), set()
    cases = [case for case in _of_the_played() if case.twist is Twist.NONE]
    while best := max(cases, key=lambda case: len(set(case.shape) - met) / len(case.shape)):
        if set(best.shape) <= met:
            return frozenset(chosen)
        met |= set(best.shape)
        chosen.add(best.name)
    raise AssertionError


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
    _staged(company, case.kind)
    database = sqlite(folder / "ledger.db")
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


def _staged(company: Company, kind: str) -> Provider:
    """Let a kind that is played in; return who plays it."""
    if kind in PLAYED:
        company.let_in(kind)
    return next(each for (name, _), each in company.outside.providers.items() if name == kind)


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
