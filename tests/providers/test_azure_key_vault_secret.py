"""What is special about versions of a Key Vault's secrets, tried on a fake of the published behaviour."""

from __future__ import annotations

import pytest

from rotator.credential import CredentialRef, Leaked, Secret
from rotator.errors import Rejected
from rotator.ports.connection import Connection
from rotator.ports.provider import State
from rotator.providers.azure_key_vault_secret import connect
from tests.contracts.cases.azure_entra_secret import own
from tests.fakes.azure_server import fake_azure

KIND = "azure_key_vault_secret"


@pytest.fixture(scope="module")
def server():
    with fake_azure() as running:
        yield running


def connected(server, **settings):
    settings = settings or {"vault": "payments"}
    return connect(Connection("az", "azure", server.tenant, server.address, lambda: own(server), settings), KIND)


@pytest.fixture
def provider(server):
    return connected(server)


def named(name, version):
    return CredentialRef(KIND, "az", name, f"{name}:{version}")


def test_the_newest_is_never_disabled(server, provider):
    old, new = server.add("db", "one"), server.add("db", "two")
    with pytest.raises(Rejected) as refusal:
        provider.suspend(named("db", new))
    assert refusal.value.reason == "still_newest"
    provider.suspend(named("db", old))
    assert provider.inspect(named("db", old)).state is State.SUSPENDED
    assert provider.preserve(named("db", old))["newest"] == new


def test_an_address_names_it_and_another_vaults_is_refused(server, provider):
    version = server.add("api", "value")
    told = f"{server.address}/secrets/api/{version}"
    assert provider.identify(Leaked(id=told)) == named("api", version)
    with pytest.raises(Rejected) as refusal:
        provider.identify(Leaked(id=f"https://other.vault.azure.net/secrets/api/{version}"))
    assert refusal.value.reason == "not_this_account"


def test_a_disabled_version_is_not_read_to_compare(server, provider):
    version = server.add("old", "stolen")
    server.add("old", "new")
    provider.suspend(named("old", version))
    with pytest.raises(Rejected) as refusal:
        provider.identify(Leaked(owner="old", secret=Secret("stolen")))
    assert refusal.value.reason == "unknown_credential"
    assert provider.identify(Leaked(id=f"old:{version}")) == named("old", version)


def test_a_connection_without_a_vault_says_what_to_write(server):
    with pytest.raises(Rejected) as refusal:
        connected(server, vault="no vault!").inspect(named("db", "0" * 32))
    assert refusal.value.reason == "no_vault"
    assert 'vault = "payments"' in refusal.value.detail
