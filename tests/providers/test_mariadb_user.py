"""What is special about native passwords of MariaDB accounts, tried on a real server."""

from __future__ import annotations

import secrets
from concurrent.futures import ThreadPoolExecutor

import pymysql
import pytest

from rotator.credential import CredentialRef, Leaked, Secret
from rotator.errors import Rejected, Unavailable
from rotator.families import mysql, mysql_knock, server_login
from rotator.ports.provider import Answer, State
from tests.contracts.cases.mariadb_user import KIND, connected, ref_of
from tests.refused import reason_of
from tests.servers.cuts import assert_a_lost_login_proves_nothing, assert_a_revocation_is_told_truly
from tests.servers.mariadb import OWN_USER, mariadb
from tests.servers.silence import silent_server

OTHER_WAYS = "ed25519 USING 'HaoAIH6bNdE81hRWuvQ0EAGI0hRES86bgL9twfHKlq8' OR unix_socket"


@pytest.fixture(scope="module")
def server():
    with mariadb() as running:
        yield running


@pytest.fixture
def provider(server):
    return connected(server)


@pytest.fixture
def name():
    return f"app-{secrets.token_hex(4)}"


def planted(server, name: str) -> tuple[CredentialRef, Secret]:
    password = server.plant(name)
    return ref_of(f"{name}@%", password), password


def shown(server, name: str) -> str:
    [(statement,)] = server.run("SHOW CREATE USER %s@'%%'", name)
    return statement


def test_a_live_connection_outlives_its_password_until_it_is_cut(server, provider, name):
    ref, password = planted(server, name)
    _, others = planted(server, f"{name}-bystander")
    live, bystander = server.connect(name, password), server.connect(f"{name}-bystander", others)
    provider.revoke(ref)
    live.ping(reconnect=False)
    assert provider.end_sessions(ref)["connections_closed"] == "1"
    with pytest.raises(pymysql.Error):
        live.ping(reconnect=False)
    bystander.ping(reconnect=False)


def test_every_other_way_in_and_every_limit_stays_as_it_was(server, provider, name):
    ref, password = planted(server, name)
    server.run(
        f"ALTER USER %s@'%%' IDENTIFIED VIA {OTHER_WAYS} OR mysql_native_password USING PASSWORD(%s)",
        name,
        password.reveal(),
    )
    server.run("ALTER USER %s@'%%' WITH MAX_USER_CONNECTIONS 7 PASSWORD EXPIRE INTERVAL 30 DAY", name)
    before = shown(server, name)
    issued = provider.generate(ref)
    provider.set_secret(issued.ref, issued.secret, {})
    added = f" OR mysql_native_password USING '{mysql_knock.stored(issued.secret)}'"
    assert shown(server, name) == before.replace(" WITH MAX_USER", f"{added} WITH MAX_USER")
    assert {provider.verify(issued.ref, issued.secret).answer, provider.verify(ref, password).answer} == {
        Answer.ACCEPTED
    }
    provider.revoke(issued.ref)
    assert shown(server, name) == before
    provider.revoke(ref)
    assert f"VIA {OTHER_WAYS} WITH" in shown(server, name)


def test_two_revocations_at_once_do_not_give_each_other_back(server, provider, name):
    many = [planted(server, name) for _ in range(6)]
    kept = planted(server, name)
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda each: provider.revoke(each[0]), many))
    assert provider.siblings(kept[0]) == {kept[0]}


def test_the_last_password_leaves_one_that_nobody_has_and_the_next_takes_its_place(server, provider, name):
    ref, password = planted(server, name)
    provider.revoke(ref)
    assert shown(server, name).endswith("IDENTIFIED BY PASSWORD 'invalid'")
    for tried in (password, Secret(""), Secret("invalid")):
        assert server_refuses(server, name, tried)
    issued = provider.generate(ref)
    provider.set_secret(issued.ref, issued.secret, {})
    assert "invalid" not in shown(server, name)
    assert issued.public == {"username": name}
    server.connect(name, issued.secret).close()


def server_refuses(server, name: str, password: Secret) -> bool:
    with pytest.raises(pymysql.OperationalError) as refusal:
        server.connect(name, password)
    return refusal.value.args[0] in {1045, 1698}


