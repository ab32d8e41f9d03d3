"""What PostgreSQL says of the rotator's permissions, each tried on a real server: refused is refused, granted works."""

from __future__ import annotations

import secrets

import pytest
from psycopg.sql import SQL, Identifier

from rotator.credential import CredentialRef, Secret
from rotator.errors import Rejected
from rotator.permissions import Permission
from tests.contracts.cases.postgres_role import connected, planted
from tests.refused import reason_of
from tests.servers.scram_postgres import OWN_ROLE


@pytest.fixture
def provider(scram):
    return connected(scram)


def refused(provider, verb: str, owner: str | None) -> list[Permission]:
    told = [each for each in provider.permissions(owner) if verb in each.verbs]
    return [each for each in told if each.granted is not True]


def installs(provider, ref: CredentialRef) -> bool:
    made = provider.generate(ref)
    try:
        provider.set_secret(made.ref, made.secret, {})
    except Rejected:
        return False
    return True


@pytest.mark.parametrize(
    ("makes_it_hard", "makes_it_easy", "needs"),
    [
        ("CREATE ROLE {0}_group; GRANT {0}_group TO {0}", "GRANT {0}_group TO rotator WITH ADMIN TRUE", "ADMIN option"),
        (
            "ALTER ROLE {0} SET log_statement = 'none'",
            "GRANT SET ON PARAMETER log_statement TO rotator",
            "SET on param",
        ),
        ("ALTER ROLE {0} BYPASSRLS", "ALTER ROLE rotator BYPASSRLS", "BYPASSRLS"),
        ("ALTER ROLE {0} REPLICATION", "ALTER ROLE rotator REPLICATION", "REPLICATION"),
        ("ALTER ROLE {0} CREATEDB", "ALTER ROLE rotator CREATEDB", "CREATEDB"),
        ("CREATE TABLE {0}_t (); ALTER TABLE {0}_t OWNER TO {0}", "DROP TABLE {0}_t", "a role {0}_b, made by hand"),
        ("ALTER ROLE {0} SET search_path = public, pg_temp; ALTER ROLE {0} SET work_mem = '2MB'", "SELECT 1", ""),
    ],
)
def test_what_is_missing_to_make_a_second_role_is_told(scram, provider, makes_it_hard, makes_it_easy, needs):
    ref, _ = planted(scram, f"app_{secrets.token_hex(4)}")
    scram.run(makes_it_hard.format(ref.owner))
    told = refused(provider, "install", ref.owner)
    assert [each.granted for each in told] == [False] * bool(needs)
    assert all(each.needs.startswith(needs.format(ref.owner)) for each in told)
    if needs:
        assert not installs(provider, ref)
    scram.run(makes_it_easy.format(ref.owner))
    assert refused(provider, "install", ref.owner) == []
    assert installs(provider, ref)


def test_a_role_that_is_not_administered_can_be_cut_and_not_changed(scram, provider, app):
    ref, password = app
    scram.run(SQL("REVOKE {} FROM {}").format(Identifier(ref.owner), Identifier(OWN_ROLE)))
    [told] = refused(provider, "suspend", ref.owner)
    assert (told.granted, told.needs) == (False, f"ADMIN option, for {ref.owner}")
    assert reason_of(lambda: provider.suspend(ref)) == "permission_denied"
    assert refused(provider, "end_sessions", ref.owner) == []
    lives = scram.session(ref.owner, password)
    assert provider.end_sessions(ref)["sessions_ended"] == "1"
    assert not lives()


def test_an_admin_option_that_is_not_inherited_grants_no_group(scram, provider):
    ref, _ = planted(scram, f"app_{secrets.token_hex(4)}")
    group, holder = f"{ref.owner}_group", f"{ref.owner}_holder"
    scram.run(
        f"CREATE ROLE {group}",
        f"CREATE ROLE {holder}",
        f"GRANT {group} TO {holder} WITH ADMIN TRUE",
        f"GRANT {group} TO {ref.owner}",
        f"GRANT {holder} TO {OWN_ROLE} WITH INHERIT FALSE, SET TRUE",
    )
    [told] = refused(provider, "install", ref.owner)
    assert told.granted is False
    assert told.why == "it comes through a role that the rotator does not inherit"
    made = provider.generate(ref)
    assert reason_of(lambda: provider.set_secret(made.ref, made.secret, {})) == "permission_denied"
    scram.run(f"GRANT {holder} TO {OWN_ROLE} WITH INHERIT TRUE")
    assert refused(provider, "install", ref.owner) == []
    assert installs(provider, ref)


