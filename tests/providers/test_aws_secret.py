"""What is peculiar to a copy in Secrets Manager: which version it is, and that consumers are never left without one."""

from __future__ import annotations

import secrets

import pytest

from rotator.credential import Leaked, Secret
from rotator.ports.abilities import Issuing
from rotator.ports.provider import State
from rotator.practice.ministack import ministack
from rotator.providers.aws_secret import connect
from tests.contracts.cases.aws_iam_access_key import connection
from tests.contracts.cases.aws_secret import NAME, current, plant
from tests.refused import reason_of


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    with ministack(tmp_path_factory.mktemp("ministack")) as server:
        yield server


@pytest.fixture
def provider(stack):
    return connect(connection(stack), NAME)


def test_it_makes_no_new_value(provider):
    assert not isinstance(provider, Issuing)


def test_what_consumers_read_now_is_never_taken_from_them(stack, provider):
    ref, _ = plant(stack)
    [now] = current(stack, ref)
    assert reason_of(lambda: provider.suspend(now)) == "still_current"
    assert current(stack, ref) == {now}


def test_a_withdrawn_version_is_asked_for_by_no_stage_and_kept_for_whoever_looks_into_it(stack, provider):
    ref, value = plant(stack)
    provider.suspend(ref)
    client = stack.client("secretsmanager")
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.get_secret_value(SecretId=ref.owner, VersionStage="AWSPREVIOUS")
    status = provider.inspect(ref)
    assert status.state is State.SUSPENDED
    assert status.facts["readable"].startswith("by its version id")
    assert client.get_secret_value(SecretId=ref.owner, VersionId=ref.id)["SecretString"] == value.reveal()


def test_a_stage_that_has_gone_on_is_not_taken_back_from_its_new_version(stack, provider):
    ref, _ = plant(stack)
    provider.suspend(ref)
    stack.client("secretsmanager").put_secret_value(SecretId=ref.owner, SecretString=secrets.token_hex(8))
    assert reason_of(lambda: provider.resume(ref)) == "stage_taken"
    assert provider.inspect(ref).state is State.SUSPENDED


def test_a_version_is_named_by_its_value_or_by_its_id(stack, provider):
    ref, value = plant(stack)
    assert provider.identify(Leaked(id=ref.owner, secret=value)) == ref
    assert provider.identify(Leaked(id=f"{ref.owner}#{ref.id}")) == ref
    assert provider.identify(Leaked(owner=ref.owner, id=ref.id)) == ref
    assert reason_of(lambda: provider.identify(Leaked(id=ref.owner))) == "unreadable"
    assert reason_of(lambda: provider.identify(Leaked(secret=value))) == "unreadable"
    assert reason_of(lambda: provider.identify(Leaked(id="app/none", secret=value))) == "unknown_credential"


def test_a_binary_value_matches_no_text(stack, provider):
    name = f"app/{secrets.token_hex(4)}"
    stack.client("secretsmanager").create_secret(Name=name, SecretBinary=b"\x00\x01")
    assert reason_of(lambda: provider.identify(Leaked(id=name, secret=Secret("x")))) == "unknown_credential"


def test_a_secret_that_is_scheduled_to_go_serves_nobody(stack, provider):
    ref, _ = plant(stack)
    stack.client("secretsmanager").delete_secret(SecretId=ref.owner, RecoveryWindowInDays=7)
    status = provider.inspect(ref)
    assert status.state is State.SUSPENDED
    assert "secret_deleted_at" in status.facts


def test_not_found_in_the_wrong_account_is_not_absent(stack):
    elsewhere = connect(connection(stack, account="999999999999"), NAME)
    ref, _ = plant(stack)
    stack.client("secretsmanager").delete_secret(SecretId=ref.owner, ForceDeleteWithoutRecovery=True)
    for act in (elsewhere.inspect, elsewhere.suspend, elsewhere.siblings):
        assert reason_of(lambda act=act: act(ref)) == "not_this_account"
