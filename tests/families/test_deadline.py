"""A call ends at its deadline, also when the other side goes on sending byte after byte."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rotator.consumers import webhook
from rotator.credential import CredentialRef, Secret
from rotator.errors import Unavailable, Uncertain
from rotator.families import http, http_wire, vault
from rotator.families.http_template import Filled
from rotator.ports import Connection, Notice
from rotator.rest_kind import Authenticate
from tests.fakes.fault_proxy import DRIPPED, fault_proxy

DEADLINE_S = 0.2
REF = CredentialRef("vault_token", "vault", "ci", "old")


@pytest.fixture
def address(monkeypatch):
    for module in (webhook, http_wire, vault):
        monkeypatch.setattr(module, "CALL_DEADLINE_S", DEADLINE_S)
    with fault_proxy("http://127.0.0.1:9") as proxy:
        proxy.every(replace(DRIPPED, acted=False))  # there is nobody behind it
        yield proxy.address


def connection(address):
    return Connection("c", "any", endpoint_url=address, credential=lambda: Secret("own-token"))


def test_a_dripping_consumer_may_have_heard(address):
    consumer = webhook.connect(address)
    with pytest.raises(Uncertain, match="consumer_timed_out"):
        consumer.reload(Notice("inc", REF, REF, ()))
    with pytest.raises(Unavailable, match="consumer_timed_out"):
        consumer.holding(Notice("inc", REF, REF, ()))


def test_a_dripping_service_may_have_acted(address):
    service = http.RestService(connection(address), Authenticate(header="X-Token", prefix=""), "token")
    with pytest.raises(Uncertain, match="timed_out"):
        service.change(Filled("POST", "/tokens"))
    with pytest.raises(Unavailable, match="timed_out"):
        service.read(Filled("GET", "/tokens"))


def test_a_dripping_vault_may_have_acted(address):
    server = vault.Vault(connection(address))
    with pytest.raises(Uncertain, match="timed_out"):
        server.change("POST", "auth/token/create", {})
    with pytest.raises(Unavailable, match="timed_out"):
        server.read("GET", "auth/token/lookup-self")
