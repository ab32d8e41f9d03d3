"""What Google is asked of the rotator's own permissions, on our fake of its IAM: said, then tried."""

from __future__ import annotations

import json

import pytest

from rotator.credential import Secret
from rotator.errors import Rejected, Unavailable
from rotator.families.gcp_permissions import KEYS_FORBIDDEN
from rotator.permissions import LOOK
from tests.contracts.cases.gcp_service_account_key import connected, own_key, plant
from tests.fakes.door import a_door
from tests.fakes.gcp_iam_server import fake_gcp
from tests.refused import reason_of

LOOKS = ("iam.serviceAccountKeys.list", "iam.serviceAccountKeys.get", "iam.serviceAccounts.get")
TOKEN = Secret("a plain token")


@pytest.fixture(scope="module")
def server():
    with fake_gcp() as running:
        yield running


@pytest.fixture(scope="module")
def door():
    with a_door() as standing:
        yield standing


def limited(server, name, *permissions, on=None):
    """Return the provider, let in by an account that has these permissions and no more."""
    email = server.account(name)
    server.grants.give(email, *permissions, on=on)
    return connected(server, Secret(json.dumps(server.create_key(email))))


def told(provider, whose):
    """Return what is granted, by the verb; of several things the worst."""
    said = {}
    for each in provider.permissions(whose):
        for verb in each.verbs:
            said.setdefault(verb, set()).add(each.granted)
    return {verb: False if False in found else None if None in found else True for verb, found in said.items()}


def test_what_is_granted_on_one_account_is_told_of_it_and_not_of_the_project(server):
    (ref, _), (other, _) = plant(server), plant(server)
    here = f"projects/{server.project}/serviceAccounts/{ref.owner}"
    provider = limited(server, "of-one", *LOOKS, "iam.serviceAccountKeys.disable", on=here)
    assert told(provider, ref.owner) == {LOOK: True, "issue": False, "suspend": True, "resume": False, "revoke": False}
    provider.suspend(ref)
    for act in (provider.resume, provider.revoke):
        assert reason_of(lambda act=act: act(ref)) == "access_denied"
    assert set(told(provider, None).values()) == {None}
    assert set(told(provider, other.owner).values()) == {False}
    assert reason_of(lambda: provider.suspend(other)) == "access_denied"


def test_what_is_granted_on_the_project_is_told_of_all_of_it(server):
    provider = limited(server, "of-all", *LOOKS, "iam.serviceAccountKeys.delete", "orgpolicy.policy.get")
    assert told(provider, None) == {LOOK: True, "issue": None, "suspend": None, "resume": None, "revoke": True}
    ref, _ = plant(server)
    assert told(provider, ref.owner)["revoke"] is True
    provider.revoke(ref)


@pytest.mark.parametrize("constraint", KEYS_FORBIDDEN)
def test_a_policy_that_forbids_new_keys_goes_before_what_is_granted(server, constraint):
    provider, (ref, _) = connected(server, own_key(server)), plant(server)
    assert told(provider, ref.owner)["issue"] is True
    server.grants.enforced.add(constraint)
    try:
        found = [each for each in provider.permissions(ref.owner) if each.granted is not True]
    finally:
        server.grants.enforced.clear()
    assert [(each.verbs, each.granted, each.why) for each in found] == [
        (("issue",), False, f"{constraint} is enforced")
    ]


def test_who_may_not_ask_for_the_policies_is_told_so(server):
    provider, (ref, _) = limited(server, "maker", *LOOKS, "iam.serviceAccountKeys.create"), plant(server)
    (policy,) = [each for each in provider.permissions(ref.owner) if "organization" in each.needs]
    assert policy.granted is None
    assert "orgpolicy.policy.get" in policy.why
    assert provider.issue(ref, "run-1", {}).ref.owner == ref.owner


def test_of_an_account_that_is_not_there_nothing_is_told(server):
    provider = connected(server, own_key(server))
    nobody = f"nobody@{server.project}.iam.gserviceaccount.com"
    assert {each.granted for each in provider.permissions(nobody) if "organization" not in each.needs} == {None}
    assert reason_of(lambda: provider.permissions("ci@elsewhere.iam.gserviceaccount.com")) == "not_this_account"


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (403, {"error": {"code": 403, "status": "PERMISSION_DENIED", "message": "Resource Manager API is disabled."}}),
        (404, "<html>not here</html>"),
    ],
)
def test_a_question_that_is_refused_tells_nothing(server, door, status, body):
    door.says(status, body)
    provider = connected(server, TOKEN, endpoint_url=door.address)
    for whose in (None, f"ci@{server.project}.iam.gserviceaccount.com"):
        said = provider.permissions(whose)
        assert {each.granted for each in said} == {None}
        assert all(each.why for each in said)


def test_a_stranger_that_says_yes_to_everything_grants_nothing(server, door):
    provider = connected(server, TOKEN, endpoint_url=door.address)
    for body in ({}, {"permissions": "iam.serviceAccountKeys.delete"}, "<html>welcome</html>"):
        door.says(200, body)
        with pytest.raises(Unavailable):
            provider.permissions(None)


def test_a_credential_of_our_own_that_is_refused_is_no_permission(server, door):
    door.says(401, {"error": {"code": 401, "status": "UNAUTHENTICATED", "message": "invalid credentials"}})
    with pytest.raises(Rejected) as refusal:
        connected(server, TOKEN, endpoint_url=door.address).permissions(None)
    assert refusal.value.reason == "own_credential_refused"
