"""What is special about dynamic database logins, tried on a real OpenBao server and a real PostgreSQL."""

from __future__ import annotations

import json
import re

import pytest

from rotator.credential import CredentialRef, Leaked, Secret
from rotator.errors import Rejected, RotatorError
from rotator.ports.abilities import Issuing, SessionEnding
from rotator.ports.connection import Connection
from rotator.ports.provider import Answer, State
from rotator.providers.vault_database_lease import connect
from tests.servers.vault_database import POLICY, VaultDatabase, vault_database
from tests.servers.vault_policies import QUESTION, assert_told_truly, lacking_one

KIND = "vault_database_lease"
CUTS = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{{name}}'; DROP ROLE \"{{name}}\""

LACKING = [each for each in lacking_one(POLICY) if not re.search("static|rotate-role", each[0])]


@pytest.fixture(scope="module")
def servers(tmp_path_factory):
    with vault_database(tmp_path_factory.mktemp("database")) as running:
        yield running


@pytest.fixture(scope="module")
def provider(servers):
    address = servers.bao.address
    return connect(Connection("vault", "vault", endpoint_url=address, credential=lambda: servers.own), KIND)


def planted(servers: VaultDatabase, role: str) -> tuple[CredentialRef, dict[str, str]]:
    lease, login = servers.lease(role)
    return CredentialRef(KIND, "vault", f"database/{role}", lease), login


def reason_of(act) -> str:
    with pytest.raises(RotatorError) as refusal:
        act()
    return refusal.value.reason


def test_it_claims_no_more_than_it_can(provider):
    assert not isinstance(provider, Issuing | SessionEnding)


def test_a_connection_string_names_the_lease_that_was_made_in_that_second(servers, provider):
    servers.role("named")
    servers.role("other")
    ref, login = planted(servers, "named")
    servers.lease("other")
    text = f"postgresql://{login['username']}:{login['password']}@db.example:5432/app"
    assert provider.identify(Leaked(secret=Secret(text))) == ref
    assert provider.identify(Leaked(id=login["username"])) == ref
    assert provider.verify(ref, Secret(text)).answer is Answer.ACCEPTED
    assert provider.verify(ref, Secret(login["password"])).reason == "username_unknown"
    assert reason_of(lambda: provider.identify(Leaked(id="app_user"))) == "unreadable"


def test_two_logins_of_one_second_are_left_to_a_person(servers, provider):
    servers.role("burst")
    logins = [planted(servers, "burst")[1] for _ in range(8)]
    seconds = [login["username"][-10:] for login in logins]
    twice = next(login for login, second in zip(logins, seconds, strict=True) if seconds.count(second) > 1)
    assert reason_of(lambda: provider.identify(Leaked(id=twice["username"]))) == "several_leases"


def test_all_leases_of_a_role_are_revoked_and_no_other_roles(servers, provider):
    servers.role("wholly")
    servers.role("spared")
    leases = [planted(servers, "wholly") for _ in range(3)]
    spared, login = planted(servers, "spared")
    whole = provider.identify(Leaked(id="database/creds/wholly/"))
    assert provider.inspect(whole).facts == {"leases": "3"}
    provider.revoke(whole)
    assert provider.inspect(whole).state is State.ABSENT
    for ref, each in leases:
        assert provider.verify(ref, Secret(json.dumps(each))).answer is Answer.REJECTED
    assert provider.verify(spared, Secret(json.dumps(login))).answer is Answer.ACCEPTED


@pytest.mark.parametrize(("statements", "lives"), [((), True), ((CUTS,), False)])
def test_it_is_said_whether_open_sessions_live_on(servers, provider, statements, lives):
    role = servers.role(f"sessions{lives}".lower(), *statements).rpartition("/")[2]
    ref, login = planted(servers, role)
    with servers.postgres.connect(login["username"], Secret(login["password"])) as session:
        kept = provider.preserve(ref)
        provider.revoke(ref)
        assert kept["sessions"].startswith("open ones live on" if lives else "ended")
        pid = session.info.backend_pid
        with servers.postgres.connect("admin", servers.postgres.admin) as admin:
            found = admin.execute("SELECT 1 FROM pg_stat_activity WHERE pid = %s", [pid]).fetchone()
        assert (found is not None) is lives


def test_a_database_that_cannot_drop_the_user_leaves_the_lease_visibly_open(servers, provider):
    role = servers.role("stuck", "SELECT 1 / 0").rpartition("/")[2]
    ref, login = planted(servers, role)
    with pytest.raises(RotatorError):
        provider.revoke(ref)
    assert provider.inspect(ref).state is State.ACTIVE
    assert provider.verify(ref, Secret(json.dumps(login))).answer is Answer.ACCEPTED


def test_a_lease_under_another_roles_name_is_refused(servers, provider):
    servers.role("mine")
    ref, _ = planted(servers, "mine")
    with pytest.raises(Rejected) as refusal:
        provider.revoke(CredentialRef(KIND, "vault", "database/other", ref.id))
    assert refusal.value.reason == "not_this_account"
    assert provider.inspect(ref).state is State.ACTIVE


@pytest.mark.parametrize("lacking", LACKING, ids=lambda each: each[0].replace("/", "."))
def test_without_one_capability_what_is_refused_is_told_and_the_rest_is_done(servers, lacking):
    servers.bao.write_policy("lacking", lacking[1] + QUESTION)
    own = servers.bao.plant("lacking", no_default_policy=True).token
    narrow = connect(Connection("vault", "vault", endpoint_url=servers.bao.address, credential=lambda: own), KIND)
    servers.role("asked")
    ref, login = planted(servers, "asked")
    gone = ref.with_id(ref.id[:-24] + "A" * 24)
    acts = {
        "look": lambda: (narrow.identify(Leaked(id=ref.id)), narrow.siblings(ref), narrow.inspect(gone)),
        "preserve": lambda: narrow.preserve(ref),
        "verify": lambda: narrow.verify(ref, Secret(json.dumps(login))),
        "revoke": lambda: narrow.revoke(ref),
    }
    assert assert_told_truly(narrow, ref.owner, acts) != {True}
