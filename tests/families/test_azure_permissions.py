"""What Microsoft is asked of the rotator's own permissions, on our fake of what it publishes: said, then tried."""

from __future__ import annotations

import hashlib
import uuid

import pytest

from rotator.credential import CredentialRef
from rotator.errors import Unavailable
from rotator.permissions import LOOK
from rotator.ports.connection import Connection
from rotator.providers import azure_entra_secret, azure_key_vault_secret, azure_refresh_token
from tests.contracts.cases.azure_entra_secret import LOOKS, looking, own
from tests.fakes.azure_rights import OWNS, principal
from tests.fakes.azure_server import fake_azure
from tests.fakes.door import a_door
from tests.refused import reason_of

KINDS = (azure_entra_secret, azure_key_vault_secret, azure_refresh_token)


@pytest.fixture(scope="module")
def server():
    with fake_azure() as running:
        yield running


def connected(server, kind, credential, address=None):
    settings = {"vault": "payments"}
    made = Connection("az", "azure", server.tenant, address or server.address, lambda: credential, settings)
    return kind.connect(made, kind.__name__.rpartition(".")[2])


def limited(server, kind, *assigned):
    """Return the provider, let in by an application with these permissions and no more, and its client id."""
    client, credential = looking(server, *assigned)
    return connected(server, kind, credential), client


def application(server):
    """Return a secret of a new application."""
    client = server.application()
    key, _ = server.plant(client)
    return CredentialRef("azure_entra_secret", "az", client, key)


def told(provider, whose):
    """Return what is said of each verb; the worst, where there is more than one thing."""
    said = {}
    for each in provider.permissions(whose):
        for verb in each.verbs:
            said.setdefault(verb, []).append(each.granted)
    return {verb: False if False in found else None if None in found else True for verb, found in said.items()}


def why(provider, whose, verb):
    return next(each.why for each in provider.permissions(whose) if verb in each.verbs)


def test_what_it_owns_it_may_change_and_nothing_else(server):
    mine, other = application(server), application(server)
    provider, client = limited(server, azure_entra_secret, OWNS, *LOOKS)
    server.rights.owners[mine.owner] = {principal(each) for each in ("a", "b", "c", client)}
    assert told(provider, mine.owner) == {LOOK: True, "issue": True, "revoke": True}
    assert told(provider, other.owner) == {LOOK: True, "issue": False, "revoke": False}
    assert told(provider, None) == {LOOK: True, "issue": None, "revoke": None}
    provider.revoke(mine)
    assert provider.issue(mine, "run-1", {}).ref.owner == mine.owner
    assert reason_of(lambda: provider.revoke(other)) == "permission_denied"


def test_a_no_is_only_said_where_no_directory_role_makes_up_for_it(server):
    ref = application(server)
    provider, client = limited(server, azure_entra_secret, *LOOKS)
    assert told(provider, ref.owner)["revoke"] is False
    assert reason_of(lambda: provider.revoke(ref)) == "permission_denied"
    server.rights.groups[client] = {"a-group-that-may-have-one"}
    assert told(provider, ref.owner)["revoke"] is None
    server.rights.groups.clear()
    server.rights.roles[client] = {"application-administrator"}
    assert told(provider, ref.owner)["revoke"] is None
    provider.revoke(ref)


def test_who_may_not_ask_for_directory_roles_is_told_what_is_missing(server):
    ref = application(server)
    provider, _ = limited(server, azure_entra_secret, OWNS)
    assert told(provider, ref.owner) == {LOOK: True, "issue": None, "revoke": None}
    said = why(provider, ref.owner, "revoke")
    assert "no owner" in said
    assert "RoleManagement.Read.Directory" in said


def test_who_may_not_read_is_told_so_and_of_the_rest_nothing(server):
    ref = application(server)
    provider, _ = limited(server, azure_entra_secret)
    for whose in (ref.owner, None):
        assert told(provider, whose) == {LOOK: False, "issue": None, "revoke": None}
        assert "Application.Read.All" in why(provider, whose, "revoke")
    assert reason_of(lambda: provider.inspect(ref)) == "permission_denied"


def test_a_role_of_another_service_is_none_of_graphs(server):
    ref = application(server)
    provider, client = limited(server, azure_entra_secret, *LOOKS)
    server.rights.elsewhere[client] = {"Application.ReadWrite.All"}
    assert told(provider, ref.owner)["revoke"] is False


def test_an_application_of_another_tenant_is_not_ours(server):
    provider = connected(server, azure_entra_secret, own(server))
    for whose in (str(uuid.uuid4()), "no client id"):
        assert reason_of(lambda whose=whose: provider.permissions(whose)) == "not_this_account"


@pytest.mark.parametrize(
    ("assigned", "granted"), [("User.RevokeSessions.All", True), ("User.ReadWrite.All", None), ("User.Read.All", False)]
)
def test_ending_sessions_is_one_permission_for_all_users(server, assigned, granted):
    user = server.user()
    token = server.signed_in(user)
    ref = CredentialRef("azure_refresh_token", "az", user, hashlib.sha256(token.reveal().encode()).hexdigest())
    provider, _ = limited(server, azure_refresh_token, assigned, *LOOKS)
    assert told(provider, user) == told(provider, None) == {LOOK: True, "revoke": granted}
    if granted:
        provider.revoke(ref)
    else:
        assert reason_of(lambda: provider.revoke(ref)) == "permission_denied"


def test_of_a_vault_it_is_known_whether_secrets_are_listed_and_no_more(server):
    version = server.add("app", "value")
    server.add("app", "another value")
    ref = CredentialRef("azure_key_vault_secret", "az", "app", f"app:{version}")
    lists, _ = limited(server, azure_key_vault_secret, "secrets/list")
    nothing, _ = limited(server, azure_key_vault_secret)
    for whose in ("app", None):
        assert [each.granted for each in lists.permissions(whose)] == [True, None, None]
        assert [each.granted for each in nothing.permissions(whose)] == [False, None, None]
    assert [each.granted for each in lists.permissions("nobody-has-this")] == [None, None, None]
    lists.inspect(ref)
    assert reason_of(lambda: lists.suspend(ref)) == "permission_denied"
    assert reason_of(lambda: nothing.inspect(ref)) == "permission_denied"


@pytest.mark.parametrize("kind", KINDS)
def test_the_question_only_reads(server, kind):
    server.add("app", "value")
    whose = {azure_entra_secret: server.own_application, azure_key_vault_secret: "app", azure_refresh_token: None}[kind]
    provider, _ = limited(server, kind, OWNS, *LOOKS, "secrets/list")
    before = len(server.asked)
    assert provider.permissions(whose)
    asked = [each for each in server.asked[before:] if not each.endswith("/oauth2/v2.0/token")]
    assert asked
    assert {each.partition(" ")[0] for each in asked} == {"GET"}


@pytest.mark.parametrize("kind", KINDS)
def test_a_stranger_that_says_yes_to_everything_grants_nothing(server, kind):
    with a_door() as door:
        for body in ({"access_token": "t"}, {"access_token": "t", "id": "1"}):
            door.says(200, body)
            provider = connected(server, kind, own(server), door.address)
            with pytest.raises(Unavailable):
                provider.permissions(None)
