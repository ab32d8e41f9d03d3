"""What is special about Discord's webhooks, tried on a fake of the published answers."""

from __future__ import annotations

import json

import pytest

from rotator.credential import CredentialRef, Leaked, Secret
from rotator.errors import Rejected, Uncertain
from rotator.ports.connection import Connection
from rotator.ports.provider import Answer
from rotator.providers.discord_webhook_url import connect
from tests.fakes.fault_proxy import fault_proxy
from tests.fakes.webhooks import fake_webhooks

KIND = "discord_webhook_url"


@pytest.fixture
def server():
    with fake_webhooks() as running:
        yield running


def connected(address):
    return connect(Connection("hooks", "webhook", None, address), KIND)


@pytest.fixture
def provider(server):
    return connected(server.address)


def planted(server):
    named, address = server.discord()
    return CredentialRef(KIND, "hooks", "", named), address


@pytest.mark.parametrize("host", ["discordapp.com", "canary.discord.com", "ptb.discord.com", "discord.com/api/v10"])
def test_every_host_that_discord_goes_by_is_read(server, provider, host):
    ref, address = planted(server)
    other = address.reveal().replace("discord.com/api", host if "/" in host else f"{host}/api")
    assert provider.identify(Leaked(secret=Secret(other))) == ref


@pytest.mark.parametrize(
    "address",
    ["https://discord.com.example/api/webhooks/12345678901234567/" + "x" * 68, "https://discord.com/api/webhooks/1/x"],
)
def test_no_other_address_is_read_as_one(provider, address):
    with pytest.raises(Rejected) as refusal:
        provider.identify(Leaked(secret=Secret(address)))
    assert refusal.value.reason == "unreadable"


def test_a_known_webhook_with_another_token_is_neither_dead_nor_deleted(server, provider):
    ref, address = planted(server)
    other = Secret(address.reveal()[:-4] + "0000")
    assert provider.verify(ref, other).answer is Answer.INCONCLUSIVE
    (refusal,) = provider.revoke_all([(ref, other)])
    assert refusal.reason == "another_token"
    assert provider.verify(ref, address).answer is Answer.ACCEPTED


def test_a_lost_answer_is_uncertain_and_repeated_without_harm(server):
    ref, address = planted(server)
    with fault_proxy(server.address) as proxy:
        proxy.lose_answer(0)
        through = connected(proxy.address)
        (lost,) = through.revoke_all([(ref, address)])
        assert isinstance(lost, Uncertain)
        assert through.revoke_all([(ref, address)]) == [None]


def test_without_its_address_it_is_left_alone(server, provider):
    ref, _ = planted(server)
    (refusal,) = provider.revoke_all([(ref, None)])
    assert refusal.reason == "needs_secret"


@pytest.mark.parametrize(
    ("status", "body"), [(404, {"message": "404: Not Found", "code": 0}), (403, {}), (200, {"id": "7"})]
)
def test_what_discord_does_not_document_is_inconclusive(server, provider, status, body):
    ref, address = planted(server)
    server.said = (status, json.dumps(body))
    assert provider.verify(ref, address).answer is Answer.INCONCLUSIVE