def test_a_locked_account_is_told_from_a_wrong_password(server, provider, name):
    ref, password = planted(server, name)
    server.run("ALTER USER %s@'%%' ACCOUNT LOCK", name)
    locked = provider.verify(ref, password)
    assert (locked.answer, locked.reason, locked.names_id) == (Answer.REJECTED, "account_locked", True)
    assert provider.inspect(ref).state is State.SUSPENDED
    provider.revoke(ref)
    denied = provider.verify(ref, password)
    assert (denied.answer, denied.reason, denied.names_id) == (Answer.REJECTED, "access_denied", False)


def test_an_expired_password_lives_for_it_can_still_be_changed_by_who_has_it(server, provider, name):
    ref, password = planted(server, name)
    server.run("SET GLOBAL disconnect_on_expired_password = ON")
    server.run("ALTER USER %s@'%%' PASSWORD EXPIRE", name)
    verdict = provider.verify(ref, password)
    server.run("SET GLOBAL disconnect_on_expired_password = OFF")
    assert (verdict.answer, verdict.reason) == (Answer.ACCEPTED, "password_right_but_expired")


def test_the_server_never_sees_a_password_of_ours(server, provider, name):
    ref, _ = planted(server, name)
    issued = provider.generate(ref)
    provider.set_secret(issued.ref, issued.secret, {})
    provider.verify(issued.ref, issued.secret)
    assert mysql_knock.stored(issued.secret) in server.log
    assert issued.secret.reveal() not in server.log


def test_a_connection_string_is_read_and_a_password_of_two_accounts_is_nobodys(server, provider, name):
    ref, password = planted(server, name)
    url = Secret(f"mysql://{name}:{password.reveal()}@db.example:3306/shop")
    assert provider.identify(Leaked(secret=url)) == ref
    assert provider.verify(ref, url).answer is Answer.ACCEPTED
    assert provider.identify(Leaked(id=ref.id)) == ref
    server.run("CREATE USER %s@'192.0.2.1' IDENTIFIED BY %s", name, password.reveal())
    assert reason_of(lambda: provider.identify(Leaked(secret=url))) == "several_accounts"
    assert provider.identify(Leaked(secret=password, owner=f"{name}@%")) == ref


def test_no_account_is_made_for_a_password(server, provider, name):
    issued = provider.generate(ref_of(f"{name}@%", Secret("x")))
    assert reason_of(lambda: provider.set_secret(issued.ref, issued.secret, {})) == "no_such_account"
    assert server.run("SELECT 1 FROM mysql.user WHERE User = %s", name) == []


def test_its_own_name_is_never_cut(server, provider):
    own = ref_of(f"{OWN_USER}@%", server.own)
    assert provider.own() == own.id
    for act in (provider.revoke, provider.end_sessions):
        assert reason_of(lambda act=act: act(own)) == "own_credential"


def test_an_account_that_may_not_and_a_dead_password_of_its_own_are_told_apart(server, name):
    ref, password = planted(server, name)
    narrow = connected(server, own=password, user=name)
    assert reason_of(lambda: narrow.inspect(ref)) == "permission_denied"
    dead = connected(server, own=Secret("canary-that-was-never-right"))
    assert reason_of(lambda: dead.inspect(ref)) == "own_credential_refused"


def test_a_server_that_refuses_hashes_is_an_error_and_changes_nothing(server, provider, name):
    ref, password = planted(server, name)
    server.run("INSTALL SONAME 'simple_password_check'")
    try:
        issued = provider.generate(ref)
        assert reason_of(lambda: provider.set_secret(issued.ref, issued.secret, {})) == "not_changed"
    finally:
        server.run("UNINSTALL SONAME 'simple_password_check'")
    assert provider.siblings(ref) == {ref}
    assert provider.verify(ref, password).answer is Answer.ACCEPTED


def test_each_lost_answer_is_told_truly(server, provider, name):
    numbers = iter(range(100))
    again = (lambda port: connected(server, f"mysql://127.0.0.1:{port}")), provider
    assert_a_revocation_is_told_truly(server.port, *again, lambda: planted(server, f"{name}-{next(numbers)}"))
    assert_a_lost_login_proves_nothing(server.port, *again, lambda: planted(server, f"{name}-{next(numbers)}"))


