"""What is special about passwords in an LDAP directory, tried on a real OpenLDAP server."""

from __future__ import annotations

import hashlib
import secrets
from base64 import b64encode

import ldap3
import pytest
from ldap3.core.exceptions import LDAPException

from rotator.credential import CredentialRef, Leaked, Secret
from rotator.errors import Rejected, Unavailable
from rotator.families import ldap
from rotator.ports.abilities import SessionEnding
from rotator.ports.provider import Answer, State
from tests.contracts.cases.ldap_password import KIND, connected, entered, planted
from tests.refused import reason_of
from tests.servers.cuts import assert_a_lost_login_proves_nothing, assert_a_revocation_is_told_truly
from tests.servers.silence import silent_server
from tests.servers.slapd import ADMIN, BASE, OWN, slapd


@pytest.fixture(scope="module")
def server():
    with slapd() as running:
        yield running


@pytest.fixture(scope="module")
def strict():
    with slapd(policy=True) as running:
        yield running


@pytest.fixture
def provider(server):
    return connected(server)


@pytest.fixture
def name():
    return f"app-{secrets.token_hex(4)}"


def given(server, name: str, value: bytes) -> str:
    """Give an entry a value as it stands; return its DN."""
    dn = f"uid={name},{BASE}"
    server.add(dn, ["inetOrgPerson"], cn=name, sn=name, userPassword=value)
    return dn


def test_two_passwords_overlap_and_the_old_one_is_refused_with_49(server, provider, name):
    ref, password = planted(server, name)
    issued = provider.generate(ref)
    provider.set_secret(issued.ref, issued.secret, {})
    server.bound(ref.owner, password).unbind()
    server.bound(ref.owner, issued.secret).unbind()
    provider.revoke(ref)
    with pytest.raises(LDAPException) as refusal:
        server.bound(ref.owner, password)
    assert refusal.value.result == 49
    assert issued.public == {"username": ref.owner}


def test_a_bound_connection_cannot_be_cut_and_nobody_says_that_it_was(server, provider, name):
    ref, password = planted(server, name)
    live = server.bound(ref.owner, password)
    provider.revoke(ref)
    assert live.extend.standard.who_am_i() == f"dn:{ref.owner}"
    assert not isinstance(provider, SessionEnding)


def test_an_entry_that_must_have_a_password_gets_one_that_nobody_has(server, provider, name):
    dn, password = f"cn={name},{BASE}", Secret(f"canary-{name}")
    value = ldap.stored(password, "00" * 8)
    server.add(dn, ["organizationalRole", "simpleSecurityObject"], cn=name, userPassword=value)
    ref = CredentialRef(KIND, "directory", dn, f"{dn}:{ldap.tag_of(value)}")
    provider.revoke(ref)
    assert provider.inspect(ref).state is State.ABSENT
    assert provider.verify(ref, password).answer is Answer.REJECTED
    assert len(server.values(dn)) == 1


@pytest.mark.parametrize(
    "form",
    [
        lambda text: b"{SSHA512}" + b64encode(hashlib.sha512(text + b"saltsalt").digest() + b"saltsalt"),
        lambda text: b"{SHA256}" + b64encode(hashlib.sha256(text).digest()),
        lambda text: b"{SMD5}" + b64encode(hashlib.md5(text + b"salt").digest() + b"salt"),
        lambda text: text,
    ],
    ids=["SSHA512", "SHA256", "SMD5", "clear text"],
)
def test_every_form_of_a_stored_password_is_named_and_taken_away(server, provider, name, form):
    password = Secret(f"canary-{name}")
    dn = given(server, name, form(password.reveal().encode()))
    ref = provider.identify(Leaked(secret=password, owner=name))
    assert ref.owner == dn
    assert password.reveal() not in str(ref)
    assert provider.verify(ref, password).answer is Answer.ACCEPTED
    provider.revoke(ref)
    assert server.values(dn) == []


def test_a_form_that_is_not_known_is_nobodys_secret_and_still_taken_away_by_its_id(server, provider, name):
    dn = given(server, name, b"{CRYPT}$6$salt$notahash")
    assert reason_of(lambda: provider.identify(Leaked(secret=Secret("x"), owner=name))) == "unknown_credential"
    [ref] = provider.siblings(CredentialRef(KIND, "directory", dn, "any"))
    provider.revoke(ref)
    assert server.values(dn) == []


