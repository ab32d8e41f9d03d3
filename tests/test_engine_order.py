"""Leak-safe: no new secret comes to where a living stolen credential or the attacker's host has it, whatever the graph.

Several incidents at once, of which one is not approved; who reads and who administers what, known or not; each with a
strategy that somebody asked for; consumers on hosts that the attacker holds. The world is looked at, not the ledger.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rotator.credential import Leaked, Secret
from rotator.errors import Rejected
from rotator.flow.playbook_words import Strategy
from rotator.flow.scope import ConsumerAddress
from rotator.ledger.gates import Gates
from rotator.ledger.waits import is_unsafe
from rotator.ports.store import Place
from tests.fakes.company import CONSUMER, KINDS, Company
from tests.fakes.deployment import Deployment, broken_chains, emptied, scoped, sqlite
from tests.fakes.world import World

STORES = ("kv", "kv-2")
ISSUERS = {"aws_iam_access_key": "aws", "acme_api_token": "acme", "vault_token": "vault", "ssh_authorized_key": "hosts"}
HOSTS = ("build-1", "build-2")
HOUR = 3600.0
STOPS = {"issuer.suspend", "issuer.revoke", "issuer.uninstall"}
REPLACING = {Strategy.CONTAIN_FIRST, Strategy.REPLACE_FIRST}


@dataclass(frozen=True)
class Thing:
    """One stolen credential: what it reads (None: nobody knows) and administers, where its replacement goes.

    `host` is where its consumer lives. `told` says what the report has of it; nobody can stop one that is `stubborn`.
    """

    kind: str
    reads: frozenset[str] | None
    administers: frozenset[str]
    delivers: frozenset[str]
    host: str
    told: str
    stubborn: bool


def some(names, most):
    return st.frozensets(st.sampled_from(names), max_size=most)


things = st.builds(
    Thing,
    kind=st.sampled_from(KINDS),
    reads=st.none() | some([*STORES, *ISSUERS.values()], 3),
    administers=some([*STORES, *ISSUERS.values()], 1),
    delivers=st.frozensets(st.sampled_from(STORES), min_size=1),
    host=st.sampled_from(["", "", *HOSTS]),
    told=st.sampled_from(["whole", "whole", "truncated", "nothing"]),
    stubborn=st.sampled_from([False, False, False, True]),
)
willing = things.map(lambda thing: replace(thing, told="whole", stubborn=False))


def incidents(of):
    """Return two incidents that are approved, and one that nobody approves: what leaked, and what was asked for."""
    wishes = st.sampled_from([None, *Strategy])
    return st.tuples(*[st.tuples(st.lists(of, min_size=least, max_size=3), wishes) for least in (1, 0, 0)])


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    opened = sqlite(tmp_path_factory.mktemp("ledger") / "ledger.db")
    yield opened
    opened.close()


@dataclass
class Stolen:
    """A thing that was planted, and the run that answers it."""

    thing: Thing
    owner: str
    said: object
    secret: Secret
    incident: str
    strategy: Strategy | None = None

    @property
    def reaches(self) -> frozenset[str]:
        """Return where a thief gets with it, counted apart from the product."""
        reads = self.thing.reads if self.thing.reads is not None else {ISSUERS[self.thing.kind]}
        return frozenset(reads) | self.thing.administers


@dataclass
class Watch:
    """Looks at the world in every moment in which a new secret comes to be, or to where somebody may read it."""

    company: Company
    stolen: dict[str, Stolen]
    footholds: set[str]
    harm: list[str] = field(default_factory=list)

    def __call__(self, phase: str, what: str, _changes: bool) -> None:
        about = self.company.world.about
        if phase == "before" and what in STOPS:
            name = about.partition("@")[0]
            if any(each.said.ref.id == name and each.thing.stubborn for each in self.stolen.values()):
                raise Rejected("access_denied")
        if phase == "after" and what in {"store.stage", "store.promote"}:
            connection, _, name = about.partition(":")
            self.reached(self.stolen[name.partition("/")[0]], connection)
        if phase == "after" and what == "issuer.issue":
            self.reached(self.stolen[about], ISSUERS[self.stolen[about].thing.kind])

    def reached(self, mine: Stolen, connection: str) -> None:
        if mine.thing.host in self.footholds:
            self.harm.append(f"{mine.owner}'s new one goes to {mine.thing.host}")
        for other in self.stolen.values():
            reads = connection in other.reaches and self.company.opens(other.said.ref, other.secret)
            if reads and other.strategy is not None and not accepted(mine, other):
                self.harm.append(f"{mine.owner}'s new one is at {connection}, where {other.said.ref} may read")


def accepted(mine: Stolen, other: Stolen) -> bool:
    """Tell what a plan warned of, and its approval took on: to replace first where nobody knows what is read."""
    unknown = other.strategy is Strategy.REPLACE_FIRST and other.thing.reads is None
    return mine.strategy is Strategy.REPLACE_FIRST and unknown


def deployed(database, drawn, footholds=frozenset()) -> tuple[Company, Deployment, dict[str, Stolen]]:
    company = Company(World())
    deployment = Deployment(company.world, company.outside, emptied(database))
    stolen: dict[str, Stolen] = {}
    for number, (leaked, wanted) in enumerate(drawn, start=1):
        name, mine = f"inc-{number}", []
        for thing in leaked:
            owner = f"owner-{len(stolen) + len(mine)}"
            ref, secret = company.plant(thing.kind, owner)
            said = scoped(
                ref,
                secret,
                *(Place("fake", each, f"{owner}/{thing.kind}") for each in sorted(thing.delivers)),
                reads=None if thing.reads is None else tuple(f"{each}:all/*" for each in sorted(thing.reads)),
            )
            told = {"whole": secret, "truncated": Secret(secret.reveal()[:-4]), "nothing": None}[thing.told]
            custody = replace(
                said.custody,
                administers=tuple(f"{each}:*" for each in sorted(thing.administers)),
                consumers=(ConsumerAddress("webhook", CONSUMER, thing.host),) if thing.host else (),
            )
            said = replace(said, leaked=Leaked(id=ref.id, secret=told), custody=custody)
            mine.append(Stolen(thing, owner, said, secret, name))
        if not mine:
            continue
        start = deployment.declare if number == 3 else deployment.start
        plan = start([each.said for each in mine], wanted=wanted, incident=name, footholds=footholds)
        strategies = {run.ref: run.strategy for run in plan.runs}
        for each in mine:
            each.strategy = strategies[each.said.ref] if number != 3 else None
        risky = any(accepted(each, each) for each in mine)
        assert not risky or any("under replace_first" in warning for warning in plan.warnings)
        stolen |= {each.owner: each for each in mine}
    return company, deployment, stolen


def records(deployment, stolen):
    for name in sorted({each.incident for each in stolen.values() if each.strategy is not None}):
        for record in deployment.record(name).runs:
            yield stolen[record.run.ref.owner], record


@settings(deadline=None, max_examples=50)
@given(drawn=incidents(things), footholds=some(HOSTS, 2))
def test_no_new_secret_is_within_reach_of_a_living_stolen_one_and_all_comes_to_rest(database, drawn, footholds):
    company, deployment, stolen = deployed(database, drawn, footholds)
    watch = company.world.meet = Watch(company, stolen, set(footholds))
    deployment.rest()
    company.world.wait_until(company.world.now() + HOUR)
    assert watch.harm == []
    assert broken_chains(deployment) == []
    found = list(records(deployment, stolen))
    living = [record.run for _, record in found if record.run.contained_at is None]
    for mine, record in found:
        states = {step.state.value for step in record.steps}
        if mine.strategy is not Strategy.CUT_ONLY:
            assert company.opens(mine.said.ref, mine.secret) or not mine.thing.stubborn
        assert states & {"held", "failed"} or states == {"done"}
        # Nobody waits in vain: who is held for safety names somebody who is not known to be contained, or a foothold.
        for step in record.steps:
            if is_unsafe(step):
                assert any(run.id in step.reason for run in living) or f"the foothold {mine.thing.host}" in step.reason


@settings(deadline=None, max_examples=30)
@given(drawn=incidents(willing), footholds=some(HOSTS, 2))
def test_where_each_can_be_contained_and_each_host_isolated_none_waits_for_ever(database, drawn, footholds):
    company, deployment, stolen = deployed(database, drawn, footholds)
    company.world.meet = watch = Watch(company, stolen, set(footholds))
    deployment.rest()
    gates = Gates(deployment.database, company.world.now)
    for incident in sorted({each.incident for each in stolen.values()}):
        for host in sorted(footholds):
            gates.isolate(incident, host, "ann", "unplugged")
    watch.footholds.clear()
    deployment.rest()
    assert watch.harm == []
    cut_only = {each.owner for each in stolen.values() if each.strategy is Strategy.CUT_ONLY}
    for mine, record in records(deployment, stolen):
        readers = {
            each.owner
            for each in stolen.values()
            if each.owner in cut_only - {mine.owner} and each.reaches & {mine.said.ref.connection, *mine.thing.delivers}
        }
        if mine.strategy in REPLACING and not readers:
            assert {step.state.value for step in record.steps} == {"done"}
            assert company.living(record.run.ref) == {record.run.replacement}
