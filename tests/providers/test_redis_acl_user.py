"""What is special about passwords of Redis users, tried on a real server."""

from __future__ import annotations

import pytest
import redis

from rotator.credential import Leaked, Secret
from rotator.errors import BadInput, Rejected, Unavailable
from rotator.families import redis as family
from rotator.ports.abilities import Suspendable
from rotator.ports.connection import Connection
from rotator.ports.provider import Answer, State
from rotator.providers.redis_acl_user import connect
from tests.contracts.cases.redis_acl_user import KIND, LOOKS, connected, ref_of, ruled
from tests.fakes.redis_7 import redis_7
from tests.refused import reason_of
from tests.servers.cuts import assert_a_lost_login_proves_nothing, assert_a_revocation_is_told_truly
from tests.servers.redis_users import OWN_USER, redis_users
from tests.servers.silence import silent_server


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with redis_users(tmp_path_factory.mktemp("redis")) as running:
        yield running


@pytest.fixture
def provider(server):
    return connected(server)


def planted(server, user: str):
    password = server.plant(user)
    return ref_of(user, password), password


def test_a_live_connection_outlives_its_password_until_it_is_cut(server, provider):
    ref, password = planted(server, "app")
    _, others = planted(server, "bystander")
    live, bystander = server.client("app", password), server.client("bystander", others)
    live.ping()
    bystander.ping()
    provider.revoke(ref)
    assert live.ping()
    assert provider.end_sessions(ref)["connections_closed"] == "1"
    with pytest.raises(redis.exceptions.RedisError):
        live.ping()
    assert bystander.ping()


def test_no_password_reaches_the_slow_log_or_a_monitor(server, provider):
    ref, _ = planted(server, "logged")
    issued = provider.generate(ref)
    with server.client() as admin, admin.monitor() as monitor:
        admin.config_set("slowlog-log-slower-than", 0)
        provider.set_secret(issued.ref, issued.secret, {})
        provider.verify(issued.ref, issued.secret)
        provider.revoke(issued.ref)
        admin.execute_command("PING", "the end")
        seen = []
        while "the end" not in str(seen[-1:]):
            seen.append(monitor.next_command())
        slow = admin.slowlog_get(1000)
        admin.config_set("slowlog-log-slower-than", 10000)
    assert "SETUSER" in str(seen) + str(slow)
    assert issued.secret.reveal() not in str(seen) + str(slow)


def test_a_change_is_in_the_aclfile_at_once_and_again_after_a_save_that_was_lost(server, provider):
    ref, _ = planted(server, "kept")
    stored = ref.id.partition(":")[2]
    with server.client() as admin:
        admin.execute_command("ACL", "SAVE")
        assert f"#{stored}" in server.aclfile.read_text()
        full = admin.acl_getuser("kept")["passwords"][0].lstrip("#")
        admin.execute_command("ACL", "SETUSER", "kept", f"!{full}")  # done, and never saved
    provider.revoke(ref)
    assert f"#{stored}" not in server.aclfile.read_text()


def test_a_server_without_an_aclfile_says_that_it_will_forget(tmp_path):
    with redis_users(tmp_path, aclfile=False) as server:
        ref, _ = planted(server, "app")
        facts = connected(server).inspect(ref).facts
        connected(server).revoke(ref)
        assert connected(server).inspect(ref).state is State.ABSENT
    assert (facts["kept_in"], facts["replicas_with_users_of_their_own"]) == ("memory", "0")


def test_an_aclfile_that_cannot_be_written_is_no_success(server, provider, tmp_path):
    ref, _ = planted(server, "unsaved")
    away = tmp_path / "users.acl"
    server.aclfile.rename(away)
    server.aclfile.mkdir()
    try:
        assert reason_of(lambda: provider.revoke(ref)) == "acl_not_saved"
    finally:
        server.aclfile.rmdir()
        away.rename(server.aclfile)
    provider.revoke(ref)
    assert ref.id.partition(":")[2] not in server.aclfile.read_text()


