"""What is peculiar to collaborators: an invitation is trust, it is what GitHub gives back, and roles have two names."""

from __future__ import annotations

import pytest

from rotator.credential import CredentialRef, Leaked
from rotator.errors import Rejected
from rotator.ports.provider import State
from rotator.providers.github_collaborator import ACCESS, INVITED, ROLE, TRUSTS, WIDER
from tests.contracts.cases.github_collaborator import NAME, connected, plant
from tests.fakes.github_trust import LOGIN, fake_trust


@pytest.fixture
def server():
    with fake_trust() as running:
        running.managed = False
        yield running


@pytest.fixture
def provider(server):
    return connected(server.address)


def login_of(ref):
    return ref.id.rpartition("/")[2].partition(":")[0]


def test_what_github_gives_back_is_an_invitation_and_is_called_one(server, provider):
    ref, _ = plant(server)
    kept = provider.preserve(ref)
    provider.suspend(ref)
    assert provider.inspect(ref).state is State.ABSENT
    provider.restore(ref, kept)
    provider.restore(ref, kept)
    seen = provider.inspect(ref)
    assert (seen.state, seen.facts[ACCESS], seen.facts[ROLE]) == (State.ACTIVE, INVITED, "write")
    assert len(server.invitations[ref.owner]) == 1


def test_who_is_only_invited_is_trusted_and_his_invitation_is_taken_back(server, provider):
    ref, _ = plant(server)
    kept = provider.preserve(ref)
    provider.suspend(ref)
    provider.restore(ref, kept)
    assert provider.identify(Leaked(id=ref.id)) == ref
    provider.suspend(ref)
    assert (server.invitations[ref.owner], provider.inspect(ref).state) == ([], State.ABSENT)


def test_an_invitation_that_expired_lets_nobody_in(server, provider):
    ref, _ = plant(server)
    kept = provider.preserve(ref)
    provider.suspend(ref)
    provider.restore(ref, kept)
    server.invitations[ref.owner][0]["expired"] = True
    assert provider.inspect(ref).state is State.ABSENT


@pytest.mark.parametrize("role", ["read", "triage", "write", "maintain", "admin", "auditors-of-ours"])
def test_each_role_comes_back_as_it_was_shown(server, provider, role):
    server.managed = True
    ref, _ = plant(server)
    server.repositories[ref.owner][login_of(ref)] = role
    kept = provider.preserve(ref)
    provider.suspend(ref)
    provider.restore(ref, kept)
    assert provider.inspect(ref).facts[ROLE] == role


def test_a_token_that_may_only_look_is_no_removal(server, provider):
    ref, _ = plant(server)
    server.looks = True
    with pytest.raises(Rejected) as refusal:
        provider.suspend(ref)
    assert refusal.value.reason == "permission_denied"
    assert provider.inspect(ref).state is State.ACTIVE


def test_our_own_user_is_never_taken_away(server, provider):
    repository = server.repository()
    server.repositories[repository][LOGIN] = "admin"
    with pytest.raises(Rejected) as refusal:
        provider.suspend(CredentialRef(NAME, NAME, repository, f"{repository}/{LOGIN.upper()}"))
    assert refusal.value.reason == "own_principal"


def test_a_member_of_the_organization_is_no_grant(server, provider):
    repository = server.repository()
    with pytest.raises(Rejected) as refusal:
        provider.identify(Leaked(id=f"{repository}/{LOGIN}"))
    assert refusal.value.reason == "unknown_credential"


def test_who_became_a_member_is_let_in_all_the_same_and_is_not_called_gone(server, provider):
    ref, _ = plant(server)
    login = login_of(ref)
    server.members.add(login)
    provider.suspend(ref)
    seen = provider.inspect(ref)
    assert (seen.state, seen.facts[ACCESS]) == (State.ACTIVE, WIDER)
    server.members.clear()
    assert provider.inspect(ref).state is State.ABSENT


@pytest.mark.parametrize("told", ["octo-org/app", "octo-org/../alice", "a/b/c/d", ""])
def test_what_is_no_grant_is_not_named(provider, told):
    with pytest.raises(Rejected) as refusal:
        provider.identify(Leaked(id=told))
    assert refusal.value.reason == "unreadable"


def test_who_took_another_login_is_found_by_his_number_stopped_and_invited_by_the_login_that_he_has_then(
    server, provider
):
    ref, _ = plant(server)
    repository = ref.owner
    server.rename(login_of(ref), "new-name")
    stranger = server.number(login_of(ref))  # a login that was left is anybody's
    seen = provider.inspect(ref)
    assert (seen.state, seen.facts[TRUSTS]) == (State.ACTIVE, "new-name")
    assert provider.identify(Leaked(id=ref.id)) == ref, "the same grant, whatever he is called"
    assert provider.identify(Leaked(id=f"{repository}/new-name")).id.endswith(ref.id.rpartition(":")[2])
    kept = provider.preserve(ref)
    provider.suspend(ref)
    assert (server.repositories[repository], provider.inspect(ref).state) == ({}, State.ABSENT)
    server.rename("new-name", "newest")
    provider.restore(ref, kept)
    assert [each["invitee"]["login"] for each in server.invitations[repository]] == ["newest"]
    assert stranger not in {each["invitee"]["id"] for each in server.invitations[repository]}


def test_somebody_else_under_the_login_that_was_left_is_another(server, provider):
    ref, _ = plant(server)
    login = login_of(ref)
    provider.suspend(ref)
    server.rename(login, "new-name")
    server.repositories[ref.owner][login] = "admin"
    assert provider.inspect(ref).state is State.ABSENT
    provider.suspend(ref)
    assert login in server.repositories[ref.owner]
    assert provider.identify(Leaked(id=f"{ref.owner}/{login}")) != ref
    server.members.add("new-name")
    assert provider.inspect(ref).facts[TRUSTS] == "new-name"


def test_a_user_who_is_gone_is_invited_by_nobodys_name(server, provider):
    ref, _ = plant(server)
    kept = provider.preserve(ref)
    provider.suspend(ref)
    server.users.clear()
    assert provider.inspect(ref).state is State.ABSENT
    with pytest.raises(Rejected) as refusal:
        provider.restore(ref, kept)
    assert refusal.value.reason == "no_such_user"


def test_an_id_of_before_numbers_were_kept_is_believed_by_login(server, provider):
    ref, _ = plant(server)
    older = ref.with_id(ref.id.partition(":")[0])
    assert provider.inspect(older).state is State.ACTIVE
    kept = provider.preserve(older)
    provider.suspend(older)
    server.rename(login_of(ref), "new-name")
    provider.restore(older, kept)
    assert [each["invitee"]["login"] for each in server.invitations[ref.owner]] == ["new-name"], "what was kept has it"
