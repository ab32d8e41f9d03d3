"""A service whose tasks are started anew, as moto plays ECS: it starts none, so one that wants none is through."""

from __future__ import annotations

import secrets

import pytest

from rotator.consumers.ecs_deployment import connect
from rotator.credential import CredentialRef
from rotator.errors import BadInput, Rejected, Unavailable
from rotator.families.aws import Exchange
from rotator.ports.consumer import Notice
from rotator.practice.process import free_port
from tests.servers.moto import moto_server
from tests.stores.secrets_manager_case import connection

EXPOSED = CredentialRef("vault_token", "vault", "ci", "old-accessor")
NOTICE = Notice("inc-1", EXPOSED, EXPOSED.with_id("new-accessor"), ())


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with moto_server(tmp_path_factory.mktemp("aws")) as running:
        ecs = running.client("ecs")
        ecs.create_cluster(clusterName="shop")
        container = {"name": "api", "image": "api", "memory": 128}
        ecs.register_task_definition(family="api", containerDefinitions=[container])
        yield running


@pytest.fixture
def service(server):
    def make(wanted):
        name = f"api-{secrets.token_hex(4)}"
        server.client("ecs").create_service(cluster="shop", serviceName=name, taskDefinition="api", desiredCount=wanted)
        return connect(connection(server), [f"shop/{name}"])

    return make


def test_a_deployment_is_begun_and_named(service):
    told = service(0).reload(NOTICE)
    assert told.said.startswith("deployment ecs-svc/")
    assert told.using is None


def test_it_is_through_when_ecs_says_so_and_does_not_say_what_the_tasks_hold(service):
    told = service(0).holding(NOTICE)
    assert (told.said.endswith("completed, 0 of 0 tasks are new"), told.using) == (True, None)
    with pytest.raises(Unavailable) as raised:
        service(2).holding(NOTICE)
    assert raised.value.reason == "rolling_out"
    assert raised.value.detail.endswith("0 of 2 tasks are new")


def test_a_deployment_that_failed_is_a_refusal(service, monkeypatch):
    # moto's deployments never fail: here ECS's answer is ours, in the shape that its documentation prints.
    failed = {"id": "ecs-svc/1", "status": "PRIMARY", "rolloutState": "FAILED", "runningCount": 0, "desiredCount": 2}
    monkeypatch.setattr(Exchange, "read", lambda *_, **__: {"services": [{"deployments": [failed]}]})
    with pytest.raises(Rejected) as refusal:
        service(2).holding(NOTICE)
    assert refusal.value.reason == "rollout_failed"


def test_a_service_or_a_cluster_that_is_not_there_is_a_refusal(server):
    for name in ("shop/gone", "gone/api"):
        for call in (connect(connection(server), [name]).reload, connect(connection(server), [name]).holding):
            with pytest.raises(Rejected):
                call(NOTICE)


def test_nobody_listening_is_unavailable(server):
    nowhere = connect(connection(server, f"http://127.0.0.1:{free_port()}"), ["shop/api"])
    for call in (nowhere.reload, nowhere.holding):
        with pytest.raises(Unavailable):
            call(NOTICE)


@pytest.mark.parametrize("name", ["", "api", "shop/", "/api", "a/b/c"])
def test_what_is_no_service_is_one_clear_line(server, name):
    with pytest.raises(BadInput, match="is no service"):
        connect(connection(server), [name])
