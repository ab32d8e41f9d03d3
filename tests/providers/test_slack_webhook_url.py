"""What is special about Slack's webhooks, tried on a fake of the published answers."""

from __future__ import annotations

import pytest

from rotator.credential import CredentialRef, Leaked, Secret
from rotator.errors import Rejected, Unavailable
from rotator.ports.connection import Connection
from rotator.ports.provider import Answer
from rotator.providers.slack_webhook_url import connect
from tests.fakes.webhooks import fake_webhooks

KIND = "slack_webhook_url"


@pytest.fixture
def server():
    with fake_webhooks() as running:
        yield running


@pytest.fixture
def provider(server):
    return connect(Connection("hooks", "webhook", None, server.address), KIND)


def planted(server):
    named, address = server.slack("T0123456789")
    return CredentialRef(KIND, "hooks", "T0123456789", named), address


def test_nothing_is_ever_posted(server, provider):
    ref, address = planted(server)
    assert provider.verify(ref, address).answer is Answer.ACCEPTED
    assert server.posted == []


@pytest.mark.parametrize(
    ("status", "words", "answer"),
    [
        (400, "no_text", Answer.ACCEPTED),
        (400, "invalid_payload", Answer.INCONCLUSIVE),
        (403, "action_prohibited", Answer.INCONCLUSIVE),
        (404, "channel_not_found", Answer.INCONCLUSIVE),
        (410, "channel_is_archived", Answer.INCONCLUSIVE),
        (404, "no_service", Answer.REJECTED),
        (403, "invalid_token", Answer.REJECTED),
        (404, "no_team", Answer.REJECTED),
        (500, "rollup_error", Answer.INCONCLUSIVE),
        (200, "ok", Answer.INCONCLUSIVE),
        (404, "<html>", Answer.INCONCLUSIVE),
    ],
)
def test_each_of_slacks_words_means_what_its_documentation_says(server, provider, status, words, answer):
    ref, address = planted(server)
    server.said = (status, words)
    assert provider.verify(ref, address).answer is answer


def test_too_many_knocks_are_waited_for(server, provider):
    ref, address = planted(server)
    server.said = (429, "rate_limited")
    with pytest.raises(Unavailable) as later:
        provider.verify(ref, address)
    assert later.value.reason == "throttled"


@pytest.mark.parametrize(
    "address",
    [
        "https://hooks.slack.com.example/services/T0123456789/B0123456789/" + "x" * 24,
        "https://example/services/T0123456789/B0123456789/" + "x" * 24,
        "https://hooks.slack.com/services/T0123456789/B0123456789/../../admin",
        "https://hooks.slack.com/triggers/T0123456789/1/" + "x" * 24,
        "",
    ],
)
def test_no_other_address_is_read_as_one(provider, address):
    with pytest.raises(Rejected) as refusal:
        provider.identify(Leaked(secret=Secret(address)))
    assert refusal.value.reason == "unreadable"


def test_the_part_that_opens_it_stands_in_no_name(server, provider):
    ref, address = planted(server)
    assert provider.identify(Leaked(secret=address)) == ref
    assert address.reveal().rpartition("/")[2] not in str(ref)
    with pytest.raises(Rejected) as refusal:
        provider.identify(Leaked(id=ref.id))
    assert refusal.value.reason == "needs_secret"
