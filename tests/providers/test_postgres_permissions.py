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
from tests.servers.scram_postgres import OWN_ROLE, scram_postgres


@pytest.fixture(scope="module")
def server():
    with scram_postgres() as running:
        yield running


@pytest.fixture
def provider(server):
    return connected(server)


@pytest.fixture
def app(server):
    return planted(server, f"app-{secrets.token_hex(4)}")


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
def test_what_is_missing_to_make_a_second_role_is_told(server, provider, makes_it_hard, makes_it_easy, needs):
    ref, _ = planted(server, f"app_{secrets.token_hex(4)}")
    server.run(makes_it_hard.format(ref.owner))
    told = refused(provider, "install", ref.owner)
    assert [each.granted for each in told] == [False] * bool(needs)
    assert all(each.needs.startswith(needs.format(ref.owner)) for each in told)
    if needs:
        assert not installs(provider, ref)
    server.run(makes_it_easy.format(ref.owner))
    assert refused(provider, "install", ref.owner) == []
    assert installs(provider, ref)


def test_a_role_that_is_not_administered_can_be_cut_and_not_changed(server, provider, app):
    ref, password = app
    server.run(SQL("REVOKE {} FROM {}").format(Identifier(ref.owner), Identifier(OWN_ROLE)))
    [told] = refused(provider, "suspend", ref.owner)
    assert (told.granted, told.needs) == (False, f"ADMIN option, for {ref.owner}")
    assert reason_of(lambda: provider.suspend(ref)) == "permission_denied"
    assert refused(provider, "end_sessions", ref.owner) == []
    lives = server.session(ref.owner, password)
    assert provider.end_sessions(ref)["sessions_ended"] == "1"
    assert not lives()


def test_a_session_that_may_not_be_ended_is_told_before(server, app):
    ref, password = app
    name = f"changer_{secrets.token_hex(4)}"
    server.run(
        f"CREATE ROLE {name} LOGIN CREATEROLE PASSWORD 'narrow'",
        f"GRANT SELECT ON pg_authid TO {name}",
        SQL("GRANT {} TO {} WITH ADMIN TRUE, INHERIT FALSE, SET FALSE").format(Identifier(ref.owner), Identifier(name)),
    )
    changer = connected(server, own=Secret("narrow"), user=name)
    [told] = refused(changer, "end_sessions", ref.owner)
    assert (told.granted, told.needs) == (False, f"membership in pg_signal_backend, for {ref.owner}")
    lives = server.session(ref.owner, password)
    assert reason_of(lambda: changer.end_sessions(ref)) == "permission_denied"
    assert lives()
    assert refused(changer, "suspend", ref.owner) == []
    changer.suspend(ref)
    server.run(SQL("GRANT {} TO {} WITH INHERIT TRUE").format(Identifier(ref.owner), Identifier(name)))
    assert refused(changer, "end_sessions", ref.owner) == []
    assert changer.end_sessions(ref)["sessions_ended"] == "1"


def test_of_all_roles_some_are_nobodys_to_change_but_a_superusers(server, provider, app):
    for verb in ("suspend", "end_sessions"):
        [told] = refused(provider, verb, None)
        assert told.granted is None
        assert "admin: only a superuser" in told.why
        assert {each.granted for each in refused(provider, verb, "admin")} == {False}
        assert {each.granted for each in refused(provider, verb, OWN_ROLE)} == {False}
    almighty = connected(server, own=server.admin, user="admin")
    assert [each.why for each in almighty.permissions(app[0].owner) if not each.granted] == []
    assert refused(almighty, "suspend", None) == []
    assert {each.granted for each in refused(provider, "revoke", "nobody")} == {None}


def test_a_server_that_takes_no_changes_is_told(server, provider, app):
    server.run(f"ALTER ROLE {OWN_ROLE} SET default_transaction_read_only = on")
    try:
        [told] = refused(provider, "revoke", app[0].owner)
        assert told.why == "it is read-only"
        assert reason_of(lambda: provider.revoke(app[0])) == "read_only_server"
    finally:
        server.run(f"ALTER ROLE {OWN_ROLE} RESET default_transaction_read_only")