def test_a_password_of_two_entries_is_nobodys_until_one_is_named(server, provider, name):
    ref, password = planted(server, name)
    given(server, f"{name}-twin", ldap.stored(password, "11" * 8))
    assert reason_of(lambda: provider.identify(Leaked(secret=password))) == "several_entries"
    for owner in (name, ref.owner):
        assert provider.identify(Leaked(secret=password, owner=owner)) == ref
    assert provider.identify(Leaked(id=ref.id)) == ref


def test_a_locked_entrys_refusal_proves_nothing_while_its_password_stands(strict, name):
    provider = connected(strict)
    ref, password = planted(strict, name)
    wrong = Secret("canary-that-is-wrong")
    assert [provider.verify(ref, wrong).answer for _ in range(3)] == [Answer.REJECTED] * 3
    locked = provider.verify(ref, password)
    assert (locked.answer, locked.reason) == (Answer.INCONCLUSIVE, "account_locked")
    assert provider.preserve(ref)["pwdFailureTime"] == "3 refused logins"
    provider.revoke(ref)
    assert provider.verify(ref, password).answer is Answer.REJECTED


def test_a_policy_that_wants_to_see_passwords_refuses_hashes_and_says_so(strict, name):
    provider = connected(strict)
    ref, password = planted(strict, name)
    first, second = provider.generate(ref), provider.generate(ref)
    provider.set_secret(first.ref, first.secret, {})
    with strict.bound(ADMIN, strict.admin) as admin:
        admin.modify(f"cn=policy,{BASE}", {"pwdCheckQuality": [(ldap3.MODIFY_REPLACE, ["2"])]})
    assert reason_of(lambda: provider.set_secret(second.ref, second.secret, {})) == "refused_by_policy"
    assert provider.siblings(ref) == {ref, first.ref}
    assert provider.verify(ref, password).answer is Answer.ACCEPTED


def test_passwords_that_are_not_shown_are_not_absent(server, name):
    ref, password = planted(server, name)
    narrow = connected(server, own=password, user=ref.owner)
    for act in (narrow.inspect, narrow.siblings, narrow.revoke):
        with pytest.raises(Rejected) as refusal:
            act(planted(server, f"{name}-other")[0])
        assert refusal.value.reason == "permission_denied"


def test_an_entry_that_is_not_there_is_absent_and_none_is_made(provider, name):
    dn = f"uid={name},{BASE}"
    nobody = CredentialRef(KIND, "directory", dn, f"{dn}:00000000")
    assert provider.inspect(nobody).state is State.ABSENT
    issued = provider.generate(nobody)
    assert reason_of(lambda: provider.set_secret(issued.ref, issued.secret, {})) == "no_such_entry"


def test_an_empty_password_is_never_sent(server, provider, name):
    ref, _ = planted(server, name)
    assert provider.verify(ref, Secret("")).reason == "empty_password"


def test_its_own_entry_is_never_cut_and_a_root_dn_is_none(server, provider):
    own = CredentialRef(KIND, "directory", OWN, str(provider.own()))
    assert provider.inspect(own).state is State.ACTIVE
    assert reason_of(lambda: provider.revoke(own)) == "own_credential"
    assert connected(server, own=server.admin, user=ADMIN).own() is None
    dead = connected(server, own=Secret("canary-that-was-never-right"))
    assert reason_of(lambda: dead.inspect(own)) == "own_credential_refused"


def test_the_values_of_an_entry_are_never_shown(server, name):
    planted(server, name)
    directory = ldap.Directory(connected(server)._connection)
    with directory.session() as session:
        [entry] = session.entries(f"uid={name},{BASE}", "(objectClass=*)", below=False)
    assert entry.values
    assert "SSHA" not in repr(entry)


def test_more_entries_than_one_page_are_all_listed(server, provider, name, monkeypatch):
    monkeypatch.setattr(ldap, "_PAGE", 2)
    many = {planted(server, f"{name}-{number}")[0] for number in range(5)}
    assert many <= {each.ref for each in provider.discover()}


def test_each_lost_answer_is_told_truly(server, provider, name):
    numbers = iter(range(100))
    again = (lambda port: connected(server, f"ldap://127.0.0.1:{port}")), provider
    assert_a_revocation_is_told_truly(server.port, *again, lambda: planted(server, f"{name}-{next(numbers)}"))
    assert_a_lost_login_proves_nothing(server.port, *again, lambda: planted(server, f"{name}-{next(numbers)}"))


