"""What is special about service accounts' tokens, tried on a fake of ours of the Kubernetes API."""

from __future__ import annotations

import json

import pytest

from rotator.credential import CredentialRef, Leaked, Secret
from rotator.errors import Rejected, RotatorError, Uncertain
from rotator.ports.provider import Answer, State
from rotator.providers.kubernetes_service_account_token import connect
from tests.contracts.cases.kubernetes_service_account_token import KIND, connection, new_token
from tests.fakes.fault_proxy import fault_proxy
from tests.fakes.kubernetes_server import kubernetes_server

MARKER = "rotator-run-7-issue"


@pytest.fixture(scope="module")
def server():
    with kubernetes_server() as running:
        yield running


@pytest.fixture
def proxy(server):
    with fault_proxy(server.address) as standing:
        yield standing


@pytest.fixture
def provider(server, proxy):
    return connect(connection(proxy.address, server.admin), KIND)


def reason_of(act) -> str:
    with pytest.raises(RotatorError) as refusal:
        act()
    return refusal.value.reason


def bound(server, account: str, **spec: object) -> Secret:
    """Ask for a token as kubelet or kubectl does."""
    server.account(account)
    return Secret(server.cluster.token("default", account, {"spec": spec})["status"]["token"])


def pod(server, name: str) -> dict:
    return server.cluster.create("pods", "default", {"metadata": {"name": name}, "spec": {}})


def test_a_pods_token_dies_with_the_pod_and_is_not_replaced_here(server, provider):
    standing = pod(server, "web-1")
    token = bound(server, "web", boundObjectRef={"kind": "Pod", "name": "web-1"})
    ref = provider.identify(Leaked(secret=token))
    assert ref.id == f"pods/web-1@{standing['metadata']['uid']}"
    assert provider.siblings(ref) == {ref}
    assert "which its controller starts again" in provider.preserve(ref)["deleting_takes"]
    assert reason_of(lambda: provider.issue(ref, MARKER, {})) == "pod_token"
    provider.revoke(ref)
    assert provider.verify(ref, token).answer is Answer.REJECTED


def test_a_pod_of_the_same_name_that_came_after_is_left_alone(server, provider):
    pod(server, "again")
    token = bound(server, "again", boundObjectRef={"kind": "Pod", "name": "again"})
    ref = provider.identify(Leaked(secret=token))
    server.cluster.delete("pods", "default", "again", {})
    pod(server, "again")
    assert provider.inspect(ref).state is State.ABSENT
    provider.revoke(ref)
    assert server.cluster.read("pods", "default", "again")


def test_a_pod_that_lingers_is_not_called_gone(server, provider, monkeypatch):
    pod(server, "slow")
    token = bound(server, "slow", boundObjectRef={"kind": "Pod", "name": "slow"})
    ref = provider.identify(Leaked(secret=token))
    monkeypatch.setattr(server.cluster, "lingering_pods", True)
    provider.revoke(ref)
    assert provider.inspect(ref).state is State.ACTIVE
    assert "being_deleted_since" in provider.inspect(ref).facts
    assert provider.verify(ref, token).answer is Answer.ACCEPTED


def test_a_token_that_is_bound_to_nothing_is_called_what_it_is(server, provider):
    assert reason_of(lambda: provider.identify(Leaked(secret=bound(server, "free")))) == "only_expires"


def test_a_secret_with_other_things_in_it_is_not_destroyed_for_the_token_that_is_bound_to_it(server, provider):
    body = {"metadata": {"name": "precious"}, "stringData": {"password": "kept"}}
    server.cluster.create("secrets", "default", body)
    token = bound(server, "sharing", boundObjectRef={"kind": "Secret", "name": "precious"})
    ref = provider.identify(Leaked(secret=token))
    assert reason_of(lambda: provider.revoke(ref)) == "secret_holds_more"
    assert server.cluster.read("secrets", "default", "precious")["data"]


def test_the_replacement_is_bound_and_says_when_it_ends(server, provider):
    ref, _ = new_token(server, "legacy", "capped")
    server.cluster.longest_token_s = 3600
    issued = provider.issue(ref, MARKER, {})
    server.cluster.longest_token_s = None
    assert issued.public["expires_at"].startswith("20")
    assert provider.marked(ref, MARKER) == issued.ref
    assert provider.siblings(ref) == {ref, issued.ref}


