"""GitHub's secrets are sealed, written and never read back: `updated_at` is all that is told of them."""

from __future__ import annotations

import json

import pytest

from rotator.credential import Secret
from rotator.errors import Rejected, RotatorError, Unavailable
from rotator.ports.connection import Connection
from rotator.ports.store import WriteOnly
from rotator.practice.process import free_port
from rotator.stores.github_actions_secret import connect
from tests.fakes.github_secrets import github_secrets

DOCUMENT = Secret('{"id": "new", "token": "canary-4d5e6f"}')
REPOSITORY = "acme/shop"
NAME = f"{REPOSITORY}:DEPLOY"


@pytest.fixture
def fake():
    with github_secrets() as running:
        running.repositories.add(REPOSITORY)
        yield running


def place(fake, address=None):
    return connect(
        Connection("gh", "github", endpoint_url=address or fake.address, credential=lambda: Secret(fake.own))
    )


def test_it_is_a_place_that_nobody_can_read(fake):
    assert isinstance(place(fake), WriteOnly)


def test_what_is_written_is_what_a_workflow_gets_and_it_was_never_sent_in_the_open(fake):
    at = place(fake)
    assert at.current(NAME) is None
    written = at.write(NAME, DOCUMENT)
    assert fake.workflow(REPOSITORY, "DEPLOY") == DOCUMENT.reveal()
    assert at.current(NAME) == written == "2026-01-01T00:00:01Z"
    assert "canary" not in json.dumps(fake.sent)


def test_writing_again_is_safe_and_moves_the_time(fake):
    at = place(fake)
    assert at.write(NAME, DOCUMENT) < at.write(NAME, DOCUMENT)
    assert fake.workflow(REPOSITORY, "DEPLOY") == DOCUMENT.reveal()


def test_one_field_alone_and_an_environments_secret(fake):
    place(fake).write(f"{NAME}@prod eu#token", DOCUMENT)
    assert fake.workflow(REPOSITORY, "DEPLOY", "prod eu") == "canary-4d5e6f"
    assert fake.workflow(REPOSITORY, "DEPLOY") is None


def test_a_field_that_is_not_there_is_refused_before_anything_is_written(fake):
    with pytest.raises(Rejected) as refusal:
        place(fake).write(f"{NAME}#password", DOCUMENT)
    assert refusal.value.reason == "no_such_field"
    assert not any(each.startswith("PUT") for each in fake.asked)


def test_it_is_erased_once_and_twice(fake):
    at = place(fake)
    at.write(NAME, DOCUMENT)
    at.erase(NAME)
    at.erase(NAME)
    assert at.current(NAME) is None


def test_a_repository_that_the_token_does_not_see_is_no_empty_place(fake):
    for call in (place(fake).current, lambda name: place(fake).write(name, DOCUMENT)):
        with pytest.raises(Rejected) as refusal:
            call("acme/other:DEPLOY")
        assert refusal.value.reason == "not_this_account"


def test_a_token_that_is_refused_says_so(fake):
    at = connect(Connection("gh", "github", endpoint_url=fake.address, credential=lambda: Secret("ghp_canary")))
    with pytest.raises(Rejected) as refusal:
        at.write(NAME, DOCUMENT)
    assert refusal.value.reason == "own_credential_refused"
    assert "canary" not in str(refusal.value)


def test_nothing_listening_is_unavailable(fake):
    nowhere = place(fake, f"http://127.0.0.1:{free_port()}")
    for call in (nowhere.current, nowhere.erase, lambda name: nowhere.write(name, DOCUMENT)):
        with pytest.raises(Unavailable) as raised:
            call(NAME)
        assert "canary" not in str(raised.value)


@pytest.mark.parametrize(
    "name", ["DEPLOY", "acme:DEPLOY", "acme/shop:", "acme/shop:1X", "acme/shop:GITHUB_X", "a/b/c:X"]
)
def test_what_is_no_secrets_name_is_a_refusal(fake, name):
    with pytest.raises(RotatorError) as refusal:
        place(fake).write(name, DOCUMENT)
    assert refusal.value.reason == "bad_name"
