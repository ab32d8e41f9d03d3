"""What is special about secret ids of AppRoles, tried on a real OpenBao server."""

from __future__ import annotations

import pytest

from rotator.credential import CredentialRef, Leaked, Secret
from rotator.errors import Unavailable, Uncertain
from rotator.ports import Answer, Connection, State
from rotator.practice.openbao import openbao
from rotator.providers import vault_approle_secret_id
from rotator.providers.vault_approle_secret_id import connect
from tests.contracts.cases.vault_approle_secret_id import KIND, POLICY, new_secret_id, prepared
from tests.fakes.fault_proxy import fault_proxy
from tests.refused import reason_of
from tests.servers.vault_policies import assert_told_truly, lacking_one

MARKER = "rotator-run-7-issue"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with openbao(tmp_path_factory.mktemp("openbao")) as running:
        yield running


@pytest.fixture(scope="module")
def own(server):
    return prepared(server)


@pytest.fixture(scope="module")
def proxy(server):
    with fault_proxy(server.address) as standing:
        yield standing


@pytest.fixture
def provider(proxy, own):
    proxy.pass_all()
    return connect(Connection("vault", "vault", endpoint_url=proxy.address, credential=lambda: own), KIND)


def logged_in(server, ref: CredentialRef, secret: Secret) -> str:
    """Log in as the application does; return the token's accessor."""
    role_id = server.call("GET", f"auth/approle/role/{ref.owner.partition('/')[2]}/role-id")["data"]["role_id"]
    body = {"role_id": role_id, "secret_id": secret.reveal()}
    return server.call("POST", "auth/approle/login", body)["auth"]["accessor"]


def tokens(server) -> set[str]:
    return set(server.call("LIST", "auth/token/accessors")["data"]["keys"])


def test_destroying_it_leaves_its_tokens_which_are_then_cut_and_no_others(server, provider):
    exposed, secret = new_secret_id(server, "web")
    other, others = new_secret_id(server, "db")
    issued = provider.issue(exposed, MARKER, provider.preserve(exposed))
    stolen = {logged_in(server, exposed, secret) for _ in range(3)}
    spared = {logged_in(server, issued.ref, issued.secret), logged_in(server, other, others)}
    provider.revoke(exposed)
    assert stolen | spared <= tokens(server)
    assert provider.end_sessions(exposed)["tokens_cut"] == "3"
    assert not stolen & tokens(server)
    assert spared <= tokens(server)


def test_tokens_of_an_exposed_replacement_are_cut_too(server, provider):
    ref, _ = new_secret_id(server, "again")
    issued = provider.issue(ref, MARKER, provider.preserve(ref))
    stolen = logged_in(server, issued.ref, issued.secret)
    provider.revoke(issued.ref)
    provider.end_sessions(issued.ref)
    assert stolen not in tokens(server)


def test_more_tokens_than_one_calls_time_allows_are_cut_in_several(server, provider, monkeypatch):
    ref, secret = new_secret_id(server, "many")
    logged_in(server, ref, secret)
    monkeypatch.setattr(vault_approle_secret_id, "BEGINS_S", -1.0)
    with pytest.raises(Unavailable) as more:
        provider.end_sessions(ref)
    assert more.value.reason == "more_tokens_to_cut"


def test_tokens_that_nobody_can_revoke_are_not_called_cut(server, provider):
    ref, _ = new_secret_id(server, "batch")
    server.call("POST", "auth/approle/role/batch", {"token_type": "batch", "token_ttl": "20m"})
    assert reason_of(lambda: provider.end_sessions(ref)) == "batch_tokens"


def test_a_knock_leaves_no_token_behind(server, provider):
    ref, secret = new_secret_id(server, "knocked")
    before = tokens(server)
    assert provider.verify(ref, secret).answer is Answer.ACCEPTED
    assert tokens(server) == before


def test_another_secret_ids_material_proves_nothing_about_this_one(server, provider):
    ref, _ = new_secret_id(server, "pair")
    _, other = new_secret_id(server, "pair")
    verdict = provider.verify(ref, other)
    assert (verdict.answer, verdict.mismatch) == (Answer.INCONCLUSIVE, True)


