"""Who may do what over HTTP: a role may what those below it may, and no token makes more of a person than he is."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from rotator.errors import BadInput, NotAllowed
from rotator.flow.approval import Person, Policy, Role
from rotator.flow.roles import NEEDS, Act, may, refuse_creation, still
from rotator.settings.approval import PersonSettings

ROLES = list(Role)
POLICY = Policy(
    {
        "ana": Person("ana", frozenset({Role.RESPONDER})),
        "bo": Person("bo", frozenset({Role.APPROVER})),
        "cy": Person("cy", frozenset({Role.ADMIN})),
    }
)


def test_every_act_has_its_role_and_each_role_may_what_those_below_it_may():
    assert set(NEEDS) == set(Act)
    for act in Act:
        allowed = [may(role, act) for role in ROLES]
        assert allowed == sorted(allowed)
        assert allowed[-1]


def test_a_viewer_only_reads_and_a_responder_gives_nothing_up():
    assert {act for act in Act if may(Role.VIEWER, act)} == {Act.READ}
    kept = {Act.APPROVE, Act.REVIEW, Act.CLOSE, Act.DISMISS, Act.SKIP, Act.UNDO, Act.RELEASE, Act.OPEN_GATE, Act.MERGE}
    kept |= {Act.OVERRIDE_GATE, Act.RESTORE_VENDOR}
    admins = {Act.READ_SERVICE, Act.IMPORT, Act.CREATE_TOKEN, Act.REVOKE_TOKEN, Act.REVOKE_SESSION}
    assert {act for act in Act if not may(Role.RESPONDER, act)} == {*kept, *admins}
    assert {act for act in Act if not may(Role.APPROVER, act)} == admins


@given(st.sampled_from(ROLES), st.sampled_from(["", "ana", "bo", "cy", "gone"]))
def test_a_token_is_never_more_than_it_was_made_nor_than_the_person_it_names(role, person):
    now = still(role, person, POLICY)
    assert ROLES.index(now) <= ROLES.index(role)
    if person:
        of_person = POLICY.people[person].role if person in POLICY.people else Role.VIEWER
        assert ROLES.index(now) <= ROLES.index(of_person)
    assert still(role, person, None) is role


@pytest.mark.parametrize(
    ("by", "role", "person", "why"),
    [
        ("ana", Role.RESPONDER, "ana", ""),
        ("bo", Role.APPROVER, "bo", ""),
        ("cy", Role.RESPONDER, "", ""),
        ("ana", Role.APPROVER, "ana", "ana is a responder"),
        ("ana", Role.APPROVER, "bo", "bo alone makes tokens of bo"),
        ("cy", Role.APPROVER, "bo", "bo alone makes tokens of bo"),
        ("bo", Role.VIEWER, "", "made by an admin"),
        ("stranger", Role.VIEWER, "", "made by an admin"),
        ("cy", Role.VIEWER, "dora", "nobody in"),
    ],
)
def test_where_there_is_a_rule_a_person_makes_tokens_of_his_own_and_an_admin_those_of_others(by, role, person, why):
    if not why:
        refuse_creation(POLICY, by, role, person)
    else:
        with pytest.raises(NotAllowed, match=why):
            refuse_creation(POLICY, by, role, person)
    refuse_creation(None, by, role, person)


def test_where_one_pair_of_eyes_is_enough_an_admin_makes_tokens_of_others():
    policy = replace(POLICY, four_eyes=False)
    refuse_creation(policy, "cy", Role.APPROVER, "bo")
    with pytest.raises(NotAllowed, match="made by an admin"):
        refuse_creation(policy, "ana", Role.APPROVER, "bo")


@pytest.mark.parametrize("name", ["token ci", "session ab12cd34", " ana", "ana\t", "ana\nbo", "ana\u202e", "ana\0"])
def test_nobody_is_called_so_that_evidence_would_take_him_for_another(name):
    with pytest.raises(BadInput, match="somebody else"):
        refuse_creation(None, "cy", Role.VIEWER, name)
    with pytest.raises(ValidationError, match="nobody is called so"):
        PersonSettings(name=name, roles=[Role.APPROVER])
