"""What is answered in place of GitHub, GitLab or Kubernetes grants and refuses nothing, and no secret is repeated."""

from __future__ import annotations

import importlib
from http import HTTPStatus
from types import SimpleNamespace
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rotator.credential import CredentialRef, Secret
from rotator.errors import Rejected, Unavailable, Uncertain
from rotator.families.http_wire import Reply, Wire
from rotator.families.own_words import quoted
from rotator.ports.connection import Connection
from rotator.ports.provider import State

TOKEN = "canary-7f3a9b-own-token"
NOT_FOUND = HTTPStatus.NOT_FOUND
PAGE = None  # what is no JSON has no content
ANSWERS = [
    *((status, body) for status in (200, 201) for body in (PAGE, {}, [], {"kind": "X", "status": {"allowed": False}})),
    (
        200,
        {"status": {"allowed": True}, "user_id": 1, "id": 1, "scopes": ["api"], "permissions": ["*"], "message": "ok"},
    ),
    *((status, PAGE) for status in (302, 401, 403, 404, 502)),
    *((status, {"message": f"access denied for {TOKEN}", "errors": [TOKEN]}) for status in (401, 403, 404)),
    *((status, {"kind": "Status", "error": "forbidden", "reason": "NotFound"}) for status in (401, 403, 404)),
]
"""A page, nothing, another service's JSON, bare refusals, and those of a gateway that repeats what it was shown."""
KINDS = {
    "github_deploy_key": ("github", "acme/app", "SHA256:x"),
    "github_ssh_key": ("github", "acme", "SHA256:x"),
    "github_token": ("github", "acme", "x"),
    "gitlab_token": ("gitlab", "project/7", "12"),
    "kubernetes_service_account_token": ("kubernetes", "shop/ci", "secrets/ci-token@u-1"),
    "kubernetes_client_certificate": ("kubernetes", "ci", "sha256:x"),
}
STORES = {
    "github_actions_secret": ("github", "acme/app:TOKEN"),
    "gitlab_variable": ("gitlab", "acme/app:TOKEN"),
    "kubernetes_secret": ("kubernetes", "shop/app"),
}
NAMES = (
    *("id", "key", "secrets", "login", "full_name", "owner", "type", "permissions", "admin", "archived", "message"),
    *("documentation_url", "resources", "core", "errors", "user_id", "scopes", "active", "revoked", "username"),
    *("is_admin", "bot", "access_level", "kind", "status", "allowed", "reason", "evaluationError", "metadata", "name"),
    *("uid", "items", "resourceRules", "incomplete", "verbs", "resourceNames", "labels", "annotations", "data"),
    *("updated_at", "value", "key_id", "granular_scopes", "resourceVersion", "variable_type", "apiGroups"),
)
WORDS = (
    *("x", "acme", "acme/app", "TOKEN", "User", "Organization", "Status", "APIVersions", "SelfSubjectAccessReview"),
    *("SelfSubjectRulesReview", "secrets", "*", "delete", "u-1", "NotFound", "insufficient_scope", "\ud800", TOKEN),
    *("404 Project Not Found", "404 Variable Not Found", f"Bearer {TOKEN}", f"403 {TOKEN}"),
)
TEXTS = st.sampled_from(WORDS)
PLAIN = st.none() | st.booleans() | st.sampled_from([0, 1, 7, 40, -1, 10**400, 1.5]) | TEXTS
SHAPES = st.recursive(
    PLAIN,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=6),
    max_leaves=14,
)
REPLIES = st.tuples(st.sampled_from([200, 201, 204, 302, 400, 401, 403, 404, 409, 422, 429, 500, 503]), SHAPES)


def opened(name):
    """Return a kind or a store, and what is asked of it, each by its name."""
    family = (KINDS.get(name) or STORES[name])[0]
    connection = Connection("c", family, None, "http://127.0.0.1:9", lambda: Secret(TOKEN))
    if name in STORES:
        place = STORES[name][1]
        store = importlib.import_module(f"rotator.stores.{name}").connect(connection)
        return store, {"current": lambda: store.current(place), **_permissions(store, place)}
    _, owner, named = KINDS[name]
    provider = importlib.import_module(f"rotator.providers.{name}").connect(connection, name)
    ref = CredentialRef(name, "c", owner, named)
    return provider, {"inspect": lambda: provider.inspect(ref), **_permissions(provider, owner)}


def _permissions(asked, whose):
    return {"permissions": lambda: asked.permissions(whose), "all": lambda: asked.permissions(None)}


def answering(replies):
    """Put somebody in place of the other side, who answers each call with the next of these, the last again."""
    left = list(replies)

    def send(*_, **__):
        status, content = left.pop(0) if len(left) > 1 else left[0]
        return Reply(status, content, "http://127.0.0.1:9", None, {"x-oauth-scopes": f"repo, {TOKEN}"})

    return patch.object(Wire, "send", send)


def told(ask):
    """Return what is said, which is an answer or one of the errors of a question."""
    try:
        return ask()
    except (Rejected, Unavailable, Uncertain) as error:
        return error


