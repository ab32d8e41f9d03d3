"""What is special about passwords of PostgreSQL roles, tried on a real server that asks for them with SCRAM."""

from __future__ import annotations

import contextlib
import time

import psycopg
import pytest
from psycopg.sql import SQL, Identifier

from rotator.credential import CredentialRef, Leaked, Secret
from rotator.errors import Rejected, Unavailable
from rotator.families import postgres, server_login
from rotator.families.postgres_scram import is_of, tag_of, verifier
from rotator.ports.provider import Answer, State
from tests.contracts.cases.postgres_role import KIND, connected, planted
from tests.refused import reason_of
from tests.servers.cuts import assert_a_lost_login_proves_nothing, assert_a_revocation_is_told_truly
from tests.servers.scram_postgres import OWN_ROLE, scram_postgres
from tests.servers.silence import silent_server


@pytest.fixture
def provider(scram):
    return connected(scram)


def rows(scram, query: str, *values) -> list[tuple]:
    with scram.connect("admin", scram.admin) as admin:
        return admin.execute(query, values).fetchall()


def test_a_live_session_outlives_its_password_until_it_is_cut(scram, provider, app):
    ref, password = app
    _, others = planted(scram, f"{ref.owner}-bystander")
    live, bystander = scram.connect(ref.owner, password), scram.connect(f"{ref.owner}-bystander", others)
    provider.suspend(ref)
    assert live.execute("select 1").fetchone() == (1,)
    assert provider.end_sessions(ref) == {"sessions_ended": "1", "prepared_transactions_left": "0"}
    with pytest.raises(psycopg.OperationalError):
        live.execute("select 1")
    assert bystander.execute("select 1").fetchone() == (1,)


def test_destroying_the_password_ends_what_was_opened_since(scram, provider, app):
    ref, password = app
    live = scram.connect(ref.owner, password)
    provider.revoke(ref)
    with pytest.raises(psycopg.OperationalError):
        live.execute("select 1")
    assert scram.stored(ref.owner) is None


def test_a_stopped_role_is_refused_for_being_stopped_and_a_wrong_password_for_being_wrong(provider, app):
    ref, password = app
    provider.suspend(ref)
    stopped = provider.verify(ref, password)
    wrong = provider.verify(ref, Secret("canary-that-is-wrong"))
    assert (stopped.answer, stopped.reason, stopped.names_id) == (Answer.REJECTED, "login_not_permitted", True)
    assert (wrong.answer, wrong.reason, wrong.names_id) == (Answer.REJECTED, "invalid_password", False)


def test_two_roles_take_turns(provider, app):
    ref, _ = app
    first = provider.generate(ref)
    provider.set_secret(first.ref, first.secret, {})
    assert first.public == {"username": f"{ref.owner}_b"}
    provider.revoke(ref)
    second = provider.generate(first.ref)
    provider.set_secret(second.ref, second.secret, {})
    assert second.public == {"username": ref.owner}
    assert provider.siblings(ref) == {first.ref, second.ref}
    assert provider.identify(Leaked(secret=first.secret)) == first.ref


