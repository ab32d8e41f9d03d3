"""What is special about transit keys, tried on a real OpenBao server."""

from __future__ import annotations

import base64
import os

import pytest

from rotator.credential import CredentialRef, Leaked, Secret
from rotator.errors import Rejected, RotatorError
from rotator.families.vault_transit import KNOCKABLE
from rotator.ports.connection import Connection
from rotator.ports.provider import Answer, State
from rotator.providers.vault_transit_key import connect
from tests.contracts.cases.vault_transit_key import KIND, POLICY, new_version, prepared
from tests.servers.vault_policies import assert_told_truly, lacking_one

SMALL = sorted(KNOCKABLE - {"rsa-3072", "rsa-4096"})
"""Making the larger RSA keys takes seconds; they go the same way."""


@pytest.fixture(scope="module")
def own(bao):
    own = prepared(bao)
    new_version(bao, "first")
    return own


@pytest.fixture
def provider(proxy, own):
    return connect(Connection("vault", "vault", endpoint_url=proxy.address, credential=lambda: own), KIND)


def reason_of(act) -> str:
    with pytest.raises(RotatorError) as refusal:
        act()
    return refusal.value.reason


@pytest.mark.parametrize("kind", SMALL)
def test_a_version_of_every_type_is_named_by_a_forgery_and_refused_below_the_floor(bao, provider, kind):
    ref, key = new_version(bao, f"of-{kind}", kind)
    assert provider.identify(Leaked(secret=key)) == ref
    provider.suspend(ref)
    verdict = provider.verify(ref, key)
    assert (verdict.answer, verdict.names_id) == (Answer.REJECTED, True)


def test_the_material_itself_is_sent_nowhere(bao, provider, monkeypatch):
    sent = []
    request = provider._vault._adapter.request

    def noted(*given, **more):
        sent.append((given, more))
        return request(*given, **more)

    monkeypatch.setattr(provider._vault._adapter, "request", noted)
    ref, key = new_version(bao, "quiet")
    assert provider.identify(Leaked(secret=key, owner=ref.owner)) == ref
    assert sent
    assert key.reveal() not in str(sent)


def test_another_key_of_the_same_length_proves_nothing(bao, provider):
    ref, _ = new_version(bao, "pair")
    verdict = provider.verify(ref, Secret(base64.b64encode(os.urandom(32)).decode()))
    assert (verdict.answer, verdict.mismatch) == (Answer.INCONCLUSIVE, True)


def test_a_key_whose_work_cannot_be_forged_is_not_called_dead(bao, provider):
    bao.call("POST", "transit/keys/derived", {"derived": True, "exportable": True})
    ref = CredentialRef(KIND, "vault", "transit/derived", "transit/derived:1")
    key = bao.call("GET", "transit/export/encryption-key/derived/1")["data"]["keys"]["1"]
    assert provider.verify(ref, Secret(key)).reason == "no_knock_for_this_type"
    assert provider.identify(Leaked(id=ref.id)) == ref


def test_a_stop_takes_older_versions_along_says_so_and_only_the_version_comes_back(bao, provider):
    oldest, old_key = new_version(bao, "floor")
    ref, key = new_version(bao, "floor")
    assert provider.preserve(ref)["stopping_it_also_stops"] == "1"
    provider.suspend(ref)
    assert provider.inspect(oldest).state is State.SUSPENDED
    provider.resume(ref)
    assert provider.verify(ref, key).answer is Answer.ACCEPTED
    assert provider.verify(oldest, old_key).answer is Answer.REJECTED


def test_nothing_is_destroyed_while_an_older_version_lives(bao, provider):
    oldest, old_key = new_version(bao, "kept")
    ref, _ = new_version(bao, "kept")
    assert reason_of(lambda: provider.revoke(ref)) == "older_versions_live"
    assert provider.verify(oldest, old_key).answer is Answer.ACCEPTED
    provider.revoke(oldest)
    assert provider.inspect(oldest).state is State.ABSENT
    assert provider.inspect(ref).state is State.ACTIVE


def test_who_encrypts_under_a_named_version_is_moved_on_too(bao, provider):
    ref, _ = new_version(bao, "named")
    bao.call("POST", "transit/keys/named/config", {"min_encryption_version": 1})
    provider.suspend(ref)
    assert bao.call("GET", "transit/keys/named")["data"]["min_encryption_version"] == 2


def test_a_key_that_never_leaves_the_server_is_not_rotated_for_delivery(bao, provider):
    bao.call("POST", "transit/keys/inside", {})
    ref = CredentialRef(KIND, "vault", "transit/inside", "transit/inside:1")
    assert reason_of(lambda: provider.issue(ref, "marker", {})) == "not_exportable"
    assert provider.siblings(ref) == {ref}


def test_a_rotation_whose_export_is_lost_is_uncertain(bao, provider, proxy):
    ref, _ = new_version(bao, "lost")
    proxy.pass_all()
    proxy.lose_answer(3)
    assert reason_of(lambda: provider.issue(ref, "marker", {})) == "rotated_but_not_exported"
    proxy.pass_all()
    assert len(provider.siblings(ref)) == 2


def test_a_stop_whose_rotation_was_lost_is_finished_when_asked_again_without_another(bao, provider, proxy):
    ref, key = new_version(bao, "again")
    proxy.pass_all()
    proxy.lose_answer(1)
    with pytest.raises(RotatorError):
        provider.suspend(ref)
    proxy.pass_all()
    provider.suspend(ref)
    assert provider.verify(ref, key).answer is Answer.REJECTED
    assert len(provider.siblings(ref)) == 2


def test_an_id_of_another_key_is_refused(bao, provider):
    ref, _ = new_version(bao, "mine")
    with pytest.raises(Rejected) as refusal:
        provider.revoke(CredentialRef(KIND, "vault", "transit/other", ref.id))
    assert refusal.value.reason == "not_this_account"


@pytest.mark.parametrize("lacking", lacking_one(POLICY), ids=lambda each: each[0].replace("/", "."))
def test_without_one_capability_what_is_refused_is_told_and_the_rest_is_done(bao, own, lacking):
    bao.write_policy("lacking", lacking[1])
    token = bao.plant("lacking").token
    wide, narrow = (
        connect(Connection("vault", "vault", endpoint_url=bao.address, credential=lambda own=own: own), KIND)
        for own in (own, token)
    )
    name = f"asked-{os.urandom(4).hex()}"
    said: set[bool | None] = set()
    for kind in ("aes256-gcm96", "ed25519"):
        ref, key = new_version(bao, f"{name}-{kind}", kind)
        stopped, _ = new_version(bao, f"{name}-{kind}-stopped", kind)
        wide.suspend(stopped)
        acts = {
            "look": lambda ref=ref, key=key: narrow.identify(Leaked(secret=key, owner=ref.owner)),
            "preserve": lambda ref=ref: narrow.preserve(ref),
            "verify": lambda ref=ref, key=key: narrow.verify(ref, key),
            "issue": lambda ref=ref: narrow.issue(ref, "marker", {}),
            "suspend": lambda ref=ref: narrow.suspend(ref),
            "resume": lambda ref=stopped: narrow.resume(ref),
            "revoke": lambda ref=ref: narrow.revoke(ref),
        }
        said |= assert_told_truly(narrow, ref.owner, acts)
    assert said != {True}
