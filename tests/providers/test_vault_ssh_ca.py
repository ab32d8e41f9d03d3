"""What is special about the authorities of a server's ssh engine, on a real OpenBao and real OpenSSH servers."""

from __future__ import annotations

import contextlib
import json
import re
from collections import Counter
from itertools import count

import asyncssh
import pytest

from rotator.credential import CredentialRef, Leaked, Secret, read_document
from rotator.errors import Rejected, Unavailable
from rotator.families.ssh import fleet_of
from rotator.families.ssh_authorities import Authorities
from rotator.flow.playbook_words import Strategy
from rotator.flow.proof import Evidence
from rotator.ports.connection import Connection
from rotator.ports.provider import Answer, State
from rotator.ports.store import Place
from rotator.practice.process import free_port
from rotator.providers.vault_ssh_ca import connect
from tests.contracts.cases.vault_ssh_ca import KIND, POLICY, company, document
from tests.fakes.deployment import Deployment, Outside, broken_chains, scoped, sqlite
from tests.fakes.fault_proxy import LOST_ANSWER, fault_proxy
from tests.fakes.http_server import Request, listening
from tests.fakes.store import FakeStore
from tests.fakes.world import World
from tests.servers.ssh_revoked import ACCOUNTS
from tests.servers.vault_policies import assert_told_truly, lacking_one

MOUNTS = (f"prod-{number}" for number in count(1))


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    with company(tmp_path_factory.mktemp("company")) as running:
        yield running


@pytest.fixture(scope="module")
def provider(found):
    return found.connect()


@pytest.fixture
def exposed(found):
    mount = next(MOUNTS)
    found.engine(mount)
    ref, secret = found.authority(mount)
    people = {"key_type": "ca", "allow_user_certificates": True, "allowed_users": "*", "default_user": ACCOUNTS[0]}
    found.server.call("POST", f"{mount}/roles/people", people)
    return ref, secret


def issuers(found, mount):
    return found.server.call("LIST", f"{mount}/issuers")["data"]["key_info"]


class Person:
    """Somebody who asks the server for a certificate, and goes with it to each host."""

    def __init__(self, found, mount) -> None:
        connection = Connection("fleet", "ssh", credential=lambda: found.own, settings=found.hosts.settings)
        self._doors = Authorities(fleet_of(connection))
        self._found, self._mount = found, mount
        self._seen = None
        self.answers: Counter[Answer] = Counter()

    def _sign(self, key, _user):
        body = {"public_key": key.export_public_key().decode()}
        signed = self._found.server.call("POST", f"{self._mount}/sign/people", body)
        return asyncssh.import_certificate(signed["data"]["signed_key"])

    def comes(self):
        return {self._doors.knock_at(host, self._sign).answer for host in self._doors.targets()}

    def comes_when_something_changed(self, phase, what, _changes):
        files = [self._found.hosts.authorities(host).read_bytes() for host in self._doors.targets()]
        now = issuers(self._found, self._mount), files
        if phase == "after" and what == "ledger.commit" and now != self._seen:
            self._seen = now
            self.answers.update(self.comes())


class ReadOnly(FakeStore):
    """One in which nothing can be promoted."""

    def promote(self, *_):
        raise Rejected("permission_denied")


@contextlib.contextmanager
def begun(provider, exposed, ledger, meet=None, *, strategy=Strategy.REPLACE_FIRST, kept=FakeStore):
    """Answer the leak until there is nothing to do, with a store of that kind."""
    ref, secret = exposed
    world = World()
    world.meet = meet or world.meet
    store = kept(world, "kv")
    outside = Outside({(KIND, "vault"): provider}, {"kv": store})
    deployment = Deployment(world, outside, sqlite(ledger))
    deployment.start([scoped(ref, secret, Place("fake", "kv", "authority"))], wanted=strategy)
    deployment.rest()
    yield deployment, store
    assert broken_chains(deployment) == []
    deployment.database.close()


def carried_out(provider, exposed, ledger, meet=None, strategy=Strategy.REPLACE_FIRST):
    with begun(provider, exposed, ledger, meet, strategy=strategy) as (deployment, store):
        states, evidence = deployment.steps(), deployment.record().runs[0].run.evidence
    assert (set(states.values()), evidence) == ({"done"}, Evidence.PROVEN), states
    return read_document(store.read("authority", str(store.current("authority"))), provider.secret_field)


