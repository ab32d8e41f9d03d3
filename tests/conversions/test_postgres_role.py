"""A password becomes logins of an hour that may do the same, on a real OpenBao and a real PostgreSQL; then it dies."""

from __future__ import annotations

import itertools
import json

import pytest
from sqlalchemy import select

from rotator import converting
from rotator.credential import Secret
from rotator.errors import BadInput, Rejected, RotatorError
from rotator.examining.conversions import conversions as doctor
from rotator.ledger import conversions, service, tables
from rotator.ports.provider import Answer
from tests.contracts.cases.postgres_role import KIND, planted
from tests.conversions.connected import connected
from tests.servers.scram_postgres import OWN_ROLE
from tests.servers.vault_database import vault_database

INTO = {"through": "vault", "into": "database/app-short", "database": "pg"}
NUMBERS = itertools.count()
POLICY = """
path "database/roles/+"   { capabilities = ["create", "read", "update", "delete"] }
path "database/creds/+"   { capabilities = ["read"] }
path "database/config/+"  { capabilities = ["read"] }
path "sys/leases/revoke"  { capabilities = ["update"] }
"""


@pytest.fixture(scope="module")
def servers(tmp_path_factory):
    with vault_database(tmp_path_factory.mktemp("database")) as running:
        running.bao.write_policy("converts", POLICY)
        yield running


@pytest.fixture
def parts(servers, tmp_path):
    with connected(tmp_path, servers.bao, "postgres", servers.postgres.url, OWN_ROLE, servers.postgres.own) as found:
        yield found


def told(parts):
    query = select(tables.evidence.c.body).where(tables.evidence.c.chain == service.CHAIN)
    with parts.database.read() as connection:
        return [json.loads(each) for each in connection.execute(query.order_by(tables.evidence.c.seq)).scalars()]


def refusal(act) -> RotatorError:
    with pytest.raises(Rejected) as caught:
        act()
    return caught.value


def test_what_takes_its_place_may_do_the_same_and_the_old_password_is_proven_dead(servers, parts):
    ref, password = planted(servers.postgres, "app")
    servers.postgres.run("CREATE SCHEMA shop AUTHORIZATION app", "CREATE TABLE shop.orders (number int)")
    servers.postgres.run("ALTER TABLE shop.orders OWNER TO app")
    for _ in range(2):  # who was cut off does it again
        made = converting.prepare(parts, KIND, ref.id, "db", INTO, "ana")
    assert made["facts"]["consumers_read"] == "vault:database/creds/app-short"
    assert made["facts"]["revoked"] == "and was refused then: password_authentication_failed"
    began = [conversions.BEGUN, conversions.INTENDED, conversions.PREPARED]
    assert [each["act"] for each in told(parts)] == [*began, conversions.BEGUN, conversions.PREPARED]
    _, login = servers.lease("app-short")
    assert login["password"] not in json.dumps(told(parts))
    with servers.postgres.connect(login["username"], Secret(login["password"])) as line:
        line.execute("INSERT INTO shop.orders VALUES (1)")
        line.execute("CREATE TABLE shop.more (number int)")
        owner = line.execute("SELECT tableowner FROM pg_tables WHERE tablename = 'more'").fetchone()
    assert owner == ("app",)
    provider = parts.outside.provider_of(KIND, "db")
    assert provider.verify(ref, password).answer is Answer.ACCEPTED
    provider.suspend(ref)
    provider.end_sessions(ref)
    assert provider.verify(ref, password).answer is Answer.REJECTED
    provider.revoke(ref)
    with servers.postgres.connect(login["username"], Secret(login["password"])) as line:
        assert line.execute("SELECT count(*) FROM shop.orders").fetchone() == (1,)


def test_what_only_who_logs_in_has_is_given_to_each_login(servers, parts):
    ref, _ = planted(servers.postgres, "tuned")
    servers.postgres.run("CREATE SCHEMA shop2 AUTHORIZATION tuned", 'CREATE SCHEMA "odd, \'name" AUTHORIZATION tuned')
    for each in (
        "CONNECTION LIMIT 7",
        """SET search_path TO shop2, "odd, 'name", public""",
        "SET application_name TO 'it''s ours'",
        "IN DATABASE postgres SET statement_timeout TO '7s'",
    ):
        servers.postgres.run(f"ALTER ROLE tuned {each}")
    asked = {**INTO, "into": "database/tuned-short"}
    made = converting.prepare(parts, KIND, ref.id, "db", asked, "ana")
    assert "search_path" in made["facts"]["given"]
    _, login = servers.lease("tuned-short")
    with servers.postgres.connect(login["username"], Secret(login["password"])) as line:
        shown = [
            line.execute(f"SHOW {name}").fetchone()[0]
            for name in ("search_path", "application_name", "statement_timeout")
        ]
        limit = line.execute("SELECT rolconnlimit FROM pg_roles WHERE rolname = session_user").fetchone()
    assert (shown, limit) == (["""shop2, "odd, 'name", public""", "it's ours", "7s"], (7,))