def test_the_second_role_may_do_what_the_first_may(scram, provider, app):
    ref, _ = app
    group, twin = f"{ref.owner}-group", f"{ref.owner}_b"
    name, of = Identifier(ref.owner), Identifier(group)
    scram.run(
        SQL("CREATE ROLE {}").format(of),
        SQL("GRANT {} TO {} WITH ADMIN TRUE").format(of, Identifier(OWN_ROLE)),
        SQL("GRANT {} TO {} WITH ADMIN FALSE, INHERIT FALSE, SET TRUE").format(of, name),
        SQL("ALTER ROLE {} CONNECTION LIMIT 7 VALID UNTIL '2099-01-01'").format(name),
        SQL("ALTER ROLE {} SET search_path = shop, public").format(name),
        SQL("ALTER ROLE {} IN DATABASE postgres SET work_mem = '8MB'").format(name),
    )
    issued = provider.generate(ref)
    provider.set_secret(issued.ref, issued.secret, {})
    member = """select g.rolname, m.admin_option, m.inherit_option, m.set_option from pg_auth_members m
                join pg_roles g on g.oid = m.roleid join pg_roles r on r.oid = m.member where r.rolname = %s"""
    role = "select rolconnlimit, rolvaliduntil, rolinherit, rolcreatedb from pg_roles where rolname = %s"
    config = """select coalesce(d.datname, ''), setconfig from pg_db_role_setting s left join pg_database d
                on d.oid = setdatabase where setrole = %s::regrole order by 1"""
    assert rows(scram, member, ref.owner) == rows(scram, member, twin) == [(group, False, False, True)]
    assert rows(scram, role, ref.owner) == rows(scram, role, twin)
    assert rows(scram, config, f'"{ref.owner}"') == rows(scram, config, f'"{twin}"')
    with scram.connect(twin, issued.secret) as held:
        assert held.execute("show search_path").fetchone() == ("shop, public",)


def test_rights_that_are_the_roles_own_are_not_half_copied(scram, provider, app):
    ref, _ = app
    scram.run(SQL("CREATE TABLE {} (n int)").format(Identifier(f"of-{ref.owner}")))
    scram.run(SQL("GRANT SELECT ON {} TO {}").format(Identifier(f"of-{ref.owner}"), Identifier(ref.owner)))
    issued = provider.generate(ref)
    assert reason_of(lambda: provider.set_secret(issued.ref, issued.secret, {})) == "rights_of_its_own"
    assert rows(scram, "select 1 from pg_roles where rolname = %s", f"{ref.owner}_b") == []


def test_a_role_in_use_is_not_overwritten_and_the_choice_is_spelled_out(scram, provider, app):
    ref, _ = app
    sister, secret = planted(scram, f"{ref.owner}_b", ref.owner)
    issued = provider.generate(ref)
    with pytest.raises(Rejected, match=f"if nobody uses {sister.id}, revoke it") as refusal:
        provider.set_secret(issued.ref, issued.secret, {})
    assert refusal.value.reason == "quota"
    assert provider.verify(sister, secret).answer is Answer.ACCEPTED


def test_what_became_of_a_changed_password_is_absent_and_its_successor_is_left_alone(scram, provider, app):
    ref, _ = app
    changed = Secret("canary-changed-by-another-hand")
    scram.run(SQL("ALTER ROLE {} PASSWORD 'canary-changed-by-another-hand'").format(Identifier(ref.owner)))
    provider.revoke(ref)
    assert provider.inspect(ref).state is State.ABSENT
    assert reason_of(lambda: provider.suspend(ref)) == "not_found"
    assert reason_of(lambda: provider.resume(ref)) == "not_found"
    scram.connect(ref.owner, changed).close()


def test_the_server_never_sees_a_password_of_ours(scram, provider, app):
    ref, _ = app
    issued = provider.generate(ref)
    provider.set_secret(issued.ref, issued.secret, {})
    provider.verify(issued.ref, issued.secret)
    assert f"{ref.owner}_b" in scram.log
    assert issued.secret.reveal() not in scram.log


def test_the_verifier_is_the_one_that_the_server_makes_itself(scram, app):
    ref, password = app
    stored = scram.stored(ref.owner)
    assert stored == verifier(password, tag_of(stored))
    words = Secret("pa\u00a0ss\u00adw\u00f6rt-\u2168")  # what SASLprep changes: a space, a soft hyphen, a roman nine
    scram.run(SQL("ALTER ROLE {} PASSWORD {}").format(Identifier(ref.owner), words.reveal()))
    assert is_of(scram.stored(ref.owner), ref.owner, words)