def assert_another_took_its_place(found, provider, exposed, delivered):
    ref, secret = exposed
    new_id, public_key, public = delivered
    assert [provider.verify_at(host, ref, secret).answer for host in provider.targets(ref)] == [Answer.REJECTED] * 3
    assert provider.verify(ref.with_id(new_id), public_key).answer is Answer.ACCEPTED
    [(issuer_id, issuer)] = issuers(found, ref.owner).items()
    assert (issuer_id, issuer["is_default"]) == (public["issuer_id"], True)
    assert issuer["public_key"].split()[:2] == public_key.reveal().split()[:2]
    assert found.server.call("LIST", f"{ref.owner}/roles")["data"]["keys"] == ["people"]


def test_whoever_asks_the_server_for_a_certificate_is_let_in_at_every_moment(found, provider, exposed, tmp_path):
    person = Person(found, exposed[0].owner)
    meet = person.comes_when_something_changed
    delivered = carried_out(provider, exposed, tmp_path / "ledger.db", meet)
    assert set(person.answers) == {Answer.ACCEPTED}
    assert person.answers.total() >= len(("issued", "trusted", "signing", "retired", "forgotten"))
    assert_another_took_its_place(found, provider, exposed, delivered)


def test_every_answer_of_the_server_may_be_lost_once(found, exposed, tmp_path):
    lost = set()

    def script(_number, call):
        kind = re.sub(r"rotator-.*|[0-9a-f]{8}-[0-9a-f-]{27}", "", call)
        if call.startswith(("POST", "DELETE")) and kind not in lost:
            lost.add(kind)
            return LOST_ANSWER
        return None

    with fault_proxy(found.server.address) as proxy:
        provider = found.connect(proxy.address)
        proxy.script = script
        delivered = carried_out(provider, exposed, tmp_path / "ledger.db", strategy=Strategy.CONTAIN_FIRST)
    assert len(lost) == len(("import", "create role", "sign", "delete role", "default", "forget"))
    assert_another_took_its_place(found, provider, exposed, delivered)


def test_what_is_taken_back_gives_its_place_to_the_one_before_and_nobody_is_locked_out(
    found, provider, exposed, tmp_path
):
    ref, secret = exposed
    person, run = Person(found, ref.owner), "inc-1.r1"
    meet = person.comes_when_something_changed
    with begun(provider, exposed, tmp_path / "ledger.db", meet, kept=ReadOnly) as (deployment, _):
        new = ref.with_id(deployment.record().runs[0].run.replacement)
        assert provider.inspect(new).facts["signs"] == "by default"
        public_key = Secret(issuers(found, ref.owner)[provider.preserve(new)["issuer_id"]]["public_key"].strip())
        deployment.hands.undo(run, "issue", "ada", "the wrong key", deployment.hands.undoing(run, "issue"))
        deployment.rest()
        states = deployment.steps()
    assert set(states.values()) <= {"done", "skipped", "failed"}, states
    assert set(person.answers) == {Answer.ACCEPTED}
    assert (provider.inspect(ref).facts["signs"], provider.siblings(ref)) == ("by default", {ref})
    assert provider.inspect(new).state is State.ABSENT
    assert provider.verify(new, public_key).reason == "not_signed_here"
    assert provider.verify(ref, secret).answer is Answer.ACCEPTED


def test_a_mount_that_signs_with_a_third_goes_on_doing_so(found, provider, exposed):
    ref, _ = exposed
    preserved = provider.preserve(ref)
    third, _ = found.authority(ref.owner)
    new = provider.issue(ref, "inc-1.r1.issue.1", preserved)
    provider.set_secret(new.ref, new.secret, preserved)
    signs = [provider.inspect(each).facts["signs"] for each in (third, new.ref)]
    assert signs == ["by default", "for roles that name it"]


def test_roles_that_name_the_exposed_one_are_left_to_a_person(found, provider, exposed):
    ref, _ = exposed
    rules = {"key_type": "ca", "allow_user_certificates": True, "issuer_ref": next(iter(issuers(found, ref.owner)))}
    found.server.call("POST", f"{ref.owner}/roles/robots", rules)
    preserved = provider.preserve(ref)
    assert preserved["roles_naming_it"] == "robots"
    new = provider.issue(ref, "inc-1.r1.issue.1", preserved)
    with pytest.raises(Rejected) as refusal:
        provider.set_secret(new.ref, new.secret, preserved)
    assert refusal.value.reason == "roles_name_it"
    assert refusal.value.detail.startswith("robots sign with ")
    found.server.call("POST", f"{ref.owner}/roles/robots", {**rules, "issuer_ref": new.public["issuer_id"]})
    provider.set_secret(new.ref, new.secret, preserved)


def test_a_key_that_only_hosts_know_is_of_another_kind(found, provider):
    with pytest.raises(Rejected) as refusal:
        provider.identify(Leaked(secret=Secret(found.hosts.authority.export_private_key().decode())))
    assert refusal.value.reason == "unknown_credential"
    assert "ssh_ca_key" in refusal.value.detail


