"""What is peculiar to a role's trust: statements are shared, a wider name lets in too, what is ours is left alone."""

from __future__ import annotations

import json

import pytest

from rotator.credential import CredentialRef, Leaked, Secret
from rotator.errors import Rejected, Unavailable
from rotator.families.aws import Exchange
from rotator.ports.abilities import Issuing
from rotator.ports.provider import State
from rotator.practice.ministack import ministack
from rotator.providers.aws_role_trust import POLICY, connect
from tests.contracts.cases.aws_iam_access_key import allowed, connection
from tests.contracts.cases.aws_role_trust import NAME, OURS, trust, trusting, write
from tests.contracts.cases.aws_sts_session import session_of

ACCOUNT, OTHER = "999988887777", "555566667777"
SYNC = f"arn:aws:iam::{ACCOUNT}:role/sync"
CI = "arn:aws:iam::000000000000:oidc-provider/ci.example"


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    with ministack(tmp_path_factory.mktemp("ministack"), "iam,sts") as server:
        yield server


@pytest.fixture
def provider(stack):
    return connect(connection(stack), NAME)


def grant(role: str, principal: str) -> CredentialRef:
    return CredentialRef(NAME, "aws-test", f"role/{role}", f"{role}/{principal}")


def test_nothing_is_issued(provider):
    assert not isinstance(provider, Issuing)


def test_those_who_share_its_statement_keep_it_and_it_comes_back_with_its_external_id(stack, provider):
    both = trusting(f"arn:aws:iam::{ACCOUNT}:root", f"arn:aws:iam::{OTHER}:root")
    write(stack, "shared", OURS, both)
    ref, before = grant("shared", ACCOUNT), trust(stack, "shared")
    kept = provider.preserve(ref)
    provider.suspend(ref)
    assert trust(stack, "shared")["Statement"][1] == trusting(f"arn:aws:iam::{OTHER}:root")
    assert provider.inspect(grant("shared", OTHER)).state is State.ACTIVE
    provider.restore(ref, kept)
    assert trust(stack, "shared") == before


def test_whom_a_wider_name_lets_in_is_not_called_stopped(stack, provider):
    write(stack, "covered", trusting(f"arn:aws:iam::{ACCOUNT}:root"), trusting(SYNC))
    provider.suspend(grant("covered", SYNC))
    seen = provider.inspect(grant("covered", SYNC))
    assert (seen.state, seen.facts["trusted_also_as"]) == (State.ACTIVE, ACCOUNT)
    provider.suspend(grant("covered", ACCOUNT))
    assert provider.inspect(grant("covered", SYNC)).state is State.SUSPENDED


def test_all_who_come_from_outside_are_discovered_and_nobody_else(stack, provider):
    federated = {"Effect": "Allow", "Principal": {"Federated": CI}, "Action": "sts:AssumeRoleWithWebIdentity"}
    write(stack, "open", OURS, federated, trusting("*"), trusting(SYNC))
    found = {each.ref.id: each.facts for each in provider.discover() if each.ref.owner == "role/open"}
    assert set(found) == {f"open/{CI}", "open/*", f"open/{SYNC}"}
    assert (found[f"open/{SYNC}"]["of_account"], found[f"open/{SYNC}"]["state"]) == (ACCOUNT, "active")
    assert "acme-7" in found["open/*"]["only_if"]


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        ("arn:aws:iam::999988887777:role/sync", "unreadable"),
        ("no-slash", "unreadable"),
        ("ours/arn:aws:iam::000000000000:role/deploy", "unknown_credential"),
        ("ours/ec2.amazonaws.com", "unknown_credential"),
        ("no-such-role/999988887777", "unknown_credential"),
    ],
)
def test_what_is_no_grant_is_not_named(stack, provider, told, reason):
    write(stack, "ours", OURS)
    with pytest.raises(Rejected) as refusal:
        provider.identify(Leaked(id=told))
    assert refusal.value.reason == reason


