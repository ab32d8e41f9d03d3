"""What is special about the SSH keys of a GitHub user, tried on a fake and an SSH server of ours."""

from __future__ import annotations

import pytest

from rotator.credential import CredentialRef, Leaked
from rotator.errors import Rejected
from rotator.ports.connection import Connection
from rotator.providers.github_ssh_key import connect
from tests.fakes.github_keys import LOGIN, OWN, fake_github_keys

KIND = "github_ssh_key"


@pytest.fixture(scope="module")
def server():
    with fake_github_keys() as running:
        yield running


@pytest.fixture
def provider(server):
    settings = {"ssh_address": server.ssh_address}
    return connect(Connection("gh", "github", None, server.address, lambda: OWN, settings), KIND)


def test_a_deploy_key_is_no_users_key(server, provider):
    _, key = server.plant(f"/repos/{server.repository()}/keys")
    with pytest.raises(Rejected) as refusal:
        provider.identify(Leaked(secret=key))
    assert refusal.value.reason == "unknown_credential"


def test_the_keys_of_somebody_else_are_left_to_that_person(server, provider):
    name, _ = server.plant("/user/keys")
    for act in (provider.inspect, provider.revoke, provider.siblings):
        with pytest.raises(Rejected) as refusal:
            act(CredentialRef(KIND, "gh", "hubot", name))
        assert refusal.value.reason == "not_this_account"
    assert provider.identify(Leaked(id=name)) == CredentialRef(KIND, "gh", LOGIN, name)


def test_a_new_key_is_given_no_rights_of_its_own(server, provider):
    name, _ = server.plant("/user/keys")
    ref = CredentialRef(KIND, "gh", LOGIN, name)
    issued = provider.generate(ref)
    provider.set_secret(issued.ref, issued.secret, provider.preserve(ref))
    assert provider.identify(Leaked(secret=issued.secret)) == issued.ref
