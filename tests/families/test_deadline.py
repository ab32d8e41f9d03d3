"""A call ends at its deadline, also when the other side goes on sending byte after byte."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rotator.consumers import webhook
from rotator.credential import CredentialRef, Secret
from rotator.errors import Unavailable, Uncertain
from rotator.families import aws, aws_knock, gcp_secrets, http, http_wire, vault
from rotator.families.http_template import Filled
from rotator.ports.connection import Connection
from rotator.ports.consumer import Notice
from rotator.rest_kind import Authenticate
from tests.fakes.fault_proxy import DRIPPED, HEAD_DRIPPED, fault_proxy

DEADLINE_S = 0.2
REF = CredentialRef("vault_token", "vault", "ci", "old")


@pytest.fixture(autouse=True)
def _quickly(monkeypatch):
    for module, name in (
        (webhook, "CALL_DEADLINE_S"),
        (http_wire, "CALL_DEADLINE_S"),
        (vault, "READ_TIMEOUT_S"),
        (aws, "READ_TIMEOUT_S"),
        (aws_knock, "READ_TIMEOUT_S"),
        (gcp_secrets, "_TIMEOUT_S"),
    ):
        monkeypatch.setattr(module, name, DEADLINE_S)


@pytest.fixture(params=[DRIPPED, HEAD_DRIPPED], ids=lambda fault: fault.name)
def address(request):
    with fault_proxy("http://127.0.0.1:9") as proxy:
        proxy.every(replace(request.param, acted=False))  # there is nobody behind it
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


def test_a_dripping_aws_may_have_acted(address):
    own = Secret('{"aws_access_key_id": "AKIA", "aws_secret_access_key": "secret"}')
    account = aws.Account(Connection("c", "aws", endpoint_url=address, credential=lambda: own))
    with pytest.raises(Uncertain):
        account.exchange().change("ssm", "put_parameter", Name="n", Value="v", Type="String")
    with pytest.raises(Unavailable):
        account.exchange().read("ssm", "get_parameter", Name="n")
    with pytest.raises(Unavailable):
        aws_knock.Knocker(account).knock("AKIAIOSFODNN7EXAMPLE", Secret("secret"))


def test_a_dripping_google_may_have_acted(address):
    manager = gcp_secrets.SecretManager(Connection("c", "gcp", "p", address, lambda: Secret("token")))
    with pytest.raises(Uncertain):
        manager.exchange().change("delete_secret", name="projects/p/secrets/s")
    with pytest.raises(Unavailable):
        manager.exchange().read("get_secret", name="projects/p/secrets/s")