def test_what_would_be_lost_is_told_before_anything_is_made_and_lost_only_if_somebody_says_so(servers, parts):
    ref, _ = planted(servers.postgres, "copies")
    servers.postgres.run("ALTER ROLE copies REPLICATION", "ALTER ROLE copies SET application_name TO 'a;b'")
    asked = {**INTO, "into": "database/copies-short"}
    with pytest.raises(BadInput, match=r"lose application_name .*; replication .*without=application_name,replication"):
        converting.prepare(parts, KIND, ref.id, "db", asked, "ana")
    assert [each["act"] for each in told(parts)] == [conversions.BEGUN]
    asked["without"] = "application_name,replication"
    made = converting.prepare(parts, KIND, ref.id, "db", asked, "ana")
    assert made["facts"]["without"] == "application_name, replication"


def test_who_is_refused_half_way_takes_back_what_he_made_and_says_what_he_could_not(servers, parts, tmp_path):
    ref, _ = planted(servers.postgres, "half")
    servers.postgres.run("ALTER ROLE half CONNECTION LIMIT 0")
    asked = {**INTO, "into": "database/half-short"}  # whose logins nobody lets in
    assert refusal(lambda: converting.prepare(parts, KIND, ref.id, "db", asked, "ana")).reason == "login_refused"
    assert [each["act"] for each in told(parts)] == [conversions.BEGUN, conversions.INTENDED, conversions.UNDONE]
    assert "half-short" not in servers.bao.call("LIST", "database/roles")["data"]["keys"]
    assert conversions.unfinished(parts.database) == []
    servers.bao.write_policy("keeps", POLICY.replace(', "delete"', ""))
    (tmp_path / "bao").write_text(servers.bao.plant("keeps").token.reveal())
    error = refusal(lambda: converting.prepare(parts, KIND, ref.id, "db", asked, "ana"))
    assert "left behind: vault:database/roles/half-short (permission_denied" in str(error)
    [left] = conversions.unfinished(parts.database)
    assert (left.id, [each["what"] for each in left.things]) == (ref.id, ["vault:database/roles/half-short"])
    [said] = doctor(parts, "rotator")
    assert "never ended" in said.what
    assert "half-short" in said.what
    (tmp_path / "bao").write_text(servers.bao.plant("converts").token.reveal())
    assert converting.undo(parts, KIND, ref.id, "db", "eva") == [{"what": left.things[0]["what"], "left": ""}]
    assert (conversions.unfinished(parts.database), list(doctor(parts, "rotator"))) == ([], [])
    with pytest.raises(BadInput, match="no conversion of it was begun"):
        converting.undo(parts, KIND, ref.id, "db", "eva")


def test_a_role_that_is_there_and_is_another_is_left_as_it_is(servers, parts):
    ref, _ = planted(servers.postgres, "web")
    servers.role("web-short")
    asked = {**INTO, "into": "database/web-short"}
    assert refusal(lambda: converting.prepare(parts, KIND, ref.id, "db", asked, "ana")).reason == "another_role"
    assert [each["act"] for each in told(parts)] == [conversions.BEGUN]


def test_a_role_whose_logins_were_made_to_live_longer_is_another(servers, parts):
    ref, _ = planted(servers.postgres, "long")
    asked = {**INTO, "into": "database/long-short"}
    converting.prepare(parts, KIND, ref.id, "db", asked, "ana")
    made = servers.bao.call("GET", "database/roles/long-short")["data"]
    servers.bao.call("POST", "database/roles/long-short", {**made, "max_ttl": "720h"})
    error = refusal(lambda: converting.prepare(parts, KIND, ref.id, "db", asked, "ana"))
    assert (error.reason, "another max_ttl" in str(error)) == ("another_role", True)


def test_a_role_that_our_own_token_may_not_look_at_is_not_written_over(servers, parts, tmp_path):
    ref, _ = planted(servers.postgres, "dark")
    servers.role("dark-short")
    servers.bao.write_policy("blind", 'path "database/roles/+" { capabilities = ["create", "update"] }')
    (tmp_path / "bao").write_text(servers.bao.plant("blind").token.reveal())
    asked, before = (
        {**INTO, "into": "database/dark-short"},
        servers.bao.call("GET", "database/roles/dark-short")["data"],
    )
    refusal(lambda: converting.prepare(parts, KIND, ref.id, "db", asked, "ana"))
    assert servers.bao.call("GET", "database/roles/dark-short")["data"] == before


@pytest.mark.parametrize(
    ("kind", "asked", "what"),
    [
        ("redis_acl_user", INTO, "its moves are a person's"),
        ("acme_api_token", INTO, "nobody knows of a short-lived way"),
        (KIND, {"into": "database/x"}, r"say through \(the connection of the Vault or OpenBao\); database \("),
        (KIND, {**INTO, "databas": "pg"}, "did you mean `database`"),
        (KIND, {**INTO, "through": "db"}, "a connection of vault is wanted"),
        (KIND, {**INTO, "database": "postgresql://app:kept-nowhere@db/app"}, "a secret seems to stand in it"),
    ],
)
def test_what_is_missing_or_wrong_is_one_line_and_nothing_is_made(servers, parts, kind, asked, what):
    name = planted(servers.postgres, f"r{next(NUMBERS)}")[0].id
    with pytest.raises(BadInput, match=what):
        converting.prepare(parts, kind, name, "db", asked, "ana")
    assert conversions.PREPARED not in {each["act"] for each in told(parts)}
    assert "kept-nowhere" not in json.dumps(told(parts))
