"""What the API server says of a role is what it does; what it does not say is not made up. Tried on a fake of ours."""

from __future__ import annotations

import pytest

from rotator.credential import Secret
from rotator.errors import Rejected
from rotator.ports.provider import State
from rotator.providers.kubernetes_service_account_token import connect
from tests.contracts.cases.kubernetes_service_account_token import KIND, connection, new_token
from tests.fakes.kubernetes_access import Rule
from tests.fakes.kubernetes_server import kubernetes_server


@pytest.fixture(scope="module")
def server():
    with kubernetes_server() as running:
        yield running


def told(server, own: Secret, whose: str | None) -> dict[str, tuple[bool | None, str]]:
    """Return what is said of each need."""
    asked = connect(connection(server.address, own), KIND).permissions(whose)
    return {each.needs: (each.granted, each.why) for each in asked}


def test_each_verb_on_each_resource_is_asked_for_by_its_own_name(server):
    own = server.bearer("narrow", Rule(("get", "delete"), ("secrets",), "default"), Rule(("create",), ("secrets",)))
    said = told(server, own, "default/ci")
    assert {needs for needs, (granted, _) in said.items() if granted} == {
        "get on secrets in namespace default",
        "create on secrets in namespace default",
        "delete on secrets in namespace default",
    }
    assert said["create on serviceaccounts/token named ci in namespace default"] == (False, "no rule grants it")
    assert said["create on tokenreviews.authentication.k8s.io"][0] is False


def test_what_is_not_granted_everywhere_may_be_granted_somewhere(server):
    own = server.bearer("somewhere", Rule(("delete",), ("secrets",), "default"), Rule(("get",), ("pods",)))
    said = told(server, own, None)
    assert said["get on pods in all namespaces"] == (True, "")
    assert said["delete on secrets in all namespaces"] == (
        None,
        "not in all namespaces, perhaps in one: name it",
    )


def test_a_refusal_for_all_names_is_none_for_those_that_a_rule_names(server):
    ref, _ = new_token(server, "by-name", "by-name")
    rules = (Rule(("get",), ("secrets", "serviceaccounts")), Rule(("delete",), ("secrets",), names=("by-name",)))
    own = server.bearer("for-one", *rules)
    granted, why = told(server, own, ref.owner)["delete on secrets in namespace default"]
    assert (granted, why) == (None, "only for those named by-name")
    connect(connection(server.address, own), KIND).revoke(ref)
    assert connect(connection(server.address, server.admin), KIND).inspect(ref).state is State.ABSENT


def test_rules_that_are_not_all_listed_refuse_nothing_by_their_silence(server):
    own = server.bearer("unlisted")
    try:
        server.access.incomplete = True
        said = told(server, own, "default/ci")
    finally:
        server.access.incomplete = False
    assert said["delete on secrets in namespace default"][0] is None
    assert said["create on secrets in namespace default"][0] is False


def test_who_may_not_ask_is_told_what_asking_needs(server):
    own = server.bearer("mute", Rule(("get",), ("secrets",)))
    try:
        server.access.asks = False
        said = told(server, own, "default/ci")
    finally:
        server.access.asks = True
    assert {granted for granted, _ in said.values()} == {None}
    assert all("selfsubjectaccessreviews" in why for _, why in said.values())


def test_an_authorizers_trouble_is_told_beside_its_no(server):
    own = server.bearer("troubled")
    try:
        server.access.error = 'clusterrole "gone" not found'
        said = told(server, own, "default/ci")
    finally:
        server.access.error = ""
    assert said["create on secrets in namespace default"] == (False, 'clusterrole "gone" not found')


def test_asking_is_two_kinds_of_review_and_nothing_else(server):
    own = server.bearer("asker")
    server.calls.clear()
    told(server, own, "default/ci")
    assert {call.rpartition("/")[2] for call in server.calls} == {"selfsubjectaccessreviews", "selfsubjectrulesreviews"}


def test_who_is_not_let_in_is_told_nothing(server):
    with pytest.raises(Rejected) as refusal:
        told(server, Secret("x.y." + "z" * 20), "default/ci")
    assert refusal.value.reason == "own_credential_refused"
