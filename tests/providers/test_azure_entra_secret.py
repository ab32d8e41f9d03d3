"""What is special about Entra's client secrets, tried on a fake of the published behaviour of Graph and of sign-in."""

from __future__ import annotations

import json
import uuid

import pytest

from rotator.credential import CredentialRef, Leaked, Secret
from rotator.errors import BadInput, Rejected, Unavailable, Uncertain
from rotator.ports.connection import Connection
from rotator.ports.provider import Answer, State
from rotator.providers.azure_entra_secret import connect
from tests.contracts.cases.azure_entra_secret import own
from tests.fakes.azure_server import fake_azure
from tests.fakes.fault_proxy import fault_proxy

KIND = "azure_entra_secret"


@pytest.fixture(scope="module")
def server():
    with fake_azure() as running:
        yield running


def connected(server, address=None, tenant=None, credential=None):
    credential = credential or own(server)
    made = Connection("az", "azure", tenant or server.tenant, address or server.address, lambda: credential)
    return connect(made, KIND)


@pytest.fixture
def provider(server):
    return connected(server)


def planted(server, client=None, **told):
    client = client or server.application()
    key, secret = server.plant(client, **told)
    return CredentialRef(KIND, "az", client, key), secret


def test_each_refusal_is_told_apart_and_only_two_of_them_are_a_death(server, provider):
    ref, secret = planted(server)
    wrong = provider.verify(ref, Secret("x" * 40))
    assert (wrong.answer, wrong.reason, wrong.names_id) == (Answer.REJECTED, "invalid_secret", False)
    expired, text = planted(server, ends="2001-01-01T00:00:00Z")
    assert provider.verify(expired, text).reason == "expired_secret"
    assert provider.inspect(expired).state is State.ABSENT
    elsewhere = provider.verify(CredentialRef(KIND, "az", str(uuid.uuid4()), ref.id), secret)
    assert (elsewhere.answer, elsewhere.reason) == (Answer.INCONCLUSIVE, "application_not_in_tenant")
    stranger = connected(server, tenant=str(uuid.uuid4())).verify(ref, secret)
    assert (stranger.answer, stranger.reason) == (Answer.INCONCLUSIVE, "no_such_tenant")
    server.applications[ref.owner]["disabled"] = True
    stopped = provider.verify(ref, secret)
    assert (stopped.answer, stopped.reason) == (Answer.INCONCLUSIVE, "application_disabled")


def test_two_that_begin_alike_are_left_to_the_report(server, provider):
    ref, secret = planted(server, text="abc8Q~" + "x" * 34)
    planted(server, ref.owner, text="abc8Q~" + "y" * 34)
    with pytest.raises(Rejected) as refusal:
        provider.identify(Leaked(owner=ref.owner, secret=secret))
    assert refusal.value.reason == "ambiguous"
    assert provider.identify(Leaked(id=ref.id, owner=ref.owner, secret=secret)) == ref


def test_a_client_id_printed_as_the_id_names_the_application(server, provider):
    ref, secret = planted(server)
    assert provider.identify(Leaked(id=ref.owner, secret=secret)) == ref
    with pytest.raises(Rejected) as refusal:
        provider.identify(Leaked(secret=secret))
    assert refusal.value.reason == "needs_id"


def test_a_replacement_lives_as_long_as_the_exposed_one_was_to_live(server, provider):
    ref, _ = planted(server)
    kept = provider.preserve(ref)
    assert kept["lives_days"] == "180"
    issued = provider.issue(ref, "marker", kept)
    assert provider.preserve(issued.ref)["lives_days"] in {"179", "180"}
    assert issued.public["client_id"] == ref.owner


def test_a_lost_answer_is_looked_for_by_its_marker(server, provider):
    ref, _ = planted(server)
    with fault_proxy(server.address) as proxy:
        through = connected(server, proxy.address)
        through.inspect(ref)
        proxy.lose_answer(0)
        with pytest.raises(Uncertain):
            through.issue(ref, "lost", {})
    found = provider.marked(ref, "lost")
    assert found is not None
    provider.revoke(found)
    assert provider.siblings(ref) == {ref}


def test_its_own_secret_is_known_by_what_it_begins_with_or_by_its_document(server, provider):
    assert provider.own() == server.own_id
    document = json.loads(own(server).reveal()) | {"id": server.own_id}
    server.plant(server.own_application, text=server.own_secret.reveal()[:3] + "z" * 37)
    try:
        assert provider.own() is None
        assert connected(server, credential=Secret(json.dumps(document))).own() == server.own_id
    finally:
        held = server.applications[server.own_application]["secrets"]
        for key in [each for each in held if each != server.own_id]:
            del held[key]


def test_an_own_credential_that_is_refused_or_unreadable_is_told_as_ones_own(server):
    ref, _ = planted(server)
    wrong = Secret(json.dumps({"client_id": server.own_application, "client_secret": "x" * 40}))
    for credential, reason in ((wrong, "own_credential_refused"), (Secret("plain"), "own_credential_unreadable")):
        with pytest.raises(Rejected) as refusal:
            connected(server, credential=credential).inspect(ref)
        assert refusal.value.reason == reason


def test_a_throttled_tenant_is_waited_for(server):
    ref, secret = planted(server)
    with fault_proxy(server.address) as proxy:
        through = connected(server, proxy.address)
        through.inspect(ref)
        proxy.answer(429, {"Retry-After": "7"})
        for act in (lambda: through.inspect(ref), lambda: through.verify(ref, secret)):
            with pytest.raises(Unavailable) as later:
                act()
            assert (later.value.reason, later.value.retry_after) == ("throttled", 7.0)


def test_a_connection_without_a_tenant_is_refused_at_once():
    with pytest.raises(BadInput):
        connect(Connection("az", "azure"), KIND)


@pytest.mark.parametrize("client", ["not-a-guid", "x')/owners", ""])
def test_what_is_no_client_id_goes_into_no_path(provider, client):
    with pytest.raises(Rejected) as refusal:
        provider.inspect(CredentialRef(KIND, "az", client, "k"))
    assert refusal.value.reason == "not_this_account"
