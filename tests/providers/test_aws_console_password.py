"""What is peculiar to console passwords, on both emulators: one for each user, and its successor is not it."""

from __future__ import annotations

import json

import pytest

from rotator.credential import CredentialRef, Leaked, Secret
from rotator.errors import Rejected
from rotator.families.aws_sessions import SESSIONS_POLICY
from rotator.ports.abilities import Issuing, Suspendable
from rotator.ports.provider import State
from rotator.practice.ministack import ministack
from rotator.providers.aws_console_password import connect
from tests.contracts.cases.aws_console_password import NAME, plant_password
from tests.contracts.cases.aws_iam_access_key import connection
from tests.servers.moto import moto_server


@pytest.fixture(scope="module", params=["ministack", "moto"])
def server(request, tmp_path_factory):
    run = {"ministack": ministack, "moto": moto_server}[request.param]
    with run(tmp_path_factory.mktemp(request.param)) as running:
        yield running


@pytest.fixture
def provider(server):
    return connect(connection(server), NAME)


def test_it_claims_no_more_than_iam_can(provider):
    assert not isinstance(provider, Issuing | Suspendable)


def test_a_password_given_anew_is_another_one_and_is_left_alone(server, provider):
    ref, _ = plant_password(server)
    earlier = ref.with_id(f"{ref.owner}:20200101T000000Z")
    provider.revoke(earlier)
    assert provider.inspect(earlier).state is State.ABSENT
    assert provider.inspect(ref).state is State.ACTIVE
    assert provider.siblings(earlier) == {ref}


@pytest.mark.parametrize("leaked", [Leaked(secret=Secret("hunter2hunter2")), Leaked(id="a b"), Leaked(owner="x/../y")])
def test_a_password_without_its_user_is_unreadable(provider, leaked):
    with pytest.raises(Rejected) as refusal:
        provider.identify(leaked)
    assert refusal.value.reason == "unreadable"


def test_a_user_without_a_password_is_told_from_a_wrong_account(server, provider):
    server.iam.create_user(UserName="keys-only")
    with pytest.raises(Rejected) as refusal:
        provider.identify(Leaked(owner="keys-only"))
    assert refusal.value.reason == "unknown_credential"
    elsewhere = connect(connection(server, account="999999999999"), NAME)
    for service in ("iam", "sts"):  # a busy machine takes seconds to make them, and a call's deadline counts those
        elsewhere._account.client(service)
    for act in (elsewhere.inspect, elsewhere.revoke):
        with pytest.raises(Rejected) as refusal:
            act(CredentialRef(NAME, "aws-test", "keys-only", "keys-only:20200101T000000Z"))
        assert refusal.value.reason == "not_this_account"


def test_the_users_older_sessions_are_denied(server, provider):
    ref, _ = plant_password(server)
    facts = provider.end_sessions(ref)
    written = server.iam.get_user_policy(UserName=ref.owner, PolicyName=SESSIONS_POLICY)["PolicyDocument"]
    [statement] = written["Statement"] if isinstance(written, dict) else json.loads(written)["Statement"]
    assert statement["Condition"] == {"DateLessThan": {"aws:TokenIssueTime": facts["denies_sessions_issued_before"]}}
