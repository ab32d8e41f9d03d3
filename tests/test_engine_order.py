"""Leak-safe: no new secret comes to be while a stolen credential that may read it still lives, whatever the graph."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rotator.claims import LEAK_SAFE
from rotator.credential import Leaked, Secret
from rotator.errors import Rejected
from rotator.flow.playbook import Strategy
from rotator.ports import Place
from tests.fakes.company import KINDS, Company
from tests.fakes.deployment import Deployment, broken_chains, emptied, scoped, sqlite
from tests.fakes.world import World

STORES = ("kv", "kv-2")
ISSUERS = {"aws_iam_access_key": "aws", "acme_api_token": "acme", "vault_token": "vault", "ssh_authorized_key": "hosts"}
HOUR = 3600.0
STOPS = {"issuer.suspend", "issuer.revoke", "issuer.uninstall"}


@dataclass(frozen=True)
class Thing:
    """One stolen credential: what it reads (None: nobody knows), where its replacement goes, and what is wrong."""

    kind: str
    reads: frozenset[str] | None
    delivers: frozenset[str]
    told: str
    stubborn: bool


things = st.builds(
    Thing,
    kind=st.sampled_from(KINDS),
    reads=st.none() | st.frozensets(st.sampled_from([*STORES, *ISSUERS.values()]), max_size=4),
    delivers=st.frozensets(st.sampled_from(STORES), min_size=1),
    told=st.sampled_from(["whole", "whole", "truncated", "nothing"]),
    stubborn=st.sampled_from([False, False, False, True]),
)


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    opened = sqlite(tmp_path_factory.mktemp("ledger") / "ledger.db")
    yield opened
    opened.close()


class Watch:
    """Looks at the world in every moment in which a new secret comes to be, or comes to rest in a store."""

    def __init__(self, company: Company, stolen: dict[str, tuple]) -> None:
        self.company, self.stolen, self.harm = company, stolen, []

    def __call__(self, phase: str, what: str, _changes: bool) -> None:
        about = self.company.world.about
        if phase == "before" and what in STOPS:
            name = about.partition("@")[0]
            if any(each.ref.id == name and thing.stubborn for thing, each, _ in self.stolen.values()):
                raise Rejected("access_denied")
        if phase == "after" and what == "store.stage":
            connection, _, name = about.partition(":")
            self.reached(name.partition("/")[0], connection)
        if phase == "after" and what == "issuer.issue":
            self.reached(about, ISSUERS[self.stolen[about][0].kind])

    def reached(self, owner: str, connection: str) -> None:
        for other, (_, each, secret) in self.stolen.items():
            if other != owner and connection in each.reaches and self.company.opens(each.ref, secret):
                self.harm.append(f"{owner}'s new one is at {connection}, where {each.ref} may read")


def deployed(database, drawn: list[Thing]) -> tuple[Company, Deployment, dict[str, tuple]]:
    company = Company(World())
    stolen = {}
    for number, thing in enumerate(drawn):
        owner = f"owner-{number}"
        ref, secret = company.plant(thing.kind, owner)
        reads = None if thing.reads is None else tuple(f"{each}:all/*" for each in sorted(thing.reads))
        places = tuple(Place("fake", each, f"{owner}/{thing.kind}") for each in sorted(thing.delivers))
        told = {"whole": secret, "truncated": Secret(secret.reveal()[:-4]), "nothing": None}[thing.told]
        each = replace(scoped(ref, secret, *places, reads=reads), leaked=Leaked(id=ref.id, secret=told))
        stolen[owner] = (thing, each, secret)
    return company, Deployment(company.world, company.outside, emptied(database)), stolen


@settings(deadline=None, max_examples=60)
@given(drawn=st.lists(things, min_size=1, max_size=5))
def test_no_new_secret_is_within_reach_of_a_living_stolen_one_and_all_comes_to_rest(database, drawn):
    company, deployment, stolen = deployed(database, drawn)
    deployment.start([each for _, each, _ in stolen.values()])
    watch = Watch(company, stolen)
    company.world.meet = watch
    deployment.rest()
    company.world.wait_until(company.world.now() + HOUR)
    assert watch.harm == []
    assert broken_chains(deployment) == []
    open_runs = [record.run for record in deployment.record().runs if record.run.contained_at is None]
    for record in deployment.record().runs:
        thing, each, secret = stolen[record.run.ref.owner]
        states = {step.state.value for step in record.steps}
        assert company.opens(each.ref, secret) == thing.stubborn
        assert states & {"held", "failed"} or states == {"done"}
        # Nobody waits in vain: whoever is held for safety has a reader of whom nobody knows that it is contained.
        receives = {each.ref.connection, *(place.connection for place in each.custody.deliver)}
        readers = [run for run in open_runs if run != record.run and stolen[run.ref.owner][1].reaches & receives]
        waits = any(step.state.value == "held" and step.reason == LEAK_SAFE for step in record.steps)
        assert not waits or readers


@settings(deadline=None, max_examples=30)
@given(drawn=st.lists(things.map(lambda thing: replace(thing, told="whole", stubborn=False)), min_size=2, max_size=5))
def test_where_each_can_be_contained_none_waits_for_ever(database, drawn):
    company, deployment, stolen = deployed(database, drawn)
    deployment.start([each for _, each, _ in stolen.values()], wanted=Strategy.CONTAIN_FIRST)
    deployment.rest()
    for record in deployment.record().runs:
        assert {step.state.value for step in record.steps} == {"done"}
        assert company.living(record.run.ref) == {record.run.replacement}
