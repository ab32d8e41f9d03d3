"""What is peculiar to service accounts' keys, against our fake of what Google publishes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rotator import clock
from rotator.credential import CredentialRef, Leaked, Secret
from rotator.errors import BadInput, Unavailable, Uncertain
from rotator.flow.playbook_words import Strategy
from rotator.playbook_file import SHIPPED, load
from rotator.ports.abilities import SessionEnding
from rotator.ports.connection import Connection
from rotator.ports.provider import Answer, State
from rotator.practice.process import free_port
from rotator.providers.gcp_service_account_key import QUOTA, connect
from tests.contracts.cases.gcp_service_account_key import NAME, connected, own_key, plant
from tests.fakes.fault_proxy import fault_proxy
from tests.fakes.gcp_iam_server import fake_gcp
from tests.refused import reason_of


@pytest.fixture
def server():
    with fake_gcp() as running:
        yield running


@pytest.fixture
def provider(server):
    return connected(server, own_key(server))


def test_it_ends_no_tokens_and_its_playbook_outwaits_them(provider):
    assert not isinstance(provider, SessionEnding)
    playbook = load(Path(SHIPPED) / f"{NAME}.yaml")
    for strategy in Strategy:
        if strategy in playbook.strategies:
            [waited] = [line for line in playbook.path(strategy) if line.id == "outlived"]
            assert waited.hold.for_ == 3600


@pytest.mark.parametrize(
    "full",
    [
        (400, "FAILED_PRECONDITION", "Precondition check failed."),
        (429, "RESOURCE_EXHAUSTED", "Maximum number of keys on account reached."),
    ],
)
def test_an_eleventh_key_is_refused_by_the_quota_however_google_says_it(server, provider, full):
    server.full = full
    ref, _ = plant(server)
    for _ in range(QUOTA - 1):
        provider.issue(ref, "run-1", {})
    assert reason_of(lambda: provider.issue(ref, "run-1", {})) == "quota"
    assert len(provider.siblings(ref)) == QUOTA


def test_a_policy_that_forbids_keys_is_no_full_quota(server, provider, monkeypatch):
    ref, _ = plant(server)
    monkeypatch.setattr("tests.fakes.gcp_iam_server.QUOTA", 1)
    assert reason_of(lambda: provider.issue(ref, "run-1", {})) == "failed_precondition"


def test_an_address_that_a_file_names_is_sent_nothing(server, provider):
    ref, secret = plant(server)
    forged = Secret(json.dumps({**json.loads(secret.reveal()), "token_uri": f"http://127.0.0.1:{free_port()}/token"}))
    assert provider.identify(Leaked(secret=forged)) == ref
    assert provider.verify(ref, forged).answer is Answer.ACCEPTED


def test_a_private_key_alone_is_named_by_what_the_report_says_beside_it(server, provider):
    ref, secret = plant(server)
    pem = Secret(json.loads(secret.reveal())["private_key"])
    assert reason_of(lambda: provider.identify(Leaked(secret=pem))) == "unreadable"
    assert provider.identify(Leaked(id=ref.id, owner=ref.owner, secret=pem)) == ref
    assert provider.verify(ref, pem).answer is Answer.ACCEPTED
    assert provider.verify(ref, Secret(pem.reveal().replace("\n", "\\n"))).answer is Answer.ACCEPTED


def test_a_wrong_key_and_a_deleted_one_are_refused_alike_and_name_nothing(server, provider):
    (ref, secret), (_, other) = plant(server), plant(server)
    wrong = provider.verify(ref, other)
    provider.revoke(ref)
    gone = provider.verify(ref, secret)
    assert wrong == gone
    assert (gone.answer, gone.names_id, gone.mismatch) == (Answer.REJECTED, False, False)


def test_a_disabled_account_lets_none_of_its_keys_in(server, provider):
    ref, secret = plant(server)
    server.accounts[ref.owner]["disabled"] = True
    verdict = provider.verify(ref, secret)
    assert (verdict.answer, verdict.reason) == (Answer.REJECTED, "account_gone_or_disabled")


def test_a_wrong_clock_proves_nothing(server, monkeypatch):
    provider = connected(server, Secret("plain-token"))
    ref, secret = plant(server)
    monkeypatch.setattr(clock.now, "begins_at", clock.now.begins_at - 7200.0)
    verdict = provider.verify(ref, secret)
    assert (verdict.answer, verdict.reason) == (Answer.INCONCLUSIVE, "clock_skewed")


def test_another_projects_account_is_refused_before_anybody_is_asked(server, provider):
    foreign = CredentialRef(NAME, "gcp-test", "ci@elsewhere.iam.gserviceaccount.com", "0" * 40)
    for act in (provider.inspect, provider.revoke, provider.suspend, provider.siblings):
        assert reason_of(lambda act=act: act(foreign)) == "not_this_account"
    assert server.asked == []


def test_an_address_that_tells_no_project_is_absent_only_where_its_account_is_known(server, provider):
    email = server.account("123456789012-compute@developer.gserviceaccount.com")
    ref = CredentialRef(NAME, "gcp-test", email, "0" * 40)
    assert provider.inspect(ref).state is State.ABSENT
    stranger = CredentialRef(NAME, "gcp-test", "999-compute@developer.gserviceaccount.com", "0" * 40)
    assert reason_of(lambda: provider.inspect(stranger)) == "not_this_account"
    assert reason_of(lambda: provider.revoke(stranger)) == "not_this_account"


def test_the_keys_of_every_account_are_listed_on_whatever_page_it_stands(server, provider):
    planted = {plant(server)[0] for _ in range(5)}
    found = {each.ref: each.facts for each in provider.discover()}
    assert planted <= set(found)
    assert {found[ref]["state"] for ref in planted} == {"active"}


def test_what_is_delivered_is_a_key_file_that_lets_the_rotator_itself_in(server, provider):
    ref = CredentialRef(NAME, "gcp-test", server.account("rotator"), str(provider.own()))
    document = provider.issue(ref, "run-1", {}).document(provider.secret_field)
    assert json.loads(document.reveal())["type"] == "service_account"
    acting = connected(server, document)
    assert acting.own() == json.loads(document.reveal())["id"]
    assert len(acting.siblings(ref)) == 2


def test_our_own_token_is_got_once_and_a_rotated_key_brings_another(server):
    held = [own_key(server)]
    provider = connect(Connection("gcp-test", "gcp", server.project, server.endpoint_url, lambda: held[0]), NAME)
    ref, _ = plant(server)
    for _ in range(3):
        provider.inspect(ref)
    assert server.asked.count("POST /token") == 1
    held[0] = own_key(server)
    provider.inspect(ref)
    assert server.asked.count("POST /token") == 2


def test_a_token_of_ours_that_is_refused_before_its_end_is_got_anew(server, provider):
    ref, _ = plant(server)
    provider.inspect(ref)
    server.tokens.clear()
    assert reason_of(lambda: provider.inspect(ref)) == "own_credential_refused"
    assert provider.inspect(ref).state is State.ACTIVE


def test_a_lost_answer_about_our_own_token_is_none_about_the_key(server):
    with fault_proxy(server.endpoint_url) as proxy:
        provider = connected(server, own_key(server), endpoint_url=proxy.address)
        ref, _ = plant(server)
        proxy.lose_answer(0)
        with pytest.raises(Unavailable) as error:
            provider.issue(ref, "run-1", {})
        assert error.value.reason == "no_own_token"
        proxy.lose_answer(1)
        with pytest.raises(Uncertain):
            provider.issue(ref, "run-1", {})
        assert len(provider.siblings(ref)) == 2


def test_our_own_refused_credential_is_told_from_the_exposed_one(server):
    own, (ref, secret) = own_key(server), plant(server)
    email, key_id = json.loads(own.reveal())["client_email"], json.loads(own.reveal())["private_key_id"]
    del server.keys[email, key_id]
    provider = connected(server, own)
    assert reason_of(lambda: provider.inspect(ref)) == "own_credential_refused"
    assert reason_of(lambda: connected(server, Secret("ya29.old")).inspect(ref)) == "own_credential_refused"
    assert reason_of(lambda: connected(server, Secret("{}")).inspect(ref)) == "own_credential_unreadable"
    assert provider.verify(ref, secret).answer is Answer.ACCEPTED


def test_without_a_credential_googles_default_chain_is_gone_by(server, tmp_path, monkeypatch):
    file = tmp_path / "adc.json"
    own = {**json.loads(own_key(server).reveal()), "token_uri": f"{server.endpoint_url}/token"}
    file.write_text(json.dumps(own))
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(file))
    ref, _ = plant(server)
    assert connected(server, None).inspect(ref).state is State.ACTIVE
    file.write_text(json.dumps({**own, "private_key_id": "0" * 40}))
    with pytest.raises(Unavailable) as error:
        connected(server, None).inspect(ref)
    assert error.value.reason == "no_own_credential"
    assert own["private_key"] not in str(error.value)


def test_a_connection_without_a_project_is_said_so():
    with pytest.raises(BadInput) as error:
        connect(Connection("gcp-test", "gcp"), NAME)
    assert "account" in str(error.value)


def test_a_method_of_several_calls_keeps_within_the_deadline_of_one(server, provider, monkeypatch):
    ref, _ = plant(server)
    provider.inspect(ref)
    slow = iter(range(0, 1000, 3))
    monkeypatch.setattr("rotator.families.gcp.time.monotonic", lambda: float(next(slow)))
    with pytest.raises(Unavailable) as error:
        provider.preserve(ref)
    assert error.value.reason == "out_of_time"


def test_a_token_outlives_its_key_and_is_refused_only_while_its_account_is_disabled(server):
    """Of the fake: it has the trap for which the playbook waits an hour."""
    own = own_key(server)
    fields = json.loads(own.reveal())
    ref, _ = plant(server)
    connected(server, own).inspect(ref)
    [token] = server.tokens
    stolen = connected(server, Secret(token))
    del server.keys[fields["client_email"], fields["private_key_id"]]
    assert stolen.inspect(ref).state is State.ACTIVE
    server.accounts[fields["client_email"]]["disabled"] = True
    assert reason_of(lambda: stolen.inspect(ref)) == "own_credential_refused"
    server.accounts[fields["client_email"]]["disabled"] = False
    assert stolen.inspect(ref).state is State.ACTIVE