def test_a_server_that_says_nothing_is_given_up(server, name, monkeypatch):
    for module in (mysql, server_login):
        monkeypatch.setattr(module, "CALL_DEADLINE_S", module.CONNECT_TIMEOUT_S + 0.2)
    ref, password = planted(server, name)
    with silent_server() as port:
        silent = connected(server, f"mysql://127.0.0.1:{port}")
        for act in (lambda: silent.verify(ref, password), lambda: silent.revoke(ref)):
            with pytest.raises(Unavailable):
                act()


def test_a_server_without_tls_gets_no_login_when_tls_is_wanted(server, name):
    ref, password = planted(server, name)
    wants = connected(server, tls=True)
    for act in (lambda: wants.verify(ref, password), lambda: wants.inspect(ref)):
        with pytest.raises(Unavailable):
            act()
    assert ref.provider == KIND


GRANTS = [
    # grants, the verbs that they are said to lack, those that nobody can tell of
    (["CREATE USER, CONNECTION ADMIN ON *.*", "SELECT ON mysql.global_priv"], set(), set()),
    (["ALL ON *.*"], set(), set()),
    (["CREATE USER, SUPER ON *.*", "SELECT (User, Host, Priv) ON mysql.global_priv"], set(), set()),
    (["CREATE USER ON *.*", "SELECT ON mysql.*"], {"end_sessions"}, set()),
    (["CONNECTION ADMIN ON *.*"], {"look", "revoke"}, set()),
    (["CONNECTION ADMIN, SELECT ON *.*", "SELECT ON `CREATE USER ON x`.*"], {"revoke"}, set()),
    (["CONNECTION ADMIN ON *.*", "SELECT, UPDATE ON mysql.*"], set(), set()),
    (["CONNECTION ADMIN ON *.*", "SELECT, UPDATE ON `m%`.*"], set(), {"revoke"}),
    (["CONNECTION ADMIN ON *.*", "SELECT ON mysql.*", "UPDATE ON `m_sql`.*"], set(), {"revoke"}),
]


def said(provider, owner: str | None = None) -> tuple[set[str], set[str]]:
    told = provider.permissions(owner)
    lacking = [{verb for each in told if each.granted is how for verb in each.verbs} for how in (False, None)]
    return lacking[0] & {"look", "revoke", "end_sessions"}, lacking[1] - {"install", "uninstall"}


def tried(server, provider, name: str) -> set[str]:
    """Return what is refused when it is tried on an account of that name."""
    ref, password = planted(server, name)
    lives, refused = server.session(name, password), set()
    for verb, act in (
        ("look", provider.siblings),
        ("end_sessions", provider.end_sessions),
        ("revoke", provider.revoke),
    ):
        try:
            act(ref)
        except Rejected as error:
            assert error.reason == "permission_denied"  # noqa: PT017 - not to be refused is right too
            refused.add(verb)
    assert lives() == ("end_sessions" in refused)
    return refused


@pytest.mark.parametrize("case", GRANTS)
@pytest.mark.parametrize("through_a_role", [False, True])
def test_what_grants_say_is_so_when_it_is_tried(server, name, case, through_a_role):
    grants, lacking, unknown = case
    own, role = f"{name}-own", f"{name}-role"
    server.run("CREATE USER %s IDENTIFIED BY 'mine'", own)
    server.run("CREATE ROLE %s", role)
    for each in grants:
        server.run(f"GRANT {each.replace('%', '%%')} TO %s", role if through_a_role else own)
    provider = connected(server, own=Secret("mine"), user=own)
    if through_a_role:
        server.run("GRANT %s TO %s", role, own)
        assert said(provider)[0] == {"look", "revoke", "end_sessions"}  # it is not on
        server.run("SET DEFAULT ROLE %s FOR %s", role, own)
    assert said(provider) == (lacking, unknown)
    assert tried(server, provider, name) - unknown == lacking


def test_a_read_only_server_and_its_own_account_are_told(server, provider, name):
    ref, _ = planted(server, name)
    assert said(provider, ref.owner) == (set(), set())
    assert said(provider, f"{OWN_USER}@%")[0] == {"revoke", "end_sessions"}
    server.run("SET GLOBAL read_only = 1")
    try:
        assert said(provider, ref.owner)[0] == {"revoke"}
        assert reason_of(lambda: provider.revoke(ref)) == "read_only_server"
        server.run("GRANT READ_ONLY ADMIN ON *.* TO %s", OWN_USER)
        assert said(provider, ref.owner)[0] == set()
        provider.revoke(ref)
    finally:
        server.run("SET GLOBAL read_only = 0")


