"""What is peculiar to Google's Secret Manager: versions that nobody can read, and what the client raises."""

from __future__ import annotations

import contextlib
import socket
import threading

import pytest

from rotator.credential import Secret
from rotator.errors import Rejected, Uncertain
from rotator.families.gcp_secrets import SecretManager
from rotator.ports.connection import Connection
from rotator.stores.gcp_secret_manager import connect
from tests.fakes.gcp_grants import guarded
from tests.servers.drongo import drongo

DOCUMENT = Secret('{"id": "new", "token": "canary-4d5e6f"}')


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with drongo(tmp_path_factory.mktemp("drongo")) as running:
        yield running


def store(address, project="acme-prod", token="a token"):
    return connect(Connection("gcp", "gcp", project, address, lambda: Secret(token)))


def test_what_nobody_can_read_is_not_found_and_consumers_have_nothing(server):
    name = server.secret()
    server.add(name, b"by hand")
    server.call("POST", f"secrets/{name}/versions/1:disable", {})
    at = store(server.endpoint_url)
    assert at.current(name) is None
    with pytest.raises(Rejected) as refusal:
        at.read(name, "1")
    assert refusal.value.reason == "not_found"


def test_after_promotion_the_secret_and_one_note_without_a_version_are_left(server):
    name = server.secret()
    server.add(name, b"by hand")
    at = store(server.endpoint_url)
    for number in range(2):
        at.promote(name, at.stage(name, DOCUMENT, f"step-{number}"), at.current(name))
    found = [each["name"].rpartition("/")[2] for each in server.call("GET", "secrets")["secrets"]]
    assert [each for each in found if each.startswith(name)] == [name, f"{name}-rotator-promoted"]
    assert server.call("GET", f"secrets/{name}-rotator-promoted/versions").get("versions", []) == []


def test_a_binary_value_is_refused_in_words(server):
    name = server.secret()
    server.add(name, b"\xff\xfe")
    with pytest.raises(Rejected) as refusal:
        store(server.endpoint_url).read(name, "1")
    assert refusal.value.reason == "not_text"


def test_an_answer_that_is_lost_is_uncertain_and_shows_nothing():
    with socket.create_server(("127.0.0.1", 0)) as hangs_up:

        def answer():
            with contextlib.suppress(OSError):
                while True:
                    hangs_up.accept()[0].close()

        thread = threading.Thread(target=answer)
        thread.start()
        address = f"http://127.0.0.1:{hangs_up.getsockname()[1]}"
        manager = SecretManager(Connection("gcp", "gcp", "acme-prod", address, lambda: Secret("canary-token")))
        with pytest.raises(Uncertain) as raised:
            manager.exchange().change(
                "add_secret_version", parent="projects/acme-prod/secrets/x", payload={"data": b"canary"}
            )
        hangs_up.shutdown(socket.SHUT_RDWR)
        thread.join()
    assert "canary" not in repr(raised.value)


@pytest.mark.parametrize("name", ["", "a/b", "a b", "a:b"])
def test_what_is_no_secrets_name_is_a_refusal(server, name):
    with pytest.raises(Rejected) as refusal:
        store(server.endpoint_url).current(name)
    assert refusal.value.reason == "bad_name"


def test_what_is_granted_on_the_name_alone_leaves_open_what_stands_beside_it(server):
    name = server.secret()
    server.add(name, b"by hand")
    with guarded(server.endpoint_url, server.project) as guard:
        needed = {f"secretmanager.versions.{each}" for each in ("get", "access", "add")} | {"secretmanager.secrets.get"}
        guard.grants.give("of-one", *needed, on=f"projects/{server.project}/secrets/{name}")
        narrow = store(guard.address, token="of-one")
        said = {(each.needs, each.granted) for each in narrow.permissions(name)}
        project = f"on project {server.project}"
        assert {(f"{each} on secret {name}", True) for each in needed} <= said
        assert {need for need, granted in said if granted is False} == {f"secretmanager.secrets.create {project}"}
        assert {need for need, granted in said if granted is None} >= {f"secretmanager.secrets.delete {project}"}
        with pytest.raises(Rejected) as refusal:
            narrow.stage(name, DOCUMENT, "step-1")
        assert refusal.value.reason == "access_denied"


def test_of_a_name_that_will_be_made_only_the_making_is_known(server):
    with guarded(server.endpoint_url, server.project) as guard:
        said = store(guard.address).permissions("not-made-yet")
        assert {each.granted for each in said if "on secret" in each.needs} == {None}
        assert {each.granted for each in said if "on project" in each.needs} == {True}
        assert {each.granted for each in store(guard.address).permissions(None)} == {True}