def test_who_asks_about_nobody_has_asked_both_sides(found, provider):
    nobody = CredentialRef(KIND, "vault", *provider.nobody)
    deaf = found.connect(hosts=[f"gone=127.0.0.2:{free_port('127.0.0.2')}"])
    for asked, reason in ((provider, "not_this_account"), (deaf, "connection_refused")):
        with pytest.raises((Rejected, Unavailable)) as refusal:
            asked.inspect(nobody)
        assert refusal.value.reason == reason


def test_a_connection_without_hosts_serves_the_other_kinds(found, exposed):
    plain = connect(Connection("vault", "vault", None, found.server.address, lambda: found.own), KIND)
    with pytest.raises(Rejected) as refusal:
        plain.identify(Leaked(secret=exposed[1]))
    assert (refusal.value.reason, plain.targets(exposed[0])) == ("no_hosts", ())
    assert [each.why for each in plain.permissions(exposed[0].owner) if "hosts" in each.needs] == [str(refusal.value)]


def test_where_a_mount_keeps_one_nothing_is_issued_and_the_stolen_one_is_forgotten(found):
    key = asyncssh.generate_private_key("ssh-ed25519")
    kept = {"public_key": key.export_public_key().decode()}
    called = []

    class OneAuthority(Request):
        """As Vault's documentation has it, and its answer to a path that it has not."""

        def answered(self, sent):
            called.append((self.command, self.path.removeprefix("/v1/ssh/")))
            match called[-1]:
                case "GET", "config/ca" if kept:
                    self.reply(200, json.dumps({"request_id": "r-1", "data": kept}).encode())
                case "GET", "config/ca":
                    self.reply(400, json.dumps({"errors": ["keys haven't been configured yet"]}).encode())
                case "DELETE", "config/ca":
                    kept.clear()
                    self.reply(204)
                case "POST", "/v1/sys/capabilities-self":
                    root = {path: ["root"] for path in json.loads(sent)["paths"]}
                    self.reply(200, json.dumps({"request_id": "r-1", "data": root}).encode())
                case _:
                    self.reply(404, json.dumps({"errors": ["1 error occurred:\n\t* unsupported path\n\n"]}).encode())

        do_LIST = Request.do_GET  # noqa: N815 - http.server's word

    ref = CredentialRef(KIND, "vault", "ssh", key.get_fingerprint())
    with listening(OneAuthority) as address:
        provider = found.connect(address)
        assert provider.inspect(ref).facts["signs"] == "by default"
        told = {each.needs: each.granted for each in provider.permissions("ssh")}
        assert told["delete on ssh/config/ca"]
        assert told["update on +/issuers/import/rotator-*"] is None
        with pytest.raises(Rejected) as refusal:
            provider.issue(ref, "inc-1.r1.issue.1", {})
        provider.revoke(ref)
        provider.revoke(ref)
        assert provider.siblings(ref) == frozenset()
    assert refusal.value.reason == "one_authority_only"
    assert [each for each in called if each[0] == "DELETE"] == [("DELETE", "config/ca")]


@pytest.mark.parametrize("lacking", lacking_one(POLICY), ids=lambda each: each[0].replace("/", "."))
def test_without_one_capability_what_is_refused_is_told_and_the_rest_is_done(found, lacking):
    found.server.write_policy("lacking", lacking[1])
    own = document(found.server.plant("lacking").token, found.hosts.servers.own_key)
    one_host = found.hosts.settings["hosts"][:1]
    wide, narrow = found.connect(hosts=one_host), found.connect(own=own, hosts=one_host)
    mount = next(MOUNTS)
    found.engine(mount)
    ref, secret = found.authority(mount)
    kept = wide.preserve(ref)
    made = wide.issue(ref, "another", kept)
    acts = {
        "look": lambda: (narrow.identify(Leaked(secret=secret)), narrow.inspect(ref), narrow.siblings(ref)),
        "preserve": lambda: narrow.preserve(ref),
        "issue": lambda: (narrow.issue(ref, "more", kept), narrow.marked(ref, "more")),
        "install": lambda: (
            narrow.install(narrow.targets(ref)[0], made.ref, made.public, kept),
            narrow.set_secret(made.ref, made.secret, kept),
        ),
        "verify": lambda: narrow.verify(made.ref, made.secret),
        "revoke": lambda: (wide.set_secret(made.ref, made.secret, kept), narrow.revoke(made.ref), narrow.revoke(ref)),
    }
    assert False in assert_told_truly(narrow, mount, acts)
