"""What is special about passwords of RabbitMQ users, tried on a real server."""

from __future__ import annotations

import secrets
import time
from base64 import b64decode

import pytest

from rotator.credential import CredentialRef, Leaked, Secret
from rotator.errors import BadInput, RotatorError, Unavailable
from rotator.families import http_wire, server_login
from rotator.families.rabbitmq import stored
from rotator.ports.connection import Connection
from rotator.ports.provider import Answer, State
from rotator.providers.rabbitmq_user import connect
from tests.contracts.cases.rabbitmq_user import KIND, connected, planted
from tests.refused import reason_of
from tests.servers.cuts import assert_a_lost_login_proves_nothing, assert_a_revocation_is_told_truly
from tests.servers.rabbitmq import OWN_USER, rabbitmq
from tests.servers.silence import silent_server


@pytest.fixture(scope="module")
def server():
    with rabbitmq() as running:
        yield running


@pytest.fixture
def provider(server):
    return connected(server)


@pytest.fixture
def user():
    return f"app-{secrets.token_hex(4)}"


def test_a_live_connection_outlives_its_password_until_it_is_cut(server, provider, user):
    ref, password = planted(server, user)
    _, others = planted(server, f"{user}-bystander")
    live, bystander = server.session(user, password), server.session(f"{user}-bystander", others)
    provider.revoke(ref)
    assert live()
    deadline = time.monotonic() + 30
    while (closed := provider.end_sessions(ref)["connections_closed"]) == "0" and time.monotonic() < deadline:
        pass  # the server lists a connection a moment after it was opened
    assert closed == "1"
    assert not live()
    assert bystander()


def test_tags_permissions_and_limits_stay_as_they_were(server, provider, user):
    server.plant(user, "monitoring,policymaker")
    server.call("PUT", f"/api/user-limits/{user}/max-connections", {"value": 7})
    [ref] = provider.siblings(CredentialRef(KIND, "bus", user, "any"))

    def around():
        kept = server.call("GET", f"/api/users/{user}")
        return kept["tags"], kept["limits"], server.call("GET", f"/api/users/{user}/permissions")

    before, preserved = around(), provider.preserve(ref)
    provider.revoke(ref)
    assert around() == before
    issued = provider.generate(ref)
    provider.set_secret(issued.ref, issued.secret, preserved)
    assert around() == before


def test_the_server_stores_the_hash_that_it_would_make_itself(server, user):
    ref, password = planted(server, user)
    kept = server.call("GET", f"/api/users/{user}")
    assert stored(password, ref.id.rpartition(":")[2], kept["hashing_algorithm"]) == kept["password_hash"]
    assert len(b64decode(kept["password_hash"])) == 4 + 32


def test_a_password_of_another_hand_is_not_overwritten(server, provider, user):
    ref, _ = planted(server, user)
    preserved, issued = provider.preserve(ref), provider.generate(ref)
    newer, theirs = planted(server, user)
    assert reason_of(lambda: provider.set_secret(issued.ref, issued.secret, preserved)) == "changed_meanwhile"
    assert reason_of(lambda: provider.set_secret(issued.ref, issued.secret, {})) == "changed_meanwhile"
    provider.revoke(ref)
    assert provider.inspect(ref).state is State.ABSENT
    assert provider.verify(newer, theirs).answer is Answer.ACCEPTED


def test_the_server_never_logs_a_password_of_ours(server, provider, user):
    ref, _ = planted(server, user)
    issued = provider.generate(ref)
    provider.set_secret(issued.ref, issued.secret, provider.preserve(ref))
    provider.verify(issued.ref, issued.secret)
    assert user in server.log
    assert issued.secret.reveal() not in server.log


def test_a_connection_string_is_read_and_a_password_of_two_users_is_nobodys(server, provider, user):
    ref, password = planted(server, user)
    url = Secret(f"amqp://{user}:{password.reveal()}@bus:5672/%2F")
    assert provider.identify(Leaked(secret=url)) == ref
    assert provider.verify(ref, url).answer is Answer.ACCEPTED
    assert provider.identify(Leaked(id=ref.id)) == ref
    server.call("PUT", f"/api/users/{user}-twin", {"password": password.reveal(), "tags": ""})
    assert reason_of(lambda: provider.identify(Leaked(secret=password))) == "several_users"
    assert provider.identify(Leaked(secret=password, owner=user)) == ref