def test_a_connection_string_is_read_and_a_password_of_two_roles_is_nobodys(scram, provider, app):
    ref, password = app
    url = Secret(f"postgresql://{ref.owner}:{password.reveal()}@db.example/shop")
    assert provider.identify(Leaked(secret=url)) == ref
    assert provider.verify(ref, url).answer is Answer.ACCEPTED
    assert provider.identify(Leaked(id=ref.id)) == ref
    other = f"{ref.owner}-other"
    scram.run(SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(Identifier(other), password.reveal()))
    assert reason_of(lambda: provider.identify(Leaked(secret=password))) == "several_roles"


def test_an_old_hash_is_named_and_its_login_tried(scram, provider, app):
    ref, _ = app
    old = Secret("canary-hashed-the-old-way")
    scram.run(
        "SET password_encryption = 'md5'; "
        + SQL("ALTER ROLE {} PASSWORD {}").format(Identifier(ref.owner), old.reveal()).as_string()
    )
    named = provider.identify(Leaked(secret=old, owner=ref.owner))
    assert len(named.id.rpartition(":")[2]) == 8
    # pg_hba.conf asks for SCRAM, which the old hash cannot answer: refused here, it may open another door.
    refused = provider.verify(named, old)
    assert (refused.answer, refused.names_id) == (Answer.REJECTED, False)
    with ruled(scram, ref.owner, "md5"):
        verdict = until(lambda: provider.verify(named, old), refused.reason)
    assert (verdict.answer, verdict.reason) == (Answer.ACCEPTED, "logged_in")


@contextlib.contextmanager
def ruled(scram, role: str, method: str):
    """Let the role in by another method until the block ends."""
    rules = scram.folder / "data" / "pg_hba.conf"
    before = rules.read_text()
    try:
        rules.write_text(f'host all "{role}" 127.0.0.1/32 {method}\n{before}')
        scram.run("select pg_reload_conf()")
        yield
    finally:
        rules.write_text(before)
        scram.run("select pg_reload_conf()")


def until(knock, not_any_more: str):
    """Knock until the answer is another one: the server reads its rules when a signal arrives."""
    deadline = time.monotonic() + 10
    while (verdict := knock()).reason == not_any_more and time.monotonic() < deadline:
        pass
    return verdict


def test_its_own_role_is_never_stopped(provider):
    own = CredentialRef(KIND, "db", OWN_ROLE, str(provider.own()))
    assert provider.inspect(own).state is State.ACTIVE
    for act in (provider.suspend, provider.revoke, provider.end_sessions):
        assert reason_of(lambda act=act: act(own)) == "own_credential"


def test_another_server_is_told_by_its_system_identifier(scram, app):
    ref, _ = app
    [(identifier,)] = rows(scram, "select system_identifier::text from pg_control_system()")
    right, wrong = connected(scram, account=identifier), connected(scram, account="1")
    assert right.inspect(ref).state is State.ACTIVE
    for act in (wrong.inspect, wrong.siblings, wrong.revoke):
        assert reason_of(lambda act=act: act(ref)) == "not_this_account"


def test_a_role_that_may_not_and_a_dead_password_of_its_own_are_told_apart(scram, app):
    ref, _ = app
    foreign = f"{ref.owner}-foreign"
    scram.run(SQL("CREATE ROLE {} SUPERUSER LOGIN PASSWORD 'x'").format(Identifier(foreign)))
    tag = tag_of(scram.stored(foreign))
    superuser = CredentialRef(KIND, "db", foreign, f"{foreign}:{tag}")
    assert reason_of(lambda: connected(scram).suspend(superuser)) == "permission_denied"
    dead = connected(scram, own=Secret("canary-that-was-never-right"))
    assert reason_of(lambda: dead.inspect(ref)) == "own_credential_refused"


