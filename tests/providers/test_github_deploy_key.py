"""What is special about GitHub's deploy keys, tried on a fake of its lists and an SSH server that keeps to them."""

from __future__ import annotations

import pytest

from rotator.credential import CredentialRef, Leaked, Secret
from rotator.errors import BadInput, Rejected, Unavailable, Uncertain
from rotator.ports.connection import Connection
from rotator.ports.provider import Answer, State
from rotator.providers.github_deploy_key import connect
from tests.fakes.fault_proxy import fault_proxy
from tests.fakes.github_keys import OWN, fake_github_keys

KIND = "github_deploy_key"


@pytest.fixture(scope="module")
def server():
    with fake_github_keys() as running:
        yield running


def connected(server, address=None, **settings):
    settings = {"ssh_address": server.ssh_address, **settings}
    return connect(Connection("gh", "github", None, address or server.address, lambda: OWN, settings), KIND)


@pytest.fixture
def provider(server):
    return connected(server)


def planted(server, *, read_only=True):
    repository = server.repository()
    name, key = server.plant(f"/repos/{repository}/keys", read_only=read_only)
    return CredentialRef(KIND, "gh", repository, name), key


@pytest.mark.parametrize("read_only", [True, False])
def test_a_replacement_may_write_only_where_the_exposed_one_might(server, provider, read_only):
    ref, _ = planted(server, read_only=read_only)
    kept = provider.preserve(ref)
    provider.revoke(ref)
    issued = provider.generate(ref)
    provider.set_secret(issued.ref, issued.secret, kept)
    (listed,) = server.lists[f"/repos/{ref.owner}/keys"]
    assert (listed["read_only"], listed["title"]) == (read_only, "ci")


def test_what_nobody_remembers_becomes_read_only(server, provider):
    ref, _ = planted(server, read_only=False)
    issued = provider.generate(ref)
    provider.set_secret(issued.ref, issued.secret, {})
    assert server.lists[f"/repos/{ref.owner}/keys"][-1]["read_only"] is True


def test_a_lost_answer_is_repeated_without_harm(server, provider):
    ref, _ = planted(server)
    issued = provider.generate(ref)
    with fault_proxy(server.address) as proxy:
        proxy.lose_answer(0)
        through = connected(server, proxy.address)
        with pytest.raises(Uncertain):
            through.set_secret(issued.ref, issued.secret, {})
        through.set_secret(issued.ref, issued.secret, {})
    assert provider.siblings(ref) == {ref, issued.ref}


def test_a_key_that_another_repository_has_is_not_called_done(server, provider):
    (ref, key), (other, _) = planted(server), planted(server)
    with pytest.raises(Rejected) as refusal:
        provider.set_secret(other.with_id(ref.id), key, {})
    assert refusal.value.reason == "key_in_use"


def test_the_private_key_is_never_sent_to_the_interface(server):
    ref, key = planted(server)
    sent = []
    with fault_proxy(server.address) as proxy:
        seen = proxy.ask
        proxy.ask = lambda method, path, body, headers: (sent.append(body), seen(method, path, body, headers))[1]
        through = connected(server, proxy.address)
        assert through.identify(Leaked(secret=key)) == ref
        issued = through.generate(ref)
        through.set_secret(issued.ref, issued.secret, through.preserve(ref))
    assert any(issued.public["public_key"].encode() in body for body in sent)
    assert not any(b"PRIVATE" in body for body in sent)


def test_a_host_that_is_not_githubs_is_never_knocked_at(server):
    ref, key = planted(server)
    host_key, server.host_key = (
        server.host_key,
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHh7Ecj4sJw7CVtmWvLmVRvs/3e9oSOeTsPIbYvU03Ad",
    )
    try:
        assert connected(server).verify(ref, key).answer is Answer.INCONCLUSIVE
    finally:
        server.host_key = host_key


def test_a_users_key_is_no_deploy_key(server, provider):
    _, key = server.plant("/user/keys")
    with pytest.raises(Rejected) as refusal:
        provider.identify(Leaked(secret=key))
    assert refusal.value.reason == "unknown_credential"


def test_a_fingerprint_with_its_repository_is_enough(server, provider):
    ref, _ = planted(server)
    assert provider.identify(Leaked(id=ref.id, owner=ref.owner)) == ref
    with pytest.raises(Rejected) as refusal:
        provider.identify(Leaked(id=ref.id))
    assert refusal.value.reason == "needs_owner"


def test_another_key_under_this_ones_name_is_inconclusive(server, provider):
    (ref, _), (_, key) = planted(server), planted(server)
    assert provider.verify(ref, key).reason == "other_key"
    assert provider.inspect(ref).state is State.ACTIVE


@pytest.mark.parametrize("owner", ["octo-org/..", "octo-org", "a/b/c", "octo org/app"])
def test_what_is_no_repository_goes_into_no_path(provider, owner):
    with pytest.raises(Rejected) as refusal:
        provider.inspect(CredentialRef(KIND, "gh", owner, "SHA256:" + "A" * 43))
    assert refusal.value.reason == "not_this_account"


def test_a_limit_is_waited_for(server):
    ref, _ = planted(server)
    with fault_proxy(server.address) as proxy:
        proxy.answer(403, {"Retry-After": "61"}, b'{"message": "You have exceeded a secondary rate limit"}')
        with pytest.raises(Unavailable) as later:
            connected(server, proxy.address).inspect(ref)
    assert later.value.retry_after == 61.0


def test_settings_that_cannot_be_used_are_told_at_once(server):
    with pytest.raises(BadInput):
        connected(server, ssh_address="no address")
    with pytest.raises(BadInput):
        connected(server, "api.github.com")


def test_a_token_that_is_refused_is_told_as_ones_own(server):
    ref, _ = planted(server)
    strange = Connection("gh", "github", None, server.address, lambda: Secret("ghp_wrong"))
    with pytest.raises(Rejected) as refusal:
        connect(strange, KIND).inspect(ref)
    assert refusal.value.reason == "own_credential_refused"
