"""A password becomes logins of an hour with the same rights, on a real OpenBao and a real MariaDB; then it dies."""

from __future__ import annotations

import contextlib
from types import SimpleNamespace

import pymysql
import pytest
import requests
from sqlalchemy import select

from rotator import converting
from rotator.credential import Secret
from rotator.errors import BadInput, Rejected, Unavailable
from rotator.families.mysql import MariaDb
from rotator.families.mysql_grants import grants_of
from rotator.families.mysql_knock import stored
from rotator.ledger import conversions, tables
from rotator.ports.provider import Answer
from rotator.practice.openbao import openbao
from tests.contracts.cases.mariadb_user import KIND, ref_of
from tests.conversions.connected import connected
from tests.conversions.killed import Dying
from tests.conversions.test_postgres_role import POLICY
from tests.servers.mariadb import OWN_USER, mariadb

CONFIGURED = {"plugin_name": "mysql-database-plugin", "allowed_roles": "*", "username": "engine", "password": "e-n-g"}


@pytest.fixture(scope="module")
def servers(tmp_path_factory):
    with mariadb() as db, openbao(tmp_path_factory.mktemp("bao")) as bao:
        db.run("CREATE DATABASE shop")
        db.run("CREATE TABLE shop.orders (number int, note text)")
        db.run("CREATE ROLE clerk")
        db.run("GRANT DELETE ON shop.orders TO clerk")
        db.run("GRANT SELECT ON mysql.* TO rotator@'%'")
        db.run("CREATE USER engine@'%' IDENTIFIED BY 'e-n-g'")
        db.run("GRANT ALL ON *.* TO engine@'%' WITH GRANT OPTION")
        db.run("GRANT clerk TO engine@'%' WITH ADMIN OPTION")
        bao.call("POST", "sys/mounts/database", {"type": "database"})
        address = f"{{{{username}}}}:{{{{password}}}}@tcp(127.0.0.1:{db.port})/"
        bao.call("POST", "database/config/maria", {**CONFIGURED, "connection_url": address})
        bao.write_policy("converts", POLICY)
        yield SimpleNamespace(db=db, bao=bao)


@pytest.fixture
def parts(servers, tmp_path):
    with connected(tmp_path, servers.bao, "mysql", servers.db.url, OWN_USER, servers.db.own) as found:
        yield found


def accounts(servers, name="%"):
    return servers.db.run("SELECT User, Host FROM mysql.global_priv WHERE User LIKE %s", name)


def asked(name, **more):
    return {"through": "vault", "into": f"database/{name}-short", "database": "maria", **more}


def grants(parts, name, host="%"):
    with MariaDb(parts.settings.connection("db")).session() as session:
        return grants_of(session, name, host)


def test_what_takes_its_place_has_all_that_it_has_and_the_old_password_is_proven_dead(servers, parts):
    password = servers.db.plant("app")
    ref = ref_of("app@%", password)
    servers.db.run("ALTER USER app@'%' WITH MAX_USER_CONNECTIONS 4 MAX_STATEMENT_TIME 2.5")
    servers.db.run("GRANT PROCESS ON *.* TO app@'%' WITH GRANT OPTION")
    servers.db.run("GRANT SELECT (number), INSERT (number, note) ON shop.orders TO app@'%'")
    servers.db.run("GRANT clerk TO app@'%' WITH ADMIN OPTION")
    servers.db.run("SET DEFAULT ROLE clerk FOR app@'%'")
    made, again = (converting.prepare(parts, KIND, ref.id, "db", asked("app"), "ana") for _ in range(2))
    assert again["facts"]["tried"] == "not now: the role was there before, and its logins may be in use"
    assert made["facts"]["tried"] == "a login had the same rights; and came in"
    assert made["facts"]["revoked"].startswith("and is gone: ")
    assert conversions.unfinished(parts.database) == []
    with parts.database.read() as connection:
        bodies = " ".join(connection.execute(select(tables.evidence.c.body)).scalars())
    assert "GRANT PROCESS" in bodies
    assert stored(password) not in bodies
    login = servers.bao.call("GET", "database/creds/app-short")
    user, secret = login["data"]["username"], Secret(login["data"]["password"])
    assert grants(parts, user) == grants(parts, "app")
    assert len(grants(parts, user).rights) == 3
    with contextlib.closing(servers.db.connect(user, secret)) as line, line.cursor() as cursor:
        cursor.execute("INSERT INTO shop.orders (number) VALUES (1)")
        cursor.execute("DELETE FROM shop.orders")  # by the default role alone
        cursor.execute("SELECT @@max_user_connections, @@max_statement_time")
        assert cursor.fetchone() == (4, 2.5)
        with pytest.raises(pymysql.OperationalError):
            cursor.execute("SELECT note FROM shop.orders")
    provider = parts.outside.provider_of(KIND, "db")
    assert provider.verify(ref, password).answer is Answer.ACCEPTED
    provider.revoke(ref)
    provider.end_sessions(ref)
    assert provider.verify(ref, password).answer is Answer.REJECTED
    lives = servers.db.session(user, secret)
    assert lives(), "who has the short one goes on"
    servers.bao.call("POST", "sys/leases/revoke", {"lease_id": login["lease_id"], "sync": True})
    assert not lives(), "a revoked login's connections are closed"


