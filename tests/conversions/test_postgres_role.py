"""A password becomes logins of an hour that may do the same, on a real OpenBao and a real PostgreSQL; then it dies."""

from __future__ import annotations

import contextlib
import itertools
import json

import psycopg
import pytest
import requests
from sqlalchemy import select

from rotator import converting
from rotator.credential import Secret
from rotator.errors import BadInput, Rejected, RotatorError, Uncertain
from rotator.examining.conversions import conversions as doctor
from rotator.families.vault import Vault
from rotator.families.vault_database import Database
from rotator.ledger import conversions, service, tables
from rotator.ports.provider import Answer
from tests.contracts.cases.postgres_role import KIND, planted
from tests.conversions.connected import connected
from tests.conversions.killed import Dying
from tests.servers.scram_postgres import OWN_ROLE
from tests.servers.vault_database import vault_database

INTO = {"through": "vault", "into": "database/app-short", "database": "pg"}
NUMBERS = itertools.count()
POLICY = """
path "database/roles/+"   { capabilities = ["create", "read", "update", "delete"] }
path "database/creds/+"   { capabilities = ["read"] }
path "database/config/+"  { capabilities = ["read"] }
path "sys/leases/revoke"  { capabilities = ["update"] }
path "sys/leases/lookup/database/creds/*" { capabilities = ["list", "sudo"] }
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


def logins(servers, owner):
    """Return the logins that may act as a role."""
    with servers.postgres.connect("admin", servers.postgres.admin) as admin:
        query = "SELECT m.member::regrole::text FROM pg_auth_members m WHERE m.roleid = %s::regrole"
        return [row[0] for row in admin.execute(query, [owner]).fetchall() if row[0].startswith('"v-')]


def listed(servers, path):
    try:
        return servers.bao.call("LIST", path)["data"]["keys"]
    except requests.HTTPError:
        return []


def refusal(act) -> RotatorError:
    with pytest.raises(Rejected) as caught:
        act()
    return caught.value


def test_what_takes_its_place_may_do_the_same_and_the_old_password_is_proven_dead(servers, parts):
    ref, password = planted(servers.postgres, "app")
    servers.postgres.run("CREATE SCHEMA shop AUTHORIZATION app", "CREATE TABLE shop.orders (number int)")
    servers.postgres.run("ALTER TABLE shop.orders OWNER TO app")
    made, again = (converting.prepare(parts, KIND, ref.id, "db", INTO, "ana") for _ in range(2))
    assert again["facts"]["tried"] == "not now: the role was there before, and its logins may be in use"
    assert {**again["facts"], **made["facts"]} == made["facts"]
    assert made["facts"]["consumers_read"] == "vault:database/creds/app-short"
    assert made["facts"]["revoked"] == "and was refused then: password_authentication_failed"
    began = [conversions.BEGUN, conversions.INTENDED, conversions.TRIED, conversions.PREPARED]
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
    acts = [conversions.BEGUN, conversions.INTENDED, conversions.TRIED, conversions.UNDONE]
    assert [each["act"] for each in told(parts)] == acts
    assert logins(servers, "half") == []
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


CALLS = [(Vault, "_send"), (conversions, "_note"), (Database, "acts_as"), (Database, "knock")]


class Killable:
    """A conversion of a role of its own, whose process may die."""

    def __init__(self, servers, parts, name):
        self.servers, self.parts, self.name = servers, parts, name
        self.ref, _ = planted(servers.postgres, name)
        self.asked = {**INTO, "into": f"database/{name}-short"}

    def prepare(self):
        return converting.prepare(self.parts, KIND, self.ref.id, "db", self.asked, "ana")

    def undo(self):
        return converting.undo(self.parts, KIND, self.ref.id, "db", "eva")

    def things(self):
        """Return what may be there, by the ledger: what it is called, and its sort."""
        found = [each for each in conversions.unfinished(self.parts.database) if each.id == self.ref.id]
        return {each["what"]: each.get("sort", "role") for one in found for each in one.things}

    def is_there(self):
        return f"{self.name}-short" in listed(self.servers, "database/roles")

    def logins(self):
        return listed(self.servers, f"sys/leases/lookup/database/creds/{self.name}-short") + logins(
            self.servers, self.name
        )


def test_who_is_killed_behind_any_call_is_carried_on_or_taken_back_and_no_login_lives(
    servers, parts, monkeypatch, by_then
):
    dying = Dying(monkeypatch, CALLS)
    seen = set()
    for number in itertools.count(4):  # before that it only looks
        one = Killable(servers, parts, f"killed_{number}")
        if not dying.behind(number, one.prepare):
            break
        known = frozenset(one.things().values())
        seen.add(known)
        assert "role" in known or known == set() == set(one.logins()), "nothing is there that nobody knows of"
        assert {"trial", "login"} & known or one.logins() == []
        goes_on = number % 2 or not known
        settle = one.prepare if goes_on else one.undo
        if "trial" in known and one.logins() == []:
            with pytest.raises(Uncertain, match="unsettled") if goes_on else contextlib.nullcontext():
                settle()
            assert "trial" in one.things().values(), "it may be on its way"
            by_then()
        settle()
        assert (one.things(), one.logins(), one.is_there()) == ({}, [], bool(goes_on))
    assert seen == {frozenset(), frozenset({"role", "trial"}), frozenset({"role", "login"})}


def test_a_login_that_lands_after_its_asker_died_is_found_by_its_lease_and_ended(servers, parts, monkeypatch):
    one = Killable(servers, parts, "lands")
    plain = Vault.obtain
    monkeypatch.setattr(Vault, "obtain", lambda *_: (_ for _ in ()).throw(Uncertain("timed_out")))
    with pytest.raises(Uncertain, match="timed_out"):
        one.prepare()
    assert set(one.things().values()) == {"role", "trial"}
    monkeypatch.setattr(Vault, "obtain", plain)
    with pytest.raises(Uncertain, match="it is not there, and may come until"):
        one.prepare()
    _, login = servers.lease("lands-short")
    assert one.prepare()["facts"]["tried"] == "a login acted as the role"
    assert (one.things(), one.logins()) == ({}, [])
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        servers.postgres.connect(login["username"], Secret(login["password"]))


def test_logins_that_live_still_under_the_name_of_an_earlier_role_are_left_alone(servers, parts):
    one = Killable(servers, parts, "earlier")
    servers.role("earlier-short")
    _, login = servers.lease("earlier-short")
    servers.bao.call("DELETE", "database/roles/earlier-short")
    assert "live still" in str(refusal(one.prepare))
    assert (one.things(), one.is_there()) == ({}, False)
    servers.postgres.connect(login["username"], Secret(login["password"])).close()


def test_where_a_lost_login_would_not_be_found_nothing_is_made(servers, parts, tmp_path):
    one = Killable(servers, parts, "unlisted")
    servers.bao.write_policy("unlisted", POLICY.replace(', "sudo"', ""))
    (tmp_path / "bao").write_text(servers.bao.plant("unlisted").token.reveal())
    assert "without list and sudo on sys/leases/lookup/database/creds/unlisted-short" in str(refusal(one.prepare))
    assert (one.things(), one.is_there()) == ({}, False)


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