def test_no_user_is_made_for_a_password(server, provider, user):
    issued = provider.generate(CredentialRef(KIND, "bus", user, f"{user}:00000000"))
    assert reason_of(lambda: provider.set_secret(issued.ref, issued.secret, {})) == "no_such_user"
    assert user not in {each["name"] for each in server.call("GET", "/api/users")}


def test_its_own_user_is_never_cut(provider):
    own = CredentialRef(KIND, "bus", OWN_USER, str(provider.own()))
    assert provider.inspect(own).state is State.ACTIVE
    for act in (provider.revoke, provider.end_sessions):
        assert reason_of(lambda act=act: act(own)) == "own_credential"


def test_a_user_that_may_not_and_a_dead_password_of_its_own_are_told_apart(server, user):
    ref, password = planted(server, user)
    for tags in ("", "monitoring"):
        server.call("PUT", f"/api/users/{user}", {"password": password.reveal(), "tags": tags})
        narrow = connected(server, own=password, user=user)
        assert reason_of(lambda narrow=narrow: narrow.inspect(ref)) in {"permission_denied", "own_credential_refused"}
    assert reason_of(lambda: narrow.inspect(ref)) == "permission_denied"
    dead = connected(server, own=Secret("canary-that-was-never-right"))
    assert reason_of(lambda: dead.inspect(ref)) == "own_credential_refused"


@pytest.mark.parametrize("tags", ["", "management", "policymaker", "monitoring", "administrator", "x,administrator"])
def test_what_its_tags_say_is_so_when_it_is_tried(server, provider, user, tags):
    own = f"{user}-own"
    ref, password = planted(server, user)
    narrow = connected(server, own=server.plant(own, tags), user=own)
    [told] = narrow.permissions(user)
    assert {"look", "install", "uninstall", "revoke", "end_sessions"} == set(told.verbs)
    assert told.granted is ("administrator" in tags)
    if not told.granted:
        assert (tags or "no tag") in told.why
        assert {reason_of(lambda act=act: act(ref)) for act in (narrow.inspect, narrow.revoke)} == {"permission_denied"}
        with pytest.raises(RotatorError):  # the server falls over its own refusal, and says 500
            narrow.end_sessions(ref)
        assert provider.verify(ref, password).answer is Answer.ACCEPTED
        return
    assert narrow.end_sessions(ref)["connections_closed"] == "0"
    narrow.revoke(ref)
    made = narrow.generate(ref)
    narrow.set_secret(made.ref, made.secret, {})
    assert {each.granted for each in narrow.permissions(own) if "revoke" in each.verbs} == {True, False}


def test_each_lost_answer_is_told_truly(server, provider, user):
    numbers = iter(range(100))

    def managed(port):
        return connected(server, f"http://127.0.0.1:{port}")

    def entered(port):
        return connected(server, amqp=f"amqp://127.0.0.1:{port}")

    assert_a_revocation_is_told_truly(
        server.management, managed, provider, lambda: planted(server, f"{user}-{next(numbers)}")
    )
    assert_a_lost_login_proves_nothing(
        server.amqp, entered, provider, lambda: planted(server, f"{user}-{next(numbers)}")
    )


def test_a_server_that_says_nothing_is_given_up(server, user, monkeypatch):
    monkeypatch.setattr(server_login, "CALL_DEADLINE_S", server_login.CONNECT_TIMEOUT_S + 0.2)
    monkeypatch.setattr(http_wire, "READ_TIMEOUT_S", 0.2)
    ref, password = planted(server, user)
    with silent_server() as port:
        silent = connected(server, f"http://127.0.0.1:{port}", amqp=f"amqp://127.0.0.1:{port}")
        for act in (lambda: silent.verify(ref, password), lambda: silent.revoke(ref)):
            with pytest.raises(Unavailable):
                act()


def test_an_address_that_cannot_be_used_is_one_clear_line():
    for address, more in ((None, {}), ("amqp://bus", {}), ("https://bus:15671", {"amqp": "bus:5671"})):
        with pytest.raises(BadInput, match=r"`endpoint_url`|`amqp`"):
            connect(Connection("bus", "rabbitmq", endpoint_url=address, settings=more), KIND)
