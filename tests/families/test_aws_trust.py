"""Trust policies: one principal is taken out and put back, and nothing else of the policy moves."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotator.errors import Rejected
from rotator.families.aws_trust import (
    account_of,
    alike,
    is_foreign,
    outsiders,
    restored,
    suspended,
    trusting,
    wider,
    without,
)

OURS = "111122223333"
ACCOUNTS = ["999988887777", "555566667777"]
PRINCIPALS = [
    "*",
    *(f"arn:aws:iam::{each}:root" for each in ACCOUNTS),
    f"arn:aws:iam::{ACCOUNTS[0]}:role/sync",
    f"arn:aws:iam::{OURS}:role/deploy",
    "AROAEXAMPLEID",
]
FEDERATED = [f"arn:aws:iam::{OURS}:oidc-provider/ci.example", f"arn:aws:iam::{OURS}:saml-provider/corp"]


def one_or_more(names):
    lists = st.lists(st.sampled_from(names), min_size=1, max_size=3, unique=True)
    return lists | st.sampled_from(names)


PRINCIPAL = st.just("*") | st.fixed_dictionaries(
    {},
    optional={"AWS": one_or_more(PRINCIPALS), "Federated": one_or_more(FEDERATED), "Service": st.just("ec2.example")},
).filter(bool)
STATEMENT = st.fixed_dictionaries(
    {
        "Effect": st.sampled_from(["Allow", "Allow", "Deny"]),
        "Principal": PRINCIPAL,
        "Action": st.sampled_from(["sts:AssumeRole", ["sts:AssumeRole", "sts:TagSession"]]),
    },
    optional={"Condition": st.just({"StringEquals": {"sts:ExternalId": "acme"}}), "Sid": st.sampled_from("AB")},
)
POLICY = st.lists(STATEMENT, min_size=1, max_size=4).map(lambda listed: {"Version": "2012-10-17", "Statement": listed})


def others(policy, principal):
    return {each: trusting(policy, each) != [] for each in outsiders(policy, OURS) if each != principal}


@given(POLICY, st.data())
def test_one_is_taken_out_alone_and_put_back_as_it_was(policy, data):
    for principal in outsiders(policy, OURS)[:1]:
        out = without(policy, principal)
        assert trusting(out, principal) == []
        assert suspended(out) == [principal]
        assert others(out, principal) == others(policy, principal)
        assert without(out, principal) == out
        assert out["Statement"]
        assert restored(out, policy, principal) == policy
        shuffled = {**out, "Statement": [_shuffled(each, data) for each in out["Statement"]]}
        assert restored(shuffled, policy, principal) == policy


def _shuffled(statement, data):
    """Write a statement as IAM may give it back: its lists in another order, one of them alone without its list."""
    told = statement["Principal"]
    if not isinstance(told, dict):
        return statement
    lists = {kind: data.draw(st.permutations(each)) if isinstance(each, list) else each for kind, each in told.items()}
    short = {kind: each[0] if isinstance(each, list) and len(each) == 1 else each for kind, each in lists.items()}
    return {**statement, "Principal": short}


@given(POLICY, STATEMENT)
def test_what_others_wrote_meanwhile_stays(policy, theirs):
    for principal in outsiders(policy, OURS)[:1]:
        changed = without(policy, principal)
        changed = {**changed, "Statement": [*changed["Statement"], theirs]}
        back = restored(changed, policy, principal)
        assert trusting(back, principal)
        assert suspended(back) == []
        assert set(outsiders(changed, OURS)) | {principal} == set(outsiders(back, OURS))
        assert any(alike(each, theirs) for each in back["Statement"]) or trusting({"Statement": [theirs]}, principal)


def test_what_others_changed_is_not_written_over():
    both = {"Effect": "Allow", "Principal": {"AWS": ACCOUNTS}, "Action": "sts:AssumeRole", "Sid": "A"}
    policy = {"Statement": [both]}
    out = without(policy, ACCOUNTS[0])
    narrowed = {**out["Statement"][0], "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}}}
    back = restored({"Statement": [narrowed, *out["Statement"][1:]]}, policy, ACCOUNTS[0])
    alone = {"Effect": "Allow", "Principal": {"AWS": ACCOUNTS[0]}, "Action": "sts:AssumeRole"}
    assert back == {"Statement": [narrowed, alone]}


def test_an_account_has_one_name_however_it_is_written():
    policy = {"Statement": {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNTS[0]}:root"}}}
    assert outsiders(policy, OURS) == [ACCOUNTS[0]]
    assert trusting(policy, ACCOUNTS[0])
    assert wider(policy, f"arn:aws:iam::{ACCOUNTS[0]}:role/sync") == [ACCOUNTS[0]]


def test_our_own_account_services_and_deleted_principals_are_no_grants():
    told = {"AWS": [OURS, f"arn:aws:iam::{OURS}:user/ci", "AROAEXAMPLEID"], "Service": "ec2.amazonaws.com"}
    assert outsiders({"Statement": [{"Effect": "Allow", "Principal": told}]}, OURS) == []
    assert [is_foreign(each, OURS) for each in ("*", ACCOUNTS[0], OURS)] == [True, True, False]


def test_whom_a_provider_vouches_for_is_not_of_the_account_that_wrote_the_provider_down():
    told = {"Federated": FEDERATED, "AWS": [f"arn:aws:iam::{OURS}:root"]}
    policy = {"Statement": [{"Effect": "Allow", "Principal": told}]}
    assert [account_of(each) for each in FEDERATED] == [None, None]
    assert wider(without(policy, FEDERATED[0]), FEDERATED[0]) == []


@pytest.mark.parametrize(
    ("names", "by"),
    [
        (
            {"Principal": {"AWS": f"arn:aws:iam::{ACCOUNTS[0]}:role/jobs/sync"}},
            f"arn:aws:iam::{ACCOUNTS[0]}:role/jobs/sync",
        ),
        ({"NotPrincipal": {"AWS": f"arn:aws:iam::{ACCOUNTS[1]}:root"}}, "NotPrincipal"),
        ({"Principal": "*"}, "*"),
    ],
)
def test_a_session_comes_in_as_its_role_and_as_whoever_is_not_named_as_kept_out(names, by):
    session = f"arn:aws:sts::{ACCOUNTS[0]}:assumed-role/sync/job"
    assert wider({"Statement": [{"Effect": "Allow", **names}]}, session) == [by]
    assert wider({"Statement": [{"Effect": "Deny", **names}]}, session) == []


def test_to_name_those_alone_who_are_kept_out_is_to_trust_everybody_else():
    policy = {"Statement": [{"Effect": "Allow", "NotPrincipal": {"AWS": ACCOUNTS[0]}}]}
    assert (outsiders(policy, OURS), wider(policy, ACCOUNTS[0]), wider(policy, "*")) == (["*"], [], ["NotPrincipal"])


@pytest.mark.parametrize("policy", [{}, {"Statement": "all"}, {"Statement": ["all"]}, []])
def test_what_is_no_policy_is_refused(policy):
    with pytest.raises(Rejected) as refusal:
        outsiders(policy, OURS)
    assert refusal.value.reason == "policy_unreadable"
