"""What is special about static database roles, tried on a real OpenBao server and a real PostgreSQL."""

from __future__ import annotations

import re

import psycopg
import pytest

from rotator.credential import Leaked, Secret
from rotator.ports.abilities import Issuing
from rotator.ports.connection import Connection
from rotator.ports.provider import Answer, State
from rotator.providers.vault_database_static_role import connect
from tests.fakes.fault_proxy import fault_proxy
from tests.refused import reason_of
from tests.servers.vault_database import POLICY, vault_database
from tests.servers.vault_policies import assert_told_truly, lacking_one

KIND = "vault_database_static_role"
LACKING = [each for each in lacking_one(POLICY) if re.search("static|rotate-role|config|mounts", each[0])]


@pytest.fixture(scope="module")
def servers(tmp_path_factory):
    with vault_database(tmp_path_factory.mktemp("database")) as running:
        yield running


@pytest.fixture
def proxy(servers):
    with fault_proxy(servers.bao.address) as standing:
        yield standing


@pytest.fixture
def provider(servers, proxy):
    return connect(Connection("vault", "vault", endpoint_url=proxy.address, credential=lambda: servers.own), KIND)


def test_the_new_password_is_the_servers_and_nothing_is_issued_here(provider):
    assert not isinstance(provider, Issuing)


def test_a_password_is_named_without_being_sent_anywhere(servers, provider, proxy):
    login = servers.static("found")
    ref = provider.identify(Leaked(secret=Secret(login["password"])))
    assert ref.owner == "database/found"
    assert provider.identify(Leaked(id="found")) == ref
    string = f"postgresql://found:{login['password']}@db.example/app"
    assert provider.identify(Leaked(secret=Secret(string))) == ref
    assert not [call for call in proxy.calls if not call.startswith(("GET", "LIST"))]


def test_a_password_that_was_set_anew_since_is_not_known_and_stays_dead(servers, provider):
    login = servers.static("aged")
    ref = provider.identify(Leaked(owner="database/aged", secret=Secret(login["password"])))
    servers.bao.call("POST", "database/rotate-role/aged", {})
    now = servers.handed_out("aged")
    assert reason_of(lambda: provider.identify(Leaked(secret=Secret(login["password"])))) == "unknown_credential"
    assert provider.inspect(ref).state is State.ABSENT
    provider.revoke(ref)
    assert servers.handed_out("aged") == {**now, "ttl": servers.handed_out("aged")["ttl"]}
    assert provider.verify(ref, Secret(login["password"])).answer is Answer.REJECTED
    verdict = provider.verify(ref, Secret(now["password"]))
    assert (verdict.answer, verdict.mismatch) == (Answer.INCONCLUSIVE, True)


def test_sessions_that_the_old_password_opened_are_ended_and_no_other_users(servers, provider):
    login, other = servers.static("cut"), servers.static("spared")
    ref = provider.identify(Leaked(secret=Secret(login["password"])))
    session = servers.postgres.connect("cut", Secret(login["password"]))
    with servers.postgres.connect("spared", Secret(other["password"])) as spared:
        provider.revoke(ref)
        assert session.execute("SELECT 1").fetchone() == (1,)
        assert provider.end_sessions(ref)["sessions_cut"] == "1"
        with pytest.raises(psycopg.OperationalError):
            session.execute("SELECT 1")
        assert spared.execute("SELECT 1").fetchone() == (1,)
    session.close()
    assert provider.end_sessions(ref)["sessions_cut"] == "0"


def test_a_user_that_may_not_log_in_is_refused_in_other_words(servers, provider):
    login = servers.static("locked")
    ref = provider.identify(Leaked(secret=Secret(login["password"])))
    servers.postgres.run("ALTER ROLE locked NOLOGIN")
    verdict = provider.verify(ref, Secret(login["password"]))
    assert (verdict.answer, verdict.reason) == (Answer.REJECTED, "not_permitted_to_log_in")


def test_a_server_that_speaks_another_language_or_lets_nobody_in_proves_nothing(servers, provider):
    login = servers.static("elsewhere")
    ref = provider.identify(Leaked(secret=Secret(login["password"])))
    servers.postgres.run("ALTER ROLE elsewhere CONNECTION LIMIT 0")
    verdict = provider.verify(ref, Secret(login["password"]))
    assert (verdict.answer, verdict.reason) == (Answer.INCONCLUSIVE, "refused_for_another_reason")


@pytest.mark.parametrize("lacking", LACKING, ids=lambda each: each[0].replace("/", "."))
def test_without_one_capability_what_is_refused_is_told_and_the_rest_is_done(servers, lacking):
    servers.bao.write_policy("lacking", lacking[1])
    own = servers.bao.plant("lacking").token
    narrow = connect(Connection("vault", "vault", endpoint_url=servers.bao.address, credential=lambda: own), KIND)
    wide = connect(Connection("vault", "vault", endpoint_url=servers.bao.address, credential=lambda: servers.own), KIND)
    password = Secret(servers.static(f"asked{next(servers.numbers)}")["password"])
    ref = wide.identify(Leaked(secret=password))
    acts = {
        "look": lambda: (narrow.identify(Leaked(secret=password, owner=ref.owner)), narrow.inspect(ref)),
        "preserve": lambda: narrow.preserve(ref),
        "verify": lambda: narrow.verify(ref, password),
        "end_sessions": lambda: narrow.end_sessions(ref),
        "revoke": lambda: narrow.revoke(ref),
    }
    assert assert_told_truly(narrow, ref.owner, acts) != {True}