def test_a_server_that_takes_no_hash_is_told(server, provider, name):
    ref, _ = planted(server, name)
    server.run("INSTALL SONAME 'simple_password_check'")
    try:
        [told] = [each for each in provider.permissions(ref.owner) if each.granted is False]
        assert (told.verbs, told.needs) == (
            ("install", "uninstall", "revoke"),
            "a server that takes a password's hash",
        )
        assert "simple_password_check" in told.why
        assert reason_of(lambda: provider.revoke(ref)) == "not_changed"
        server.run("SET GLOBAL strict_password_validation = 0")
        assert said(provider, ref.owner) == (set(), set())
        provider.revoke(ref)
    finally:
        server.run(
            "SET GLOBAL strict_password_validation = 1",
        )
        server.run("UNINSTALL SONAME 'simple_password_check'")


def test_a_session_that_takes_no_changes_is_told(server, provider, name):
    ref, _ = planted(server, name)
    server.run("SET GLOBAL tx_read_only = 1")
    try:
        assert said(provider, ref.owner)[0] == {"revoke"}
        assert reason_of(lambda: provider.revoke(ref)) == "read_only_server"
    finally:
        server.run("SET GLOBAL tx_read_only = 0")


@pytest.mark.parametrize(
    ("setting", "value", "usual"), [("sql_mode", "'ANSI_QUOTES'", "default"), ("sql_quote_show_create", "0", "1")]
)
def test_grants_are_read_in_whatever_quotes_the_server_writes_names(server, name, setting, value, usual):
    server.run("CREATE USER %s IDENTIFIED BY 'mine'", f"{name}-own")
    server.run("GRANT CONNECTION ADMIN ON *.* TO %s", f"{name}-own")
    server.run("GRANT SELECT, UPDATE ON mysql.* TO %s", f"{name}-own")
    server.run(f"SET GLOBAL {setting} = {value}")
    try:
        provider = connected(server, own=Secret("mine"), user=f"{name}-own")
        assert said(provider) == (set(), set())
        assert tried(server, provider, name) == set()
    finally:
        server.run(f"SET GLOBAL {setting} = {usual}")


def test_of_a_backslash_in_a_databases_name_nobody_can_tell(server, name):
    server.run("CREATE USER %s IDENTIFIED BY 'mine'", f"{name}-own")
    server.run("GRANT CONNECTION ADMIN, SELECT ON *.* TO %s", f"{name}-own")
    server.run("GRANT UPDATE ON `m\\ysql`.* TO %s", f"{name}-own")
    assert said(connected(server, own=Secret("mine"), user=f"{name}-own")) == (set(), {"revoke"})


def test_a_password_of_its_own_that_has_expired_is_told(server, name):
    server.run("CREATE USER %s IDENTIFIED BY 'mine'", f"{name}-own")
    server.run("ALTER USER %s PASSWORD EXPIRE", f"{name}-own")
    expired = connected(server, own=Secret("mine"), user=f"{name}-own")
    assert reason_of(lambda: expired.permissions(None)) == "own_credential_refused"


def test_the_hash_in_its_grants_goes_nowhere(server, provider):
    assert mysql_knock.stored(server.own) in str(server.run("SHOW GRANTS FOR %s", OWN_USER))
    assert mysql_knock.stored(server.own) not in str(provider.permissions(None))


def test_of_an_account_it_is_told_that_it_was_set_since_and_not_by_whom(server, provider, name):
    ref, _ = planted(server, name)
    server.run(f"CREATE USER '{name}-eve'@'%' IDENTIFIED VIA {OTHER_WAYS}")
    told = provider.minted_since(ref, 0.0)
    [eve] = [each for each in told.made if each.subject == f"{name}-eve@%"]
    assert (eve.kind, eve.id, eve.sure) == ("", "", False)
    assert ref.id not in {each.id for each in told.made}
    assert "rights, which have no time" in told.cannot_tell[0]
    assert provider.minted_since(ref, eve.at + 1).made == ()