def test_the_default_user_is_a_user_like_others(server, provider):
    password = Secret("canary-of-the-default-user")
    with server.client() as admin:
        admin.execute_command("ACL", "SETUSER", "default", "on", f">{password.reveal()}")
    for leaked in (f"redis://:{password.reveal()}@cache:6379/0", password.reveal()):
        ref = provider.identify(Leaked(secret=Secret(leaked)))
        assert ref == ref_of("default", password)
        assert provider.verify(ref, Secret(leaked)).answer is Answer.ACCEPTED
    provider.revoke(ref)
    assert provider.verify(ref, password).answer is Answer.REJECTED


def test_a_password_that_two_users_have_is_nobodys_until_one_is_named(server, provider):
    password = server.plant("twin-a")
    with server.client() as admin:
        admin.execute_command("ACL", "SETUSER", "twin-b", "on", f">{password.reveal()}")
    assert reason_of(lambda: provider.identify(Leaked(secret=password))) == "several_users"
    assert provider.identify(Leaked(secret=password, owner="twin-b")) == ref_of("twin-b", password)
    url = Secret(f"redis://twin-a:{password.reveal()}@cache/0")
    assert provider.identify(Leaked(secret=url)) == ref_of("twin-a", password)


def test_an_id_names_it_as_well(server, provider):
    ref, _ = planted(server, "listed")
    assert provider.identify(Leaked(id=ref.id)) == ref
    assert reason_of(lambda: provider.identify(Leaked(id="listed:00000000"))) == "unknown_credential"
    assert (
        reason_of(lambda: provider.identify(Leaked(id=ref.id, address="redis://elsewhere:6379"))) == "not_this_account"
    )


def test_a_user_that_needs_no_password_is_told_as_such(server, provider):
    with server.client() as admin:
        admin.execute_command("ACL", "SETUSER", "open", "on", "nopass")
    assert reason_of(lambda: provider.identify(Leaked(secret=Secret("anything"), owner="open"))) == "any_password"
    issued = provider.generate(ref_of("open", Secret("anything")))
    assert reason_of(lambda: provider.set_secret(issued.ref, issued.secret, {})) == "any_password"


def test_no_user_is_made_for_a_password(server, provider):
    issued = provider.generate(ref_of("nobody", Secret("x")))
    assert reason_of(lambda: provider.set_secret(issued.ref, issued.secret, {})) == "no_such_user"
    with server.client() as admin:
        assert "nobody" not in admin.acl_users()


def test_a_user_that_is_off_is_suspended_and_cannot_be_suspended_here(server, provider):
    ref, password = planted(server, "asleep")
    with server.client() as admin:
        admin.execute_command("ACL", "SETUSER", "asleep", "off")
    assert provider.inspect(ref).state is State.SUSPENDED
    assert provider.verify(ref, password).answer is Answer.REJECTED
    assert not isinstance(provider, Suspendable)


def test_its_own_password_is_never_taken_away(server, provider):
    own = ref_of(OWN_USER, server.own)
    assert provider.own() == own.id
    assert reason_of(lambda: provider.revoke(own)) == "own_credential"


def test_a_narrow_user_and_a_dead_password_of_its_own_are_told_apart(server):
    ref, password = planted(server, "narrow")
    narrow = Connection("cache", "redis", None, server.url, lambda: password, {"user": "narrow"})
    assert reason_of(lambda: connect(narrow, KIND).inspect(ref)) == "permission_denied"
    dead = connected(server, own=Secret("canary-that-was-never-right"))
    assert reason_of(lambda: dead.inspect(ref)) == "own_credential_refused"


def test_each_lost_answer_is_told_truly(server, provider):
    users = iter(range(100))
    again = (lambda port: connected(server, f"redis://127.0.0.1:{port}")), provider
    assert_a_revocation_is_told_truly(server.port, *again, lambda: planted(server, f"lost-{next(users)}"))
    assert_a_lost_login_proves_nothing(server.port, *again, lambda: planted(server, "knocked"))


def test_a_server_that_says_nothing_is_given_up(server, monkeypatch):
    monkeypatch.setattr(family, "CALL_DEADLINE_S", family.CONNECT_TIMEOUT_S + 0.2)
    ref, password = planted(server, "waiting")
    with silent_server() as port:
        silent = connected(server, f"redis://127.0.0.1:{port}")
        for act in (lambda: silent.verify(ref, password), lambda: silent.revoke(ref)):
            with pytest.raises(Unavailable):
                act()


