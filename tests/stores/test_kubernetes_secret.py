"""What is peculiar to Kubernetes Secrets: keys, what stays and what waits beside them."""

from __future__ import annotations

import base64

import pytest

from rotator.credential import Secret
from rotator.errors import Rejected, RotatorError, Uncertain
from rotator.families.kubernetes import Kubernetes
from rotator.ports.connection import Connection
from rotator.stores.kubernetes_secret import connect
from tests.fakes.kubernetes_server import kubernetes_server

DOCUMENT = Secret('{"id": "new", "token": "canary-4d5e6f"}')


@pytest.fixture
def server():
    with kubernetes_server() as running:
        yield running


def store(server):
    return connect(Connection("prod", "kubernetes", endpoint_url=server.address, credential=lambda: server.admin))


def by_hand(server, **more):
    body = {"metadata": {"name": "api", "labels": {"team": "shop"}, "annotations": {"note": "x"}}, **more}
    return server.cluster.create("secrets", "shop", {"stringData": {"id": "old", "region": "eu"}, **body})


def names(server):
    return [each["metadata"]["name"] for each in server.cluster.listed("secrets", "shop")]


def test_the_documents_fields_are_the_keys_and_the_rest_of_the_secret_stays(server):
    by_hand(server)
    at = store(server)
    at.promote("shop/api", at.stage("shop/api", DOCUMENT, "step-1"), at.current("shop/api"))
    found = server.cluster.read("secrets", "shop", "api")
    assert {key: base64.b64decode(text).decode() for key, text in found["data"].items()} == {
        "id": "new",
        "token": "canary-4d5e6f",
    }
    assert (found["metadata"]["labels"], found["metadata"]["annotations"]) == ({"team": "shop"}, {"note": "x"})


def test_nothing_of_the_new_secret_waits_after_promotion_and_the_old_one_is_kept_once(server):
    by_hand(server)
    at = store(server)
    for number in range(3):
        version = at.stage("shop/api", Secret(f'{{"id": "{number}"}}'), f"step-{number}")
        at.promote("shop/api", version, at.current("shop/api"))
    assert names(server) == ["api", "api.rotator-kept"]


def test_a_crash_after_the_write_is_mended_by_repeating(server, monkeypatch):
    by_hand(server)
    at = store(server)
    before = at.current("shop/api")
    version = at.stage("shop/api", DOCUMENT, "step-1")
    real = Kubernetes.change

    def dies(self, method, path, *rest):
        if method == "DELETE":
            raise Uncertain("connection_lost")
        return real(self, method, path, *rest)

    monkeypatch.setattr(Kubernetes, "change", dies)
    with pytest.raises(Uncertain):
        at.promote("shop/api", version, before)
    monkeypatch.undo()
    promoted = at.promote("shop/api", version, before)
    assert promoted == at.current("shop/api")
    assert at.read("shop/api", before) == Secret('{"id": "old", "region": "eu"}')
    at.demote("shop/api", promoted, before)
    assert at.read("shop/api", at.current("shop/api")) == Secret('{"id": "old", "region": "eu"}')


def test_an_immutable_secret_is_a_refusal(server):
    by_hand(server, immutable=True)
    at = store(server)
    with pytest.raises(Rejected) as refusal:
        at.promote("shop/api", at.stage("shop/api", DOCUMENT, "step-1"), at.current("shop/api"))
    assert refusal.value.reason == "http_422"


@pytest.mark.parametrize("name", ["api", "shop/", "/api", "shop/api/token"])
def test_a_name_without_its_namespace_is_a_refusal(server, name):
    with pytest.raises(RotatorError) as refusal:
        store(server).current(name)
    assert refusal.value.reason == "bad_name"
