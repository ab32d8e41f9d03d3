"""The whole playbook of each kind of password, carried out by the engine on the real server."""

from __future__ import annotations

import pytest

from rotator.credential import read_document
from rotator.engine import Engine
from rotator.flow.playbook_words import Strategy
from rotator.ledger.working import WorkingLedger
from rotator.ports.provider import Answer, State
from rotator.ports.store import Place
from tests.contracts.case import opener
from tests.fakes.company import CONSUMER
from tests.fakes.consumer import FakeConsumer
from tests.fakes.deployment import SEAL, Deployment, Outside, scoped, sqlite
from tests.fakes.store import FakeStore
from tests.fakes.world import World

KINDS = ["postgres_role", "mariadb_user", "redis_acl_user", "rabbitmq_user", "ldap_password"]


@pytest.fixture(scope="module", params=KINDS)
def case(request, tmp_path_factory):
    with opener(request.param)(tmp_path_factory.mktemp(request.param)) as opened:
        opened.provider.settle_s = 0.0
        yield opened


def carried_out(case, strategy, tmp_path):
    ref, secret = case.plant()
    world = World()
    store = FakeStore(world, "kv")
    outside = Outside(
        {(ref.provider, ref.connection): case.provider}, {"kv": store}, {CONSUMER: FakeConsumer(world, CONSUMER)}
    )
    deployment = Deployment(world, outside, sqlite(tmp_path / f"{ref.provider}.db"))
    deployment.start([scoped(ref, secret, Place("fake", "kv", "ci"), consumers=(CONSUMER,))], wanted=strategy)
    deployment.rest(Engine(WorkingLedger(deployment.database, SEAL, world.now), outside, "worker", world.now))
    steps = deployment.steps()
    deployment.database.close()
    return ref, secret, store, steps


@pytest.mark.parametrize("strategy", [Strategy.CONTAIN_FIRST, Strategy.REPLACE_FIRST])
def test_the_exposed_password_dies_and_what_was_delivered_opens_the_door(case, strategy, tmp_path):
    if case.provider.name == "rabbitmq_user" and strategy is Strategy.REPLACE_FIRST:
        pytest.skip("it has one password, and its playbook no replace_first")
    ref, secret, store, steps = carried_out(case, strategy, tmp_path)
    assert set(steps.values()) == {"done"}, steps
    assert case.provider.verify(ref, secret).answer is Answer.REJECTED
    delivered = store.read("ci", str(store.current("ci")))
    credential_id, password, public = read_document(delivered, case.provider.secret_field)
    assert public["username"]
    assert case.provider.verify(ref.with_id(credential_id), password).answer is Answer.ACCEPTED
    assert case.provider.inspect(ref).state is State.ABSENT