@pytest.mark.parametrize(
    ("address", "what"),
    [
        (None, "`endpoint_url` is missing"),
        ("http://cache", "`endpoint_url` is missing or not one of redis, rediss"),
        ("redis://cache:port", "`endpoint_url` is not an address"),
        ("redis://user:canary-in-the-address@cache", "`endpoint_url` holds a password"),
    ],
)
def test_an_address_that_cannot_be_used_is_one_clear_line(address, what):
    with pytest.raises(BadInput, match=what) as bad:
        connect(Connection("cache", "redis", endpoint_url=address), KIND)
    assert "canary" not in str(bad.value)


ASKS = "-@all +acl|getuser"
RULES = [
    # rules, the verbs that they are said to lack, those that nobody can tell of
    (f"{LOOKS} +acl +client|kill", set(), set()),
    ("+@all", set(), set()),
    (LOOKS, {"revoke", "end_sessions"}, set()),
    (f"{LOOKS} +client|kill +acl|setuser", {"revoke"}, set()),
    (f"{ASKS} +acl +client|kill", {"look", "revoke"}, set()),
    ("+@all -client", {"end_sessions"}, set()),
    ("+@all -@admin +acl +config|get", {"end_sessions"}, set()),
    ("-@all +@admin +info -config +config|get", set(), set()),
    (f"{ASKS} +@admin -acl +acl|list +acl|getuser +info", {"revoke"}, {"end_sessions"}),
    ("-@all +acl|list +config|get +info +client|kill", set(), {"look", "revoke", "end_sessions"}),
]
VERBS = {"look", "revoke", "end_sessions"}


def said(provider) -> tuple[set[str], set[str]]:
    told = provider.permissions(None)
    assert all(each.why for each in told if each.granted is None)
    lacking, unknown = (
        {v for each in told if each.granted is how for v in each.verbs} & VERBS for how in (False, None)
    )
    return lacking, unknown


@pytest.mark.parametrize(("rules", "lacking", "unknown"), RULES)
def test_what_rules_say_is_so_when_it_is_tried(server, rules, lacking, unknown):
    provider = ruled(server, f"resetkeys resetchannels {rules}", f"own-{RULES.index((rules, lacking, unknown))}")
    assert said(provider) == (lacking, unknown)
    ref, _ = planted(server, f"tried-{RULES.index((rules, lacking, unknown))}")
    refused = set()
    for verb, act in (("look", provider.inspect), ("end_sessions", provider.end_sessions), ("revoke", provider.revoke)):
        try:
            act(ref)
        except Rejected as error:
            assert error.reason == "permission_denied"  # noqa: PT017 - not to be refused is right too
            refused.add(verb)
    assert refused - unknown == lacking - unknown


def test_where_users_are_kept_in_memory_they_need_not_be_saved(tmp_path):
    with redis_users(tmp_path, aclfile=False) as kept_nowhere:
        provider = ruled(kept_nowhere, f"{LOOKS} +acl|setuser +client|kill", "saver")
        assert said(provider) == (set(), set())
        provider.revoke(planted(kept_nowhere, "app")[0])


@pytest.mark.parametrize(
    ("allowed", "renamed", "lacking", "unknown"),
    [
        ("acl|list acl|setuser acl|save acl|dryrun info config|get client|kill", "", set(), set()),
        ("acl|list acl|dryrun info config|get", "", {"revoke", "end_sessions"}, set()),
        ("acl|list acl|setuser acl|save acl|dryrun info client|kill", "config|get", {"look", "revoke"}, set()),
        ("acl|list acl|setuser acl|save info config|get client|kill", "", set(), VERBS),
    ],
)
def test_redis_7_is_asked_to_try_it_dry(server, allowed, renamed, lacking, unknown):
    with redis_7(allowed.split(), renamed=renamed.split()) as address:
        assert said(connected(server, address)) == (lacking, unknown)