def test_our_own_account_is_never_shut_out(stack, provider):
    write(stack, "kept", OURS)
    with pytest.raises(Rejected) as refusal:
        provider.suspend(grant("kept", "arn:aws:iam::000000000000:role/deploy"))
    assert refusal.value.reason == "not_a_grant"


def test_jobs_of_an_identity_provider_are_kept_out_and_let_in_again_though_our_account_has_it_written_down(
    stack, provider
):
    federated = {"Effect": "Allow", "Principal": {"Federated": CI}, "Action": "sts:AssumeRoleWithWebIdentity"}
    write(stack, "jobs", OURS, federated)
    ref, before = provider.identify(Leaked(id=f"jobs/{CI}")), trust(stack, "jobs")
    kept = provider.preserve(ref)
    provider.suspend(ref)
    assert (trust(stack, "jobs")["Statement"][:-1], provider.inspect(ref).state) == ([OURS], State.SUSPENDED)
    provider.restore(ref, kept)
    assert trust(stack, "jobs") == before


def test_a_policy_that_another_hand_changes_at_the_same_time_is_taken_up_again(stack, provider, monkeypatch):
    write(stack, "busy", trusting(SYNC))
    look = type(provider)._policy
    seen = []

    def looked(self, exchange, ref):
        seen.append(ref)
        if len(seen) == 2:  # directly after our write
            write(stack, "busy", trusting(SYNC), OURS)
        return look(self, exchange, ref)

    monkeypatch.setattr(type(provider), "_policy", looked)
    with pytest.raises(Unavailable) as again:
        provider.suspend(grant("busy", SYNC))
    assert again.value.reason == "being_edited"
    provider.suspend(grant("busy", SYNC))
    assert provider.inspect(grant("busy", SYNC)).state is State.SUSPENDED
    assert trust(stack, "busy")["Statement"][0] == OURS


def test_a_policy_without_room_for_our_mark_is_changed_all_the_same_and_restored(stack, provider, monkeypatch):
    write(stack, "full", OURS, trusting(SYNC))
    kept, before, change = provider.preserve(grant("full", SYNC)), trust(stack, "full"), Exchange.change

    def limited(self, service, operation, **given):
        if "RotatorSuspended" in given.get("PolicyDocument", ""):
            raise Rejected("quota", "Cannot exceed quota for ACLSizePerRole: 2048")
        return change(self, service, operation, **given)

    monkeypatch.setattr(Exchange, "change", limited)
    provider.suspend(grant("full", SYNC))
    assert (trust(stack, "full")["Statement"], provider.inspect(grant("full", SYNC)).state) == ([OURS], State.ABSENT)
    provider.restore(grant("full", SYNC), kept)
    assert trust(stack, "full") == before


def test_what_is_kept_is_the_whole_policy(stack, provider):
    write(stack, "whole", OURS, trusting(SYNC))
    assert OURS["Principal"]["AWS"] in provider.preserve(grant("whole", SYNC))[POLICY]


def test_a_role_in_which_the_rotator_itself_acts_is_left_as_it_is(stack):
    write(stack, "rotators-own", OURS, trusting(SYNC))
    everything = {"Version": "2012-10-17", "Statement": [allowed("*")]}
    stack.iam.put_role_policy(RoleName="rotators-own", PolicyName="all", PolicyDocument=json.dumps(everything))
    parts = json.loads(session_of(stack, "rotators-own")[1].reveal())
    named = ("aws_access_key_id", "aws_secret_access_key", "aws_session_token")
    own = Secret(json.dumps(dict(zip(named, parts.values(), strict=True))))
    acting = connect(connection(stack, credential=lambda: own), NAME)
    with pytest.raises(Rejected) as refusal:
        acting.suspend(grant("rotators-own", SYNC))
    assert refusal.value.reason == "own_principal"
    assert acting.inspect(grant("rotators-own", SYNC)).state is State.ACTIVE
