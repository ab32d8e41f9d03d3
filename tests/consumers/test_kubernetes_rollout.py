"""A workload that is restarted, on our fake of the published Kubernetes API."""

from __future__ import annotations

import pytest

from rotator.consumers.kubernetes_rollout import connect
from rotator.credential import CredentialRef
from rotator.errors import BadInput, Rejected, Unavailable
from rotator.ports.connection import Connection
from rotator.ports.consumer import Notice
from rotator.practice.process import free_port
from tests.fakes.kubernetes_server import kubernetes_server

EXPOSED = CredentialRef("vault_token", "vault", "ci", "old-accessor")
NOTICE = Notice("inc-1", EXPOSED, EXPOSED.with_id("new-accessor"), ())


@pytest.fixture
def server():
    with kubernetes_server() as running:
        for resource in ("deployments", "statefulsets", "daemonsets"):
            spec = {"replicas": 3, "template": {"metadata": {"annotations": {"team": "shop"}}, "spec": {}}}
            running.cluster.create(resource, "shop", {"metadata": {"name": "api"}, "spec": spec})
        yield running


def consumer(server, workload="shop/deployment/api", address=None):
    connection = Connection(
        "prod", "kubernetes", endpoint_url=address or server.address, credential=lambda: server.admin
    )
    return connect(connection, [workload])


@pytest.mark.parametrize("sort", ["deployment", "statefulset", "daemonset"])
def test_a_restart_marks_the_template_as_kubectl_does_and_nothing_else(server, sort):
    told = consumer(server, f"shop/{sort}/api").reload(NOTICE)
    found = server.cluster.read(f"{sort}s", "shop", "api")
    marks = found["spec"]["template"]["metadata"]["annotations"]
    assert set(marks) == {"team", "kubectl.kubernetes.io/restartedAt"}
    assert told.said == f"restarted at {marks['kubectl.kubernetes.io/restartedAt']}, generation 2"
    assert found["spec"]["replicas"] == 3


def test_it_is_through_when_every_pod_is_new_and_does_not_say_what_the_pods_hold(server):
    workload = consumer(server)
    server.cluster.stuck.add(("shop", "api"))
    workload.reload(NOTICE)
    with pytest.raises(Unavailable) as raised:
        workload.holding(NOTICE)
    assert (raised.value.reason, raised.value.detail) == (
        "rolling_out",
        "prod: shop/deployment/api: 0 of 3 pods are new",
    )
    server.cluster.stuck.clear()
    workload.reload(NOTICE)
    told = workload.holding(NOTICE)
    assert (told.said, told.using) == ("3 of 3 pods are new and available", None)


@pytest.mark.parametrize(
    "status",
    [
        {"observedGeneration": 0},
        {"availableReplicas": 2},
        {"updatedReplicas": 2},
        {"replicas": 4},
        {"desiredNumberScheduled": 5, "updatedNumberScheduled": 4, "numberAvailable": 5},
        {"desiredNumberScheduled": 5, "updatedNumberScheduled": 5, "numberAvailable": 4},
    ],
)
def test_each_sign_of_an_unfinished_rollout_is_heeded(server, status):
    server.cluster._objects["deployments", "shop", "api"]["status"] |= status
    with pytest.raises(Unavailable) as raised:
        consumer(server).holding(NOTICE)
    assert raised.value.reason == "rolling_out"


def test_a_workload_that_is_not_there_is_a_refusal(server):
    gone = consumer(server, "shop/deployment/gone")
    for call in (gone.reload, gone.holding):
        with pytest.raises(Rejected) as refusal:
            call(NOTICE)
        assert refusal.value.reason == "no_such_consumer"


def test_nobody_listening_is_unavailable(server):
    with pytest.raises(Unavailable):
        consumer(server, address=f"http://127.0.0.1:{free_port()}").reload(NOTICE)


@pytest.mark.parametrize("workload", ["", "api", "shop/api", "shop/pod/api", "shop/deployment/", "a/deployment/b/c"])
def test_what_is_no_workload_is_one_clear_line(server, workload):
    with pytest.raises(BadInput, match="is no workload"):
        consumer(server, workload)
