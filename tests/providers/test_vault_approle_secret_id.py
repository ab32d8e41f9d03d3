"""What is special about secret ids of AppRoles, tried on a real OpenBao server."""

from __future__ import annotations

import pytest

from rotator.credential import CredentialRef, Leaked, Secret
from rotator.errors import Unavailable, Uncertain
from rotator.ports.connection import Connection
from rotator.ports.provider import Answer, State
from rotator.providers import vault_approle_secret_id
from rotator.providers.vault_approle_secret_id import connect
from tests.contracts.cases.vault_approle_secret_id import KIND, POLICY, new_secret_id, prepared
from tests.refused import reason_of
from tests.servers.vault_policies import assert_told_truly, lacking_one

MARKER = "rotator-run-7-issue"


@pytest.fixture(scope="module")
def own(bao):
    return prepared(bao)


@pytest.fixture
def provider(proxy, own):
    return connect(Connection("vault", "vault", endpoint_url=proxy.address, credential=lambda: own), KIND)


def logged_in(bao, ref: CredentialRef, secret: Secret) -> str:
    """Log in as the application does; return the token's accessor."""
    role_id = bao.call("GET", f"auth/approle/role/{ref.owner.partition('/')[2]}/role-id")["data"]["role_id"]
    body = {"role_id": role_id, "secret_id": secret.reveal()}
    return bao.call("POST", "auth/approle/login", body)["auth"]["accessor"]


def tokens(bao) -> set[str]:
    return set(bao.call("LIST", "auth/token/accessors")["data"]["keys"])


def test_destroying_it_leaves_its_tokens_which_are_then_cut_and_no_others(bao, provider):
    exposed, secret = new_secret_id(bao, "web")
    other, others = new_secret_id(bao, "db")
    issued = provider.issue(exposed, MARKER, provider.preserve(exposed))
    stolen = {logged_in(bao, exposed, secret) for _ in range(3)}
    spared = {logged_in(bao, issued.ref, issued.secret), logged_in(bao, other, others)}
    provider.revoke(exposed)
    assert stolen | spared <= tokens(bao)
    assert provider.end_sessions(exposed)["tokens_cut"] == "3"
    assert not stolen & tokens(bao)
    assert spared <= tokens(bao)


def test_tokens_of_an_exposed_replacement_are_cut_too(bao, provider):
    ref, _ = new_secret_id(bao, "again")
    issued = provider.issue(ref, MARKER, provider.preserve(ref))
    stolen = logged_in(bao, issued.ref, issued.secret)
    provider.revoke(issued.ref)
    provider.end_sessions(issued.ref)
    assert stolen not in tokens(bao)


def test_more_tokens_than_one_calls_time_allows_are_cut_in_several(bao, provider, monkeypatch):
    ref, secret = new_secret_id(bao, "many")
    logged_in(bao, ref, secret)
    monkeypatch.setattr(vault_approle_secret_id, "BEGINS_S", -1.0)
    with pytest.raises(Unavailable) as more:
        provider.end_sessions(ref)
    assert more.value.reason == "more_tokens_to_cut"


def test_tokens_that_nobody_can_revoke_are_not_called_cut(bao, provider):
    ref, _ = new_secret_id(bao, "batch")
    bao.call("POST", "auth/approle/role/batch", {"token_type": "batch", "token_ttl": "20m"})
    assert reason_of(lambda: provider.end_sessions(ref)) == "batch_tokens"


def test_a_knock_leaves_no_token_behind(bao, provider):
    ref, secret = new_secret_id(bao, "knocked")
    before = tokens(bao)
    assert provider.verify(ref, secret).answer is Answer.ACCEPTED
    assert tokens(bao) == before


def test_another_secret_ids_material_proves_nothing_about_this_one(bao, provider):
    ref, _ = new_secret_id(bao, "pair")
    _, other = new_secret_id(bao, "pair")
    verdict = provider.verify(ref, other)
    assert (verdict.answer, verdict.mismatch) == (Answer.INCONCLUSIVE, True)


