"""What GitLab tells of a token is tried with that token; what it does not tell is left open. On fakes of ours."""

from __future__ import annotations

import contextlib

import pytest

from rotator.credential import CredentialRef, Secret
from rotator.errors import Rejected
from rotator.permissions import LOOK
from rotator.ports.connection import Connection
from rotator.providers.gitlab_token import connect
from rotator.stores import gitlab_variable
from tests.fakes.gitlab_tokens import fake_gitlab
from tests.fakes.gitlab_variables import gitlab_variables

KIND = "gitlab_token"


@pytest.fixture(scope="module")
def server():
    with fake_gitlab() as running:
        yield running


@pytest.fixture(scope="module")
def places():
    with gitlab_variables() as running:
        running.owners |= {("projects", "acme/shop"), ("groups", "acme")}
        yield running


def let_in(server, own: Secret):
    return connect(Connection("gl", "gitlab", None, server.address, lambda: own, settle_s=0.0), KIND)


def of_user(server, *, scopes=("api",), user=None, **members):
    """Return the provider by a new user's token: `project=40` makes the user a member of a new project."""
    user = user or server.user()
    _, own = server.plant("user", user, scopes=list(scopes))
    numbers = {sort: server.place(sort) for sort in members}
    for sort, level in members.items():
        server.members[sort, numbers[sort]] = {user: level}
    return let_in(server, own), numbers


def said(permitted, whose, verb):
    return {each.granted for each in permitted.permissions(whose) if verb in each.verbs}


def exposed(server, sort, number):
    token, secret = server.plant(sort, number)
    return CredentialRef(KIND, "gl", f"{sort}/{number}", str(token)), secret


@contextlib.contextmanager
def refused(denied):
    with pytest.raises(Rejected) if denied else contextlib.nullcontext():
        yield


@pytest.mark.parametrize(
    ("sort", "level", "may"),
    [("project", 40, True), ("project", 30, False), ("group", 50, True), ("group", 40, False)],
)
def test_a_role_does_what_is_said_of_it(server, sort, level, may):
    mine, numbers = of_user(server, **{sort: level})
    ref, _ = exposed(server, sort, numbers[sort])
    assert said(mine, ref.owner, LOOK) == {may}
    assert said(mine, ref.owner, "revoke") == {may}
    assert said(mine, ref.owner, "issue") == ({True, None} if may else {False})
    with refused(not may):
        mine.issue(ref, "marker", {"scopes": '["read_api"]'})
    with refused(not may):
        mine.revoke(ref)


def test_a_scope_that_only_reads_changes_nothing(server):
    mine, numbers = of_user(server, scopes=["read_api"], project=40)
    ref, _ = exposed(server, "project", numbers["project"])
    assert said(mine, ref.owner, LOOK) == {True}
    assert False in said(mine, ref.owner, "issue") & said(mine, ref.owner, "revoke")
    assert said(mine, None, "revoke") == {False, None}
    with refused(True):
        mine.revoke(ref)


def test_a_projects_own_token_revokes_and_makes_none(server):
    project = server.place("project")
    _, own = server.plant("project", project, scopes=["api"])
    mine, (ref, _) = let_in(server, own), exposed(server, "project", project)
    assert False in said(mine, ref.owner, "issue")
    assert said(mine, ref.owner, "revoke") == {True}
    with refused(True):
        mine.issue(ref, "marker", {"scopes": '["read_api"]'})
    mine.revoke(ref)


def test_users_have_their_own_tokens_and_administrators_make_them(server):
    user = server.user()
    mine, _ = of_user(server, user=user)
    ref, _ = exposed(server, "user", user)
    assert said(mine, ref.owner, "revoke") == {True}
    assert said(mine, ref.owner, "issue") == {True, False}
    with refused(True):
        mine.issue(ref, "marker", {"scopes": '["read_api"]'})
    mine.revoke(ref)
    assert said(mine, f"user/{server.user()}", LOOK) == {False}
    assert said(mine, None, "revoke") == {True, None}


def test_an_administrator_may_where_he_is_let_look(server):
    root = let_in(server, server.own)
    ref, _ = exposed(server, "project", server.place("project"))
    for owner in (ref.owner, f"user/{server.user()}"):
        assert said(root, owner, "revoke") == {True}
    assert said(root, f"user/{server.root}", "issue") == {True, None}
    in_mode, _ = of_user(server, user=server.root, scopes=("api", "admin_mode"))
    assert said(in_mode, None, "revoke") == said(in_mode, f"user/{server.root}", "issue") == {True}
    try:
        server.admin_mode = True
        assert said(root, ref.owner, LOOK) == {False}
        assert said(in_mode, ref.owner, "revoke") == {True}
    finally:
        server.admin_mode = False


def test_what_gitlab_does_not_tell_of_a_token_is_left_open(server):
    mine, numbers = of_user(server, project=40)
    owner = f"project/{numbers['project']}"
    own = max(server.tokens)
    server.tokens[own]["granular_scopes"] = [{"access": "selected_memberships"}]
    assert said(mine, owner, "revoke") == {None, True}
    server.scopeless.add(own)
    for whose in (owner, None):
        (told,) = mine.permissions(whose)
        assert (told.granted, set(told.verbs)) == (None, {LOOK, "issue", "revoke"})
    server.tokens[own] |= {"active": False, "revoked": True}
    with pytest.raises(Rejected) as refusal:
        mine.permissions(owner)
    assert refusal.value.reason == "own_credential_refused"


def test_a_member_whom_a_custom_role_lets_look_is_left_open(server):
    user = server.user()
    server.custom.add(user)
    mine, numbers = of_user(server, user=user, project=30)
    assert said(mine, f"project/{numbers['project']}", LOOK) == {True}
    assert said(mine, f"project/{numbers['project']}", "revoke") == {True, None}


def test_a_groups_variables_need_its_owner_and_asking_only_reads(places):
    places.bearers["glpat-forty"] = (["api"], 40)
    store = gitlab_variable.connect(Connection("gl", "gitlab", None, places.address, lambda: Secret("glpat-forty")))
    assert said(store, "acme/shop:TOKEN", "promote") == {True}
    assert said(store, "groups/acme:TOKEN", "promote") == {False}
    assert said(store, None, "promote") == {True, None}
    assert {call.partition(" ")[0] for call in places.asked} == {"GET"}