def test_a_server_that_says_nothing_is_given_up(server, name, monkeypatch):
    monkeypatch.setattr(ldap, "CALL_DEADLINE_S", ldap.CONNECT_TIMEOUT_S + 0.2)
    ref, password = planted(server, name)
    with silent_server() as port:
        silent = connected(server, f"ldap://127.0.0.1:{port}")
        for act in (lambda: silent.verify(ref, password), lambda: silent.revoke(ref)):
            with pytest.raises(Unavailable):
                act()


def test_the_base_is_the_own_entrys_where_none_is_named(server):
    assert ldap.Directory(connected(server, base=None)._connection).base == BASE


def tried(provider, ref: CredentialRef) -> dict[str, bool]:
    """Return whether each verb was done when it was tried."""
    made, done = provider.generate(ref), {}
    acts = {"look": lambda: provider.inspect(ref), "install": lambda: provider.set_secret(made.ref, made.secret, {})}
    for verb, act in {**acts, "revoke": lambda: provider.revoke(ref)}.items():
        try:
            act()
        except Rejected:
            done[verb] = False
        else:
            done[verb] = True
    return done


def said(provider, dn: str | None) -> dict[str, bool | None]:
    told = provider.permissions(dn)
    assert all(each.why for each in told if each.granted is not True)
    return {verb: each.granted for each in told for verb in each.verbs if verb != "uninstall"}


RIGHTS = {"rotator": {"install", "revoke"}, "adder": {"install"}, "taker": {"revoke"}}


@pytest.mark.parametrize("who", RIGHTS)
def test_what_the_directory_says_is_so_when_it_is_tried(server, provider, name, who):
    ref, password = planted(server, name)
    asking = provider if who == "rotator" else entered(server, who)
    may = {verb: verb in {"look", *RIGHTS[who]} for verb in ("look", "install", "revoke")}
    before = server.values(ref.owner), server.told(ref.owner)
    assert said(asking, ref.owner) == may
    assert (server.values(ref.owner), server.told(ref.owner)) == before
    server.bound(ref.owner, password).unbind()
    assert tried(asking, ref) == may


@pytest.mark.parametrize(
    ("rule", "reason"),
    [({"pwdCheckQuality": "2"}, "refused_by_policy"), ({"pwdSafeModify": "TRUE"}, "permission_denied")],
)
def test_what_a_policy_refuses_is_told_before(strict, name, rule, reason):
    provider = connected(strict)
    ref, _ = planted(strict, name)
    usual = {"pwdCheckQuality": "0", "pwdSafeModify": "FALSE", "pwdInHistory": "3"}
    for rules, install in ((usual, True), (usual | rule, False)):
        changes = {key: [(ldap3.MODIFY_REPLACE, [value])] for key, value in rules.items()}
        with strict.bound(ADMIN, strict.admin) as admin:
            admin.modify(f"cn=policy,{BASE}", changes)
        assert said(provider, ref.owner) == {"look": True, "install": install, "revoke": True}
    made = provider.generate(ref)
    assert reason_of(lambda: provider.set_secret(made.ref, made.secret, {})) == reason
    provider.revoke(ref)


def test_what_is_not_shown_or_not_known_is_not_told(server, provider, name, monkeypatch):
    (ref, _), (own, password) = planted(server, name), planted(server, f"{name}-own")
    blind = connected(server, own=password, user=own.owner)
    assert said(blind, ref.owner) == said(blind, None) == {"look": False, "install": None, "revoke": None}
    assert said(provider, None) == said(provider, f"uid=nobody,{BASE}") | {"look": True}
    assert said(provider, f"uid=nobody,{BASE}") == dict.fromkeys(("look", "install", "revoke"))
    assert said(provider, OWN)["revoke"] is False
    monkeypatch.setattr(ldap, "_NO_OP", "1.3.6.1.4.1.4203.666.5.99")
    before = server.values(ref.owner)
    assert said(provider, ref.owner) == {"look": True, "install": None, "revoke": None}
    assert server.values(ref.owner) == before


def test_a_password_that_is_gone_by_then_is_not_put_back(server, provider, name):
    ref, _ = planted(server, name)
    [value] = server.values(ref.owner)
    provider.revoke(ref)
    with ldap.Directory(provider._connection).session() as session:
        assert session.answer_to(ref.owner, (ldap3.MODIFY_ADD, value)) == 0x410E  # OpenLDAP's "nothing was done"
    assert server.values(ref.owner) == []