@pytest.mark.parametrize(
    ("method", "reason"),
    [("trust", "no_password_asked"), ("password", "asked_in_clear_text"), ("reject", "sqlstate_28000")],
)
def test_a_server_that_asks_for_no_proof_proves_nothing(scram, provider, app, method, reason):
    ref, password = app
    with ruled(scram, ref.owner, method):
        verdict = until(lambda: provider.verify(ref, password), "logged_in")
    assert (verdict.answer, verdict.reason) == (Answer.INCONCLUSIVE, reason)


def test_each_lost_answer_is_told_truly(scram, provider):
    numbers = iter(range(100))
    again = (lambda port: connected(scram, f"postgresql://127.0.0.1:{port}/postgres")), provider
    assert_a_revocation_is_told_truly(scram.port, *again, lambda: planted(scram, f"lost-{next(numbers)}"))
    assert_a_lost_login_proves_nothing(scram.port, *again, lambda: planted(scram, f"knocked-{next(numbers)}"))


def test_a_server_that_says_nothing_is_given_up(scram, app, monkeypatch):
    ref, password = app
    for module in (postgres, server_login):
        monkeypatch.setattr(module, "CALL_DEADLINE_S", module.CONNECT_TIMEOUT_S + 0.2)
    monkeypatch.setattr(postgres, "CONNECT_TIMEOUT_S", 2.0)
    with silent_server() as port:
        silent = connected(scram, f"postgresql://127.0.0.1:{port}")
        for act in (lambda: silent.verify(ref, password), lambda: silent.revoke(ref)):
            with pytest.raises(Unavailable):
                act()


def test_a_server_without_tls_gets_no_login_when_tls_is_wanted(scram, app):
    ref, password = app
    wants = connected(scram, tls=True)
    for act in (lambda: wants.verify(ref, password), lambda: wants.inspect(ref)):
        with pytest.raises(Unavailable, match="no_encryption"):
            act()


def test_without_times_the_server_says_what_a_role_ever_granted_and_that_nobody_knows_when(scram, provider, app):
    ref, _ = app
    told = provider.minted_since(ref, 0.0)
    assert told.made == ()
    assert told.cannot_tell[0] == "when any was made, as track_commit_timestamp is off on this server"
    groups = [f"{ref.owner}-group-{number}" for number in range(4)]
    for each in groups:
        scram.run(
            SQL("CREATE ROLE {}").format(Identifier(each)),
            SQL("GRANT {} TO {} WITH ADMIN OPTION").format(Identifier(each), Identifier(ref.owner)),
            SQL("GRANT {} TO pg_monitor GRANTED BY {}").format(Identifier(each), Identifier(ref.owner)),
        )
    said = provider.minted_since(ref, 0.0).cannot_tell[0]
    assert said.endswith(
        f"; ever granted by it: {', '.join(f'{each} to pg_monitor' for each in groups[:3])} and 1 more"
    )


def test_with_times_the_server_names_who_granted_and_of_a_role_only_that_it_was_written():
    with scram_postgres(track_commit_timestamp="on") as server:
        ref, _ = planted(server, "app")
        server.run("CREATE ROLE team", "GRANT team TO app WITH ADMIN OPTION")
        since = server.now()
        server.run(
            "CREATE ROLE eve LOGIN PASSWORD 'x'",
            "CREATE ROLE nobody",
            "GRANT team TO eve GRANTED BY app",
            "GRANT pg_monitor TO eve",
        )
        told = connected(server).minted_since(ref, since)
        assert sorted((each.act, each.subject, each.kind, each.sure) for each in told.made) == [
            ("a membership", "pg_monitor to eve", "", False),
            ("a membership", "team to eve", "", True),
            ("a role, made or changed", "eve", KIND, False),
            ("a role, made or changed", "nobody", "", False),
        ]
        assert connected(server).minted_since(ref, server.now()).made == ()
        before = connected(server).minted_since(ref, 0.0)
        assert "app" not in {each.subject for each in before.made}
        assert any("vacuum" in each for each in before.cannot_tell)
