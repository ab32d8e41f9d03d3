"""What is special about refresh tokens of Entra, tried on a fake of the published behaviour."""

from __future__ import annotations

import hashlib

import pytest

from rotator.credential import CredentialRef, Leaked, Secret
from rotator.errors import Rejected, Unavailable, Uncertain
from rotator.ports.connection import Connection
from rotator.ports.provider import Answer
from rotator.providers.azure_refresh_token import connect
from tests.contracts.cases.azure_entra_secret import own
from tests.fakes.azure_server import fake_azure
from tests.fakes.door import a_door
from tests.fakes.fault_proxy import fault_proxy

KIND = "azure_refresh_token"


@pytest.fixture(scope="module")
def server():
    with fake_azure() as running:
        yield running


def connected(server, address=None):
    return connect(Connection("az", "azure", server.tenant, address or server.address, lambda: own(server)), KIND)


@pytest.fixture
def provider(server):
    return connected(server)


def planted(server, user=None):
    user = user or server.user()
    token = server.signed_in(user)
    return CredentialRef(KIND, "az", user, hashlib.sha256(token.reveal().encode()).hexdigest()), token


def test_one_call_ends_all_of_a_user_and_none_of_another(server, provider):
    (first, one), (stranger, theirs) = planted(server), planted(server)
    second, two = planted(server, first.owner)
    before = len(server.asked)
    assert provider.revoke_all([(first, one), (second, None)]) == [None, None]
    assert sum("revokeSignInSessions" in call for call in server.asked[before:]) == 1
    assert {provider.verify(first, one).reason, provider.verify(second, two).reason} == {"grant_revoked"}
    assert provider.verify(stranger, theirs).answer is Answer.ACCEPTED


def test_a_user_of_another_tenant_fails_alone(server, provider):
    ref, token = planted(server)
    foreign = CredentialRef(KIND, "az", "00000000-0000-0000-0000-000000000000", "0" * 64)
    refusal, done = provider.revoke_all([(foreign, None), (ref, token)])
    assert (refusal.reason, done) == ("not_this_account", None)


@pytest.mark.parametrize("code", [50076, 50079, 53003, 65001, 9002313, 700016])
def test_what_asks_for_a_person_or_is_about_something_else_is_no_death(server, code):
    ref, token = planted(server)
    with fault_proxy(server.address) as proxy:
        proxy.answer(400, body=b'{"error": "interaction_required", "error_codes": [%d]}' % code)
        verdict = connected(server, proxy.address).verify(ref, token)
    assert (verdict.answer, verdict.reason) == (Answer.INCONCLUSIVE, f"aadsts{code}")


def test_an_identity_that_cannot_be_read_names_nobody(server):
    _, token = planted(server)
    with fault_proxy(server.address) as proxy:
        proxy.answer(200, body=b'{"access_token": "x", "id_token": "a.b.c"}')
        with pytest.raises(Rejected) as refusal:
            connected(server, proxy.address).identify(Leaked(secret=token))
    assert refusal.value.reason == "answer_without_user"


def test_a_short_text_is_sent_to_nobody(server, provider):
    before = len(server.asked)
    with pytest.raises(Rejected) as refusal:
        provider.identify(Leaked(secret=Secret("1.AAAA")))
    assert refusal.value.reason == "unreadable"
    assert len(server.asked) == before


@pytest.mark.parametrize("status", [200, 302, 401, 429, 503])
def test_a_page_or_a_later_is_neither_life_nor_death_and_names_nobody(server, status):
    ref, token = planted(server)
    with a_door() as door:
        door.says(status, "<html>Please sign in</html>")
        between = connected(server, door.address)
        with pytest.raises(Unavailable):
            between.identify(Leaked(secret=token))
        if status != 429:
            assert between.verify(ref, token).answer is Answer.INCONCLUSIVE


def test_a_demand_for_a_second_factor_is_no_dead_token(server):
    _, token = planted(server)
    with fault_proxy(server.address) as proxy:
        proxy.answer(400, body=b'{"error": "interaction_required", "error_codes": [50076]}')
        with pytest.raises(Rejected) as refusal:
            connected(server, proxy.address).identify(Leaked(secret=token))
    assert refusal.value.reason == "aadsts50076"


def test_a_yes_that_is_not_graphs_is_uncertain(server, provider, monkeypatch):
    ref, _ = planted(server)
    served = server.answer
    monkeypatch.setattr(
        server, "answer", lambda asked, at: (200, {}, {}) if "users" in asked.path else served(asked, at)
    )
    with pytest.raises(Uncertain):
        provider.revoke(ref)