def test_what_it_would_define_is_told_before_anything_is_made(servers, parts):
    ref = ref_of("maker@%", servers.db.plant("maker"))
    servers.db.run("GRANT SELECT, CREATE VIEW ON shop.* TO maker@'%'")
    with pytest.raises(BadInput, match=r"would lose definer .*--with without=definer"):
        converting.prepare(parts, KIND, ref.id, "db", asked("maker"), "ana")
    with pytest.raises(requests.HTTPError):
        servers.bao.call("GET", "database/roles/maker-short")
    made = converting.prepare(parts, KIND, ref.id, "db", asked("maker", without="definer"), "ana")
    assert made["facts"]["without"] == "definer"


def test_one_for_other_hosts_asks_the_same_of_its_connection_and_is_seen_without_a_login_from_here(servers, parts):
    ref = ref_of("far@10.0.0.%", servers.db.plant("far", "10.0.0.%"))
    servers.db.run("ALTER USER far@'10.0.0.%' REQUIRE ISSUER 'it''s ours' AND SUBJECT '/CN=far'")
    made = converting.prepare(parts, KIND, ref.id, "db", asked("far"), "ana")
    assert "was not let in from here" in made["facts"]["tried"]
    login = servers.bao.call("GET", "database/creds/far-short")["data"]
    assert "REQUIRE SUBJECT '/CN=far' AND ISSUER 'it''s ours'" in grants(parts, login["username"], "10.0.0.%").ways
    assert grants(parts, login["username"], "10.0.0.%") == grants(parts, "far", "10.0.0.%")


def test_an_engine_that_may_not_grant_it_leaves_nothing_behind(servers, parts):
    ref = ref_of("rich@%", servers.db.plant("rich"))
    servers.db.run("CREATE ROLE IF NOT EXISTS treasurer")
    servers.db.run("GRANT treasurer TO rich@'%'")
    before = accounts(servers)
    with pytest.raises(Unavailable, match="may the engine's own user grant all of it"):
        converting.prepare(parts, KIND, ref.id, "db", asked("rich"), "ana")
    assert accounts(servers) == before, "no account that was made by half"
    with pytest.raises(requests.HTTPError):
        servers.bao.call("GET", "database/roles/rich-short")
    assert conversions.unfinished(parts.database) == []


def test_who_is_killed_with_a_login_in_his_hand_leaves_no_account(servers, parts, monkeypatch):
    ref = ref_of("cut@%", servers.db.plant("cut"))
    noted = [conversions.BEGUN, conversions.INTENDED, conversions.TRIED]
    dying = Dying(monkeypatch, [(conversions, "_note")])
    assert dying.behind(len(noted), lambda: converting.prepare(parts, KIND, ref.id, "db", asked("cut"), "ana"))
    [left] = conversions.unfinished(parts.database)
    login = left.things[-1]
    assert accounts(servers, login["user"]) == [(login["user"], "%")]
    assert {each["left"] for each in converting.undo(parts, KIND, ref.id, "db", "eva")} == {""}
    assert (accounts(servers, login["user"]), conversions.unfinished(parts.database)) == ([], [])


@pytest.mark.parametrize("name", ["semi;colon", "bra{{ce"])
def test_a_name_that_the_engine_would_read_as_something_else_is_left_to_a_person(servers, parts, name):
    ref = ref_of(f"odd-{name[:3]}@%", servers.db.plant(f"odd-{name[:3]}"))
    servers.db.run(f"CREATE DATABASE `{name}`")
    servers.db.run(f"GRANT SELECT ON `{name}`.* TO %s@'%%'", f"odd-{name[:3]}")
    with pytest.raises(Rejected, match="by hand"):
        converting.prepare(parts, KIND, ref.id, "db", asked("odd"), "ana")