def test_one_that_is_bound_to_other_addresses_is_not_called_dead(server, provider):
    ref, secret = new_secret_id(server, "bound", cidr_list=["10.9.8.0/24"])
    verdict = provider.verify(ref, secret)
    assert (verdict.answer, verdict.reason) == (Answer.INCONCLUSIVE, "bound_elsewhere")


def test_an_accessor_or_the_roles_name_narrows_the_search(server, provider, proxy):
    ref, secret = new_secret_id(server, "narrow")
    assert provider.identify(Leaked(id=ref.id)) == ref
    proxy.pass_all()
    assert provider.identify(Leaked(secret=secret, owner=ref.owner)) == ref
    assert len(proxy.calls) == 1
    assert provider.identify(Leaked(secret=secret, owner="narrow")) == ref


def test_one_of_another_server_or_no_role_is_not_sent_or_not_called_absent(server, provider, proxy):
    ref, secret = new_secret_id(server, "here")
    proxy.pass_all()
    leaked = Leaked(secret=secret, address="https://vault.example:8200")
    assert reason_of(lambda: provider.identify(leaked)) == "not_this_account"
    assert proxy.calls == []
    for owner in ("approle/gone", "../approle/here", "here"):
        elsewhere = CredentialRef(KIND, "vault", owner, ref.id)
        assert reason_of(lambda ref=elsewhere: provider.inspect(ref)) == "not_this_account"
    assert provider.inspect(ref).state is State.ACTIVE


def test_a_replacement_has_the_limits_of_the_exposed_after_that_is_gone(server, provider):
    limits = {"num_uses": 5, "ttl": "2h", "cidr_list": ["127.0.0.0/8"], "metadata": '{"team": "payments"}'}
    ref, _ = new_secret_id(server, "limited", **limits)
    kept = provider.preserve(ref)
    provider.revoke(ref)
    assert reason_of(lambda: provider.issue(ref, MARKER, {})) == "nothing_to_copy"
    issued = provider.issue(ref, MARKER, kept)
    facts = provider.inspect(issued.ref).facts
    assert (facts["secret_id_num_uses"], facts["secret_id_ttl"]) == ("6", "7200")  # one for the knock
    assert facts["cidr_list"] == "127.0.0.0/8"
    assert facts["metadata"] == '{"rotator_marker": "rotator-run-7-issue", "team": "payments"}'
    assert provider.verify(issued.ref, Secret(issued.document("secret_id").reveal())).answer is Answer.ACCEPTED


def test_a_lost_issue_is_uncertain_and_found_by_its_marker(server, provider, proxy):
    ref, _ = new_secret_id(server, "lost")
    kept = provider.preserve(ref)
    proxy.lose_answer(1)
    with pytest.raises(Uncertain):
        provider.issue(ref, MARKER, kept)
    proxy.pass_all()
    found = provider.marked(ref, MARKER)
    assert found is not None
    assert provider.siblings(ref) == {ref, found}


def test_all_are_listed_with_their_age(server, provider):
    ref, _ = new_secret_id(server, "listed")
    facts = {each.ref: each.facts for each in provider.discover()}[ref]
    assert facts["created_at"].startswith("20")
    assert "last_used_at" not in facts


@pytest.mark.parametrize("lacking", lacking_one(POLICY), ids=lambda each: each[0].replace("/", "."))
def test_without_one_capability_what_is_refused_is_told_and_the_rest_is_done(server, own, lacking):
    server.write_policy("lacking", lacking[1])
    token = server.plant("lacking").token
    wide, narrow = (
        connect(Connection("vault", "vault", endpoint_url=server.address, credential=lambda own=own: own), KIND)
        for own in (own, token)
    )
    ref, secret = new_secret_id(server, "asked")
    issued = wide.issue(ref, "another", {})
    logged_in(server, ref, secret)
    logged_in(server, issued.ref, issued.secret)
    named = Leaked(secret=secret, owner=ref.owner)
    acts = {
        "look": lambda: (narrow.identify(named), narrow.inspect(ref), narrow.siblings(ref)),
        "preserve": lambda: narrow.preserve(ref),
        "verify": lambda: narrow.verify(ref, secret),
        "issue": lambda: (narrow.issue(ref, MARKER, {}), narrow.marked(ref, MARKER)),
        "end_sessions": lambda: narrow.end_sessions(ref),
        "revoke": lambda: narrow.revoke(ref),
    }
    assert assert_told_truly(narrow, ref.owner, acts) != {True}
