"""What GitHub tells of a token is tried with that token; what it does not tell is left open. On fakes of ours."""

from __future__ import annotations

import pytest

from rotator.credential import CredentialRef, Secret
from rotator.errors import Rejected, Unavailable
from rotator.permissions import LOOK
from rotator.ports.connection import Connection
from rotator.practice.process import free_port
from rotator.providers import github_deploy_key, github_ssh_key, github_token
from rotator.stores import github_actions_secret
from tests.fakes.github_keys import LOGIN, OWN, fake_github_keys
from tests.fakes.github_secrets import github_secrets
from tests.fakes.github_server import github_server

REPOSITORY = "acme/shop"
NAME = f"{REPOSITORY}:DEPLOY"
MAY = {"admin": True, "push": True}
DOCUMENT = Secret('{"id": "new", "token": "canary-4d5e6f"}')


@pytest.fixture(scope="module")
def keys():
    with fake_github_keys() as running:
        yield running


@pytest.fixture(scope="module")
def places():
    with github_secrets() as running:
        running.repositories.add(REPOSITORY)
        running.classic |= {
            "ghp_writes": ("repo, gist", MAY),
            "ghp_pushes": ("repo", {"admin": False, "push": True}),
            "ghp_reads": ("repo", {"admin": False, "push": False}),
            "ghp_public": ("public_repo", MAY),
        }
        yield running


def of_keys(module, keys, own=OWN):
    settings = {"ssh_address": keys.ssh_address}
    return module.connect(Connection("gh", "github", None, keys.address, lambda: own, settings), module.__name__)


def place(places, own):
    return github_actions_secret.connect(Connection("gh", "github", None, places.address, lambda: Secret(own)))


def said(permitted, whose, verb):
    """Return all that is said of one verb."""
    return {each.granted for each in permitted.permissions(whose) if verb in each.verbs}


@pytest.mark.parametrize(
    ("scope", "adds", "takes"),
    [("read:public_key", False, False), ("write:public_key", True, False), ("admin:public_key", True, True)],
)
def test_what_a_scope_lets_do_to_a_users_keys_is_what_it_does(keys, scope, adds, takes):
    mine = of_keys(github_ssh_key, keys, keys.bearer(scope))
    name, _ = keys.plant("/user/keys")
    exposed = CredentialRef("github_ssh_key", "gh", LOGIN, name)
    new = mine.generate(exposed)
    told = [said(mine, whose, verb) for whose in (LOGIN, None) for verb in (LOOK, "install", "uninstall", "revoke")]
    assert told == [{True}, {adds}, {takes}, {takes}] * 2
    for granted, act in (
        (adds, lambda: mine.set_secret(new.ref, new.secret, {})),
        (takes, lambda: mine.revoke(exposed)),
    ):
        if granted:
            act()
        else:
            with pytest.raises(Rejected):
                act()


def test_a_token_that_may_not_look_at_its_users_keys_may_do_nothing_to_them(keys):
    mine = of_keys(github_ssh_key, keys, keys.bearer("gist"))
    (told,) = mine.permissions(LOGIN)
    assert (told.granted, set(told.verbs)) == (False, {LOOK, "install", "uninstall", "revoke"})
    assert "404" in told.why


def test_nobody_else_may_change_a_users_keys(keys):
    (told,) = of_keys(github_ssh_key, keys).permissions("hubot")
    assert (told.granted, told.why) == (False, f"ours is of {LOGIN}")


@pytest.mark.parametrize("write", [True, False])
def test_what_a_fine_grained_token_may_write_nobody_tells(keys, write):
    own = keys.bearer(fine=True, write=write)
    for module, whose in ((github_ssh_key, LOGIN), (github_deploy_key, keys.repository())):
        mine = of_keys(module, keys, own)
        assert said(mine, whose, LOOK) == {True}
        assert said(mine, whose, "revoke") == {None}
    assert said(of_keys(github_deploy_key, keys, own), None, "revoke") == {None}


@pytest.mark.parametrize(
    ("shown", "may"),
    [({}, True), ({"permissions": {"admin": False}}, None), ({"archived": True}, None)],
)
def test_a_deploy_key_needs_a_scope_and_an_administrator(keys, shown, may):
    repository = keys.repository()
    keys.repositories[repository] = shown
    told = of_keys(github_deploy_key, keys).permissions(repository)
    assert [each.granted for each in told if "revoke" in each.verbs] == [True, may]


@pytest.mark.parametrize(("told", "may"), [({}, None), (True, True), (False, False)])
def test_an_organizations_policy_is_told_where_its_owner_asks(keys, told, may):
    keys.organization = {"deploy_keys_enabled_for_repositories": told} if isinstance(told, bool) else told
    mine, repository = of_keys(github_deploy_key, keys), keys.repository()
    assert said(mine, repository, "install") == {True, may}
    assert said(mine, repository, "revoke") == {True}


def test_a_repository_that_is_not_shown_is_not_ours(keys):
    assert said(of_keys(github_deploy_key, keys), "somebody/else", "revoke") == {False}
    assert said(of_keys(github_deploy_key, keys, keys.bearer("gist")), keys.repository(), LOOK) == {False}
    assert said(of_keys(github_deploy_key, keys), None, "revoke") == {True, None}
    with pytest.raises(Rejected) as refusal:
        of_keys(github_deploy_key, keys, Secret("ghp_gone")).permissions(None)
    assert refusal.value.reason == "own_credential_refused"


def test_looking_at_permissions_only_reads(keys, places):
    keys.asked.clear()
    places.asked.clear()
    of_keys(github_deploy_key, keys).permissions(keys.repository())
    of_keys(github_ssh_key, keys).permissions(None)
    place(places, "ghp_writes").permissions(NAME)
    assert {call.partition(" ")[0] for call in (*keys.asked, *places.asked)} == {"GET"}


@pytest.mark.parametrize(
    ("own", "at", "look", "write"),
    [
        ("ghp_writes", NAME, {True}, {True}),
        ("ghp_pushes", NAME, {True}, {True}),
        ("ghp_reads", NAME, {False}, {False}),
        ("ghp_writes", f"{NAME}@prod", {True}, {True}),
        ("ghp_pushes", f"{NAME}@prod", {False}, {False}),
        ("ghp_public", NAME, {True}, {True, None}),
        ("ghp_writes", "acme/none:DEPLOY", {False}, {False}),
        ("ghp_writes", None, {None}, {True, None}),
    ],
)
def test_a_secret_of_actions_needs_a_scope_and_a_collaborator(places, own, at, look, write):
    mine = place(places, own)
    assert said(mine, at, LOOK) == look
    assert said(mine, at, "promote") == said(mine, at, "demote") == write
    if write == {True}:
        assert mine.write(at, DOCUMENT)
    elif write == {False}:
        with pytest.raises(Rejected):
            mine.write(at, DOCUMENT)


def test_a_fine_grained_token_of_the_store_is_left_open(places):
    mine = place(places, places.own)
    assert said(mine, NAME, LOOK) == {True}
    assert said(mine, NAME, "promote") == {True, None}
    assert said(mine, None, "promote") == {None}


def test_a_token_revokes_itself_and_needs_nobody():
    with github_server() as server:
        mine = github_token.connect(Connection("gh", "github", endpoint_url=server.address), "github_token")
        assert said(mine, None, "revoke") == said(mine, "dev", LOOK) == {True}
        assert server.asked == ["GET /rate_limit"] * 2
    nowhere = Connection("gh", "github", endpoint_url=f"http://127.0.0.1:{free_port()}")
    with pytest.raises(Unavailable):
        github_token.connect(nowhere, "github_token").permissions(None)