@pytest.mark.parametrize("name", [*KINDS, *STORES])
def test_nobody_else_grants_or_refuses_anything(name):
    _, questions = opened(name)
    for answer in ANSWERS:
        for question in ("permissions", "all"):
            with answering([answer]):
                said = told(questions[question])
            assert isinstance(said, Unavailable), (answer, question, said)
            assert "canary" not in str(said)


@pytest.mark.parametrize("name", [*KINDS, *STORES])
@settings(deadline=None, max_examples=60)
@given(replies=st.lists(REPLIES, min_size=1, max_size=5))
def test_no_shape_of_an_answer_makes_another_error_or_tells_the_token(name, replies):
    _, questions = opened(name)
    for ask in questions.values():
        with answering(replies):
            said = told(ask)
        words = str(said) if isinstance(said, Exception) else repr([(each.needs, each.why) for each in listed(said)])
        assert "canary" not in words
        assert "own-token" not in words


def listed(said):
    return said if isinstance(said, list | tuple) else ()


@pytest.mark.parametrize(
    ("words", "left"),
    [
        (f"denied for Bearer {TOKEN}", "denied for Bearer [secret]"),
        (f"denied for {TOKEN[:12]}... by us", "denied for [secret]... by us"),
        (f"'{TOKEN[3:]}' and {TOKEN}", "'[secret]' and [secret]"),
        ("no such key\r\n as  own", "no such key as own"),
        ("x" * 180 + f" {TOKEN} {TOKEN}", "x" * 180 + " [secret] [secret]"),
        ("y" * 9000, "y" * 200),
    ],
)
def test_no_part_of_a_secret_is_quoted(words, left):
    assert quoted(Reply(403, None, "", shown=(TOKEN,)), words) == left


SERVICES = {
    "github_deploy_key": (403, {"message": f"no: {TOKEN}", "documentation_url": "/rest"}),
    "github_ssh_key": (403, {"message": f"no: {TOKEN}", "documentation_url": "/rest"}),
    "github_actions_secret": (404, {"message": f"no: {TOKEN}", "documentation_url": "/rest"}),
}


@pytest.mark.parametrize("name", SERVICES)
def test_the_services_own_refusal_refuses_and_is_quoted_without_our_token(name):
    _, questions = opened(name)
    with answering([SERVICES[name]]):
        (said,) = questions["permissions"]()
    assert (said.granted, said.why) == (False, f"http_{SERVICES[name][0]} no: [secret]")


def test_gitlabs_own_refusal_is_quoted_without_our_token():
    own = {"id": 1, "user_id": 7, "scopes": ["api"], "active": True, "revoked": False}
    answers = [(200, own), (200, {"id": 7, "username": "ci"}), (403, {"message": f"403 Forbidden: {TOKEN}"})]
    with answering(answers):
        (said,) = opened("gitlab_token")[1]["permissions"]()
    assert (said.granted, said.why) == (False, "http_403 403 Forbidden: [secret]")


def test_an_authorizers_words_are_quoted_without_our_token():
    status = {"allowed": False, "reason": f"no rule for {TOKEN}", "resourceRules": [], "incomplete": False}

    def send(_, __, url, *___, **____):
        kind = "SelfSubjectRulesReview" if "rules" in url else "SelfSubjectAccessReview"
        return Reply(201, {"kind": kind, "status": status}, url)

    with patch.object(Wire, "send", send):
        said = opened("kubernetes_service_account_token")[1]["permissions"]()
    assert {(each.granted, each.why) for each in said} == {(False, "no rule for [secret]")}


def test_a_github_of_ones_own_that_limits_nobody_is_github():
    answer = (NOT_FOUND, {"message": "Rate limiting is not enabled.", "documentation_url": "/rest"})
    with answering([answer]):
        said = opened("github_token")[1]["all"]()
    assert {each.granted for each in said} == {True}


def test_a_certificate_is_not_dead_by_anybodys_refusal():
    module = importlib.import_module("rotator.providers.kubernetes_client_certificate")
    provider, _ = opened("kubernetes_client_certificate")
    reply = Reply(401, {"message": "Unauthorized"}, "")
    certificate = SimpleNamespace()
    ref = CredentialRef("kubernetes_client_certificate", "c", "ci", "sha256:x")
    with (
        patch.object(module, "_read", lambda _: (certificate, Secret("pem"))),
        patch.object(module, "_id", lambda _: ref.id),
        patch.object(module.Kubernetes, "knock_by_certificate", lambda *_: reply),
    ):
        assert provider.verify(ref, Secret("pem")).reason == "http_401"


def test_no_deploy_key_is_gone_by_anybodys_empty_list():
    inspect = opened("github_deploy_key")[1]["inspect"]
    with answering([(200, [])]):
        assert isinstance(told(inspect), Unavailable)
    with answering([(200, []), (200, {"full_name": "acme/app"})]):
        assert inspect().state is State.ABSENT
