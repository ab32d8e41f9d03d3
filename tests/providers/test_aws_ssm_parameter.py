"""What is peculiar to a parameter: its history keeps what was overwritten, and counts from 1 when it is made again."""

from __future__ import annotations

import pytest

from rotator.credential import Leaked
from rotator.errors import Rejected
from rotator.ports.abilities import Issuing, Suspendable
from rotator.ports.provider import State
from rotator.practice.ministack import ministack
from rotator.providers.aws_ssm_parameter import connect
from tests.contracts.cases.aws_iam_access_key import connection
from tests.contracts.cases.aws_ssm_parameter import NAME, SERVICES, delete, plant


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    with ministack(tmp_path_factory.mktemp("ministack"), SERVICES) as server:
        yield server


@pytest.fixture
def provider(stack):
    return connect(connection(stack), NAME)


def test_it_claims_to_look_and_no_more(provider):
    assert not isinstance(provider, Issuing | Suspendable)


def test_overwriting_leaves_the_old_value_readable(stack, provider):
    ref, _ = plant(stack)
    now, _ = plant(stack, ref.owner)
    assert provider.inspect(ref).state is State.ACTIVE
    assert provider.inspect(ref).facts["is_current"] == "false"
    assert provider.inspect(now).facts["is_current"] == "true"
    assert provider.preserve(ref)["versions"] == "2"


def test_version_1_of_a_parameter_that_was_made_again_is_another_one(stack, provider):
    ref, _ = plant(stack)
    earlier = ref.with_id(f"{ref.owner}:1:20200101T000000Z")
    delete(stack, ref)
    assert provider.inspect(ref).state is State.ABSENT
    again, _ = plant(stack, ref.owner)
    assert provider.inspect(earlier).state is State.ABSENT
    assert provider.inspect(again).state is State.ACTIVE


def test_the_newest_version_that_holds_the_value_is_named(stack, provider):
    ref, value = plant(stack)
    plant(stack, ref.owner)
    assert provider.identify(Leaked(id=ref.owner, secret=value)) == ref
    assert provider.identify(Leaked(id=f"{ref.owner}:1")) == ref
    for leaked in (Leaked(id=ref.owner), Leaked(secret=value)):
        with pytest.raises(Rejected) as refusal:
            provider.identify(leaked)
        assert refusal.value.reason == "unreadable"


def test_not_found_in_the_wrong_account_is_not_absent(stack):
    elsewhere = connect(connection(stack, account="999999999999"), NAME)
    ref, _ = plant(stack)
    delete(stack, ref)
    with pytest.raises(Rejected) as refusal:
        elsewhere.inspect(ref)
    assert refusal.value.reason == "not_this_account"