def test_one_that_is_bound_to_other_addresses_is_not_called_dead(bao, provider):
    ref, secret = new_secret_id(bao, "bound", cidr_list=["10.9.8.0/24"])
    verdict = provider.verify(ref, secret)
    assert (verdict.answer, verdict.reason) == (Answer.INCONCLUSIVE, "bound_elsewhere")


def test_an_accessor_or_the_roles_name_narrows_the_search(bao, provider, proxy):
    ref, secret = new_secret_id(bao, "narrow")
    assert provider.identify(Leaked(id=ref.id)) == ref
    proxy.pass_all()
    assert provider.identify(Leaked(secret=secret, owner=ref.owner)) == ref
    assert len(proxy.calls) == 1
    assert provider.identify(Leaked(secret=secret, owner="narrow")) == ref


def test_one_of_another_server_or_no_role_is_not_sent_or_not_called_absent(bao, provider, proxy):
    ref, secret = new_secret_id(bao, "here")
    proxy.pass_all()
    leaked = Leaked(secret=secret, address="https://vault.example:8200")
    assert reason_of(lambda: provider.identify(leaked)) == "not_this_account"
    assert proxy.calls == []
    for owner in ("approle/gone", "../approle/here", "here"):
        elsewhere = CredentialRef(KIND, "vault", owner, ref.id)
        assert reason_of(lambda ref=elsewhere: provider.inspect(ref)) == "not_this_account"
    assert provider.inspect(ref).state is State.ACTIVE


def test_a_replacement_has_the_limits_of_the_exposed_after_that_is_gone(bao, provider):
    limits = {"num_uses": 5, "ttl": "2h", "cidr_list": ["127.0.0.0/8"], "metadata": '{"team": "payments"}'}
    ref, _ = new_secret_id(bao, "limited", **limits)
    kept = provider.preserve(ref)
    provider.revoke(ref)
    assert reason_of(lambda: provider.issue(ref, MARKER, {})) == "nothing_to_copy"
    issued = provider.issue(ref, MARKER, kept)
    facts = provider.inspect(issued.ref).facts
    assert (facts["secret_id_num_uses"], facts["secret_id_ttl"]) == ("6", "7200")  # one for the knock
    assert facts["cidr_list"] == "127.0.0.0/8"
    assert facts["metadata"] == '{"rotator_marker": "rotator-run-7-issue", "team": "payments"}'
    assert provider.verify(issued.ref, Secret(issued.document("secret_id").reveal())).answer is Answer.ACCEPTED


def test_a_lost_issue_is_uncertain_and_found_by_its_marker(bao, provider, proxy):
    ref, _ = new_secret_id(bao, "lost")
    kept = provider.preserve(ref)
    proxy.lose_answer(1)
    with pytest.raises(Uncertain):
        provider.issue(ref, MARKER, kept)
    proxy.pass_all()
    found = provider.marked(ref, MARKER)
    assert found is not None
    assert provider.siblings(ref) == {ref, found}


def test_all_are_listed_with_their_age(bao, provider):
    ref, _ = new_secret_id(bao, "listed")
    facts = {each.ref: each.facts for each in provider.discover()}[ref]
    assert facts["created_at"].startswith("20")
    assert "last_used_at" not in facts


@pytest.mark.parametrize("lacking", lacking_one(POLICY), ids=lambda each: each[0].replace("/", "."))
def test_without_one_capability_what_is_refused_is_told_and_the_rest_is_done(bao, own, lacking):
    bao.write_policy("lacking", lacking[1])
    token = bao.plant("lacking").token
    wide, narrow = (
        connect(Connection("vault", "vault", endpoint_url=bao.address, credential=lambda own=own: own), KIND)
        for own in (own, token)
    )
    ref, secret = new_secret_id(bao, "asked")
    issued = wide.issue(ref, "another", {})
    logged_in(bao, ref, secret)
    logged_in(bao, issued.ref, issued.secret)
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