@pytest.mark.parametrize(
    ("table", "verbs"),
    [
        ("pg_stat_activity", {"look", "install", "suspend", "revoke", "end_sessions"}),
        ("pg_prepared_xacts", {"revoke", "end_sessions"}),
        ("pg_db_role_setting", {"install"}),
        ("pg_auth_members", {"install"}),
        ("pg_shdepend", {"install"}),
    ],
)
def test_a_table_that_was_taken_from_everybody_is_told(scram, provider, app, table, verbs):
    ref, _ = app
    acts = {
        "look": lambda: provider.siblings(ref),
        "install": lambda: provider.set_secret((made := provider.generate(ref)).ref, made.secret, {}),
        "suspend": lambda: provider.suspend(ref),
        "end_sessions": lambda: provider.end_sessions(ref),
        "revoke": lambda: provider.revoke(ref),
    }
    scram.run(f"REVOKE SELECT ON {table} FROM PUBLIC")
    try:
        for verb, act in acts.items():
            told = {each.needs: each.granted for each in refused(provider, verb, ref.owner)}
            assert told == ({f"SELECT on {table}": False} if verb in verbs else {})
            assert verb not in verbs or reason_of(act) == "permission_denied"
    finally:
        scram.run(f"GRANT SELECT ON {table} TO PUBLIC")
    assert [each for verb in acts for each in refused(provider, verb, ref.owner)] == []


def test_of_two_roles_what_holds_of_one_alone_is_left_open(scram, provider, app):
    ref, _ = app
    scram.run(SQL("CREATE ROLE {}").format(Identifier(f"{ref.owner}_b")))
    [told] = refused(provider, "revoke", ref.owner)
    assert (told.granted, told.why) == (None, f"for one of the two alone: not for {ref.owner}_b: no ADMIN option on it")
    provider.revoke(ref)


def test_a_second_role_is_made_without_a_right_to_the_first(scram, provider, app):
    ref, _ = app
    scram.run(SQL("REVOKE {} FROM {}").format(Identifier(ref.owner), Identifier(OWN_ROLE)))
    assert refused(provider, "install", ref.owner) == []
    assert installs(provider, ref)


def test_two_roles_that_have_passwords_leave_no_place_for_another(scram, provider, app):
    ref, _ = app
    planted(scram, f"{ref.owner}_b")
    [told] = refused(provider, "install", ref.owner)
    assert (told.granted, told.needs) == (None, f"{ref.owner} or {ref.owner}_b without a password")
    assert not installs(provider, ref)


def test_a_session_that_may_not_be_ended_is_told_before(scram, app):
    ref, password = app
    name = f"changer_{secrets.token_hex(4)}"
    scram.run(
        f"CREATE ROLE {name} LOGIN CREATEROLE PASSWORD 'narrow'",
        f"GRANT SELECT ON pg_authid TO {name}",
        SQL("GRANT {} TO {} WITH ADMIN TRUE, INHERIT FALSE, SET FALSE").format(Identifier(ref.owner), Identifier(name)),
    )
    changer = connected(scram, own=Secret("narrow"), user=name)
    [told] = refused(changer, "end_sessions", ref.owner)
    assert (told.granted, told.needs) == (False, f"membership in pg_signal_backend, for {ref.owner}")
    lives = scram.session(ref.owner, password)
    assert reason_of(lambda: changer.end_sessions(ref)) == "permission_denied"
    assert lives()
    assert refused(changer, "suspend", ref.owner) == []
    changer.suspend(ref)
    scram.run(SQL("GRANT {} TO {} WITH INHERIT TRUE").format(Identifier(ref.owner), Identifier(name)))
    assert refused(changer, "end_sessions", ref.owner) == []
    assert changer.end_sessions(ref)["sessions_ended"] == "1"


def test_of_all_roles_some_are_nobodys_to_change_but_a_superusers(scram, provider, app):
    for verb in ("suspend", "end_sessions"):
        [told] = refused(provider, verb, None)
        assert told.granted is None
        assert "admin: only a superuser" in told.why
        assert {each.granted for each in refused(provider, verb, "admin")} == {False}
        assert {each.granted for each in refused(provider, verb, OWN_ROLE)} == {False}
    almighty = connected(scram, own=scram.admin, user="admin")
    assert [each.why for each in almighty.permissions(app[0].owner) if not each.granted] == []
    assert refused(almighty, "suspend", None) == []
    assert {each.granted for each in refused(provider, "revoke", "nobody")} == {None}


def test_a_server_that_takes_no_changes_is_told(scram, provider, app):
    scram.run(f"ALTER ROLE {OWN_ROLE} SET default_transaction_read_only = on")
    try:
        [told] = refused(provider, "revoke", app[0].owner)
        assert told.why == "it is read-only"
        assert reason_of(lambda: provider.revoke(app[0])) == "read_only_server"
    finally:
        scram.run(f"ALTER ROLE {OWN_ROLE} RESET default_transaction_read_only")
