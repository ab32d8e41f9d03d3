"""What is peculiar to credentials of one AWS service: three names for one, and IAM's word alone."""

from __future__ import annotations

import base64

import pytest

from rotator.credential import CredentialRef, Leaked, Secret
from rotator.errors import Rejected
from rotator.ports.abilities import Issuing, Suspendable
from rotator.ports.provider import State
from tests.contracts.cases.aws_service_specific_credential import NAME, connected, plant
from tests.fakes.aws_iam_server import ACCOUNT, fake_iam

BEDROCK = "bedrock.amazonaws.com"


@pytest.fixture
def server():
    with fake_iam() as running:
        yield running


@pytest.fixture
def provider(server):
    return connected(server)


def test_it_claims_no_more_than_can_be_tried(provider):
    assert isinstance(provider, Suspendable)
    assert not isinstance(provider, Issuing)


def test_it_is_found_by_its_user_name_on_a_later_page_too(server, provider):
    planted = [plant(server)[0] for _ in range(5)]
    for ref in planted:
        assert provider.identify(Leaked(id=f"{ref.owner}-at-{ACCOUNT}", secret=Secret("pw"))) == ref
    assert {each.ref for each in provider.discover()} == set(planted)


def test_an_api_key_names_itself_by_the_alias_that_it_holds(server, provider):
    ref, secret = plant(server, service=BEDROCK)
    alias = server.held[ref.id]["ServiceCredentialAlias"]
    whole = "ABSK" + base64.b64encode(f"{alias}:{secret.reveal()}".encode()).decode()
    assert provider.identify(Leaked(secret=Secret(whole))) == ref
    for cut in (whole[:20], whole.replace("ABSK", "ABSX")):
        with pytest.raises(Rejected) as refusal:
            provider.identify(Leaked(secret=Secret(cut)))
        assert refusal.value.reason == "unreadable"


def test_another_accounts_name_is_refused_before_anybody_is_asked(provider):
    with pytest.raises(Rejected) as refusal:
        provider.identify(Leaked(id="jane-at-999999999999"))
    assert refusal.value.reason == "not_this_account"


def test_one_for_another_service_is_a_sibling_and_is_left_alone(server, provider):
    ref, _ = plant(server)
    other, _ = plant(server, owner=ref.owner, service=BEDROCK)
    provider.suspend(ref)
    provider.revoke(ref)
    assert provider.siblings(ref) == {other}
    assert provider.inspect(other).state is State.ACTIVE


def test_what_has_expired_is_no_longer_active(server, provider):
    ref, _ = plant(server, service=BEDROCK)
    server.held[ref.id]["Status"] = "Expired"
    status = provider.inspect(ref)
    assert (status.state, status.facts["issuer_calls_it"]) == (State.SUSPENDED, "Expired")


def test_nothing_found_in_the_wrong_account_is_neither_absent_nor_revoked(server):
    elsewhere = connected(server, account="999999999999")
    ref = CredentialRef(NAME, "aws-test", "nobody", "ACCA0123456789ABCDEF")
    for act in (elsewhere.inspect, elsewhere.revoke, elsewhere.siblings):
        with pytest.raises(Rejected) as refusal:
            act(ref)
        assert refusal.value.reason == "not_this_account"