def test_a_token_lost_on_its_way_is_uncertain_and_found_by_its_marker(server, provider, proxy):
    ref, _ = new_token(server, "waits", "lost")
    proxy.pass_all()
    proxy.lose_answer(2)
    with pytest.raises(Uncertain):
        provider.issue(ref, MARKER, {})
    proxy.pass_all()
    assert provider.marked(ref, MARKER) in provider.siblings(ref) - {ref}


def test_a_refused_token_leaves_nothing_that_looks_like_one(server, provider, monkeypatch):
    ref, _ = new_token(server, "alone", "refused")
    monkeypatch.setattr("rotator.providers.kubernetes_service_account_token._LIFE_S", 1)
    with pytest.raises(Rejected):
        provider.issue(ref, MARKER, {})
    assert provider.siblings(ref) == {ref}


def test_another_accounts_token_proves_nothing_about_this_one(server, provider):
    ref, _ = new_token(server, "mine", "pair")
    _, other = new_token(server, "theirs", "pair")
    assert provider.verify(ref, other).reason == "another_token"


def test_a_token_of_another_cluster_is_nobodys_here_and_one_of_another_address_is_not_sent(provider, proxy):
    with kubernetes_server() as elsewhere:
        _, foreign = new_token(elsewhere, "foreign", "web")
    assert reason_of(lambda: provider.identify(Leaked(secret=foreign))) == "unknown_credential"
    proxy.pass_all()
    leaked = Leaked(secret=foreign, address="https://cluster.example:6443")
    assert reason_of(lambda: provider.identify(leaked)) == "not_this_account"
    assert proxy.calls == []


@pytest.mark.parametrize(
    ("status", "message", "answer"),
    [
        (403, "User 'system:serviceaccount:default:words' cannot create", Answer.ACCEPTED),
        (403, "User 'system:anonymous' cannot create", Answer.INCONCLUSIVE),
        (401, "Unauthorized", Answer.REJECTED),
        (503, "apiserver not ready", Answer.INCONCLUSIVE),
        (404, "page not found", Answer.INCONCLUSIVE),
    ],
)
def test_each_answer_to_a_knock_has_its_meaning(server, proxy, status, message, answer):
    provider = connect(connection(proxy.address, server.admin), KIND)
    ref, token = new_token(server, f"words-{status}-{len(message)}", "words")
    said = {"kind": "Status", "apiVersion": "v1", "code": status, "message": message.replace("'", '"')}
    proxy.answer(status, body=json.dumps(said).encode())
    assert provider.verify(ref, token).answer is answer


def test_its_own_token_is_told_by_the_object_that_keeps_it_alive(server):
    _, legacy = new_token(server, "rotators", "rotator")
    pod(server, "rotator-0")
    mine = bound(server, "rotator", boundObjectRef={"kind": "Pod", "name": "rotator-0"})
    own = connect(connection(server.address, mine), KIND).own()
    assert own is not None
    assert own.startswith("pods/rotator-0@")
    assert connect(connection(server.address, server.admin), KIND).own() is None
    assert reason_of(connect(connection(server.address, legacy), KIND).own) == "permission_denied"


def test_legacy_tokens_are_listed_with_their_last_use(server, provider):
    ref, token = new_token(server, "listed", "listed")
    assert "last_used_at" not in {each.ref: each.facts for each in provider.discover()}[ref]
    provider.verify(ref, token)
    facts = {each.ref: each.facts for each in provider.discover()}[ref]
    assert facts["last_used_at"][:2] == "20"
    assert facts["created_at"]


def test_an_owner_or_id_that_names_no_place_in_a_cluster_is_not_ours(provider):
    for owner, named in (("web", "secrets/a@1"), ("a/b/c", "secrets/a@1"), ("default/web", "secrets/../a@1")):
        ref = CredentialRef(KIND, "cluster", owner, named)
        assert reason_of(lambda ref=ref: provider.inspect(ref)) == "not_this_account"
