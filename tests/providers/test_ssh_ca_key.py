"""What is special about the signing keys of certificate authorities, on real OpenSSH servers."""

from __future__ import annotations

import asyncssh
import pytest

from rotator.credential import CredentialRef, Leaked, Secret
from rotator.errors import Rejected, Unavailable
from rotator.ports.provider import Answer, State
from rotator.practice.process import free_port
from rotator.providers import ssh_certificate
from rotator.providers.ssh_ca_key import connect
from tests.contracts.cases.ssh_ca_key import KIND, new_authority
from tests.servers.ssh_revoked import ACCOUNTS, revoking_hosts


@pytest.fixture(scope="module")
def hosts():
    with revoking_hosts() as running:
        yield running


@pytest.fixture(scope="module")
def provider(hosts):
    return connect(hosts.connection(), KIND)


def test_every_certificate_that_the_key_signed_dies_with_it_and_no_others(hosts, provider):
    exposed, secret = new_authority(hosts, "prod")
    signed = asyncssh.import_private_key(secret.reveal())
    key = asyncssh.generate_private_key("ssh-ed25519")
    alices = signed.generate_user_certificate(key, "alice", principals=[ACCOUNTS[0]])
    both = Secret((key.export_private_key() + alices.export_certificate()).decode())
    certificates = ssh_certificate.connect(hosts.connection(), "ssh_certificate")
    ref = certificates.identify(Leaked(secret=both))
    name, others = hosts.certificate(ACCOUNTS[1])
    provider.revoke(exposed)
    assert certificates.verify(ref, both).answer is Answer.REJECTED
    other = CredentialRef("ssh_certificate", "fleet", ACCOUNTS[1], name)
    assert certificates.verify(other, others).answer is Answer.ACCEPTED


def test_a_new_key_is_trusted_only_where_the_exposed_one_was(hosts, provider):
    ref, _ = new_authority(hosts, "partly", "web1", "web2")
    kept = provider.preserve(ref)
    new = provider.generate(ref)
    provider.install("web1", new.ref, new.public, kept)
    with pytest.raises(Rejected) as refusal:
        provider.install("web3", new.ref, new.public, kept)
    assert refusal.value.reason == "never_listed_here"
    assert provider.siblings(ref) == {ref, new.ref}


def test_the_list_keeps_its_mode_and_the_last_key_leaves_no_empty_file(hosts, provider):
    before = hosts.authorities("web2").read_bytes()
    ref, _ = new_authority(hosts, "alone")
    line = hosts.authorities("web2").read_bytes().splitlines(keepends=True)[-1]
    hosts.authorities("web2").write_bytes(line)
    hosts.authorities("web2").chmod(0o640)
    provider.uninstall("web2", ref)
    assert hosts.authorities("web2").read_bytes().startswith(b"#")
    assert hosts.authorities("web2").stat().st_mode & 0o777 == 0o640
    hosts.authorities("web2").write_bytes(before)


def test_a_host_that_is_down_leaves_the_others_done_and_itself_open(hosts):
    ref, secret = new_authority(hosts, "down")
    up = [entry for entry in hosts.settings["hosts"] if not entry.startswith("web3")]
    provider = connect(hosts.connection(hosts=[*up, f"gone=127.0.0.2:{free_port('127.0.0.2')}"]), KIND)
    with pytest.raises(Unavailable) as raised:
        provider.revoke(ref)
    assert raised.value.detail == "gone connection_refused"
    assert [provider.verify_at(host, ref, secret).answer for host in ("web1", "web2")] == [Answer.REJECTED] * 2
    assert provider.inspect_at("web1", ref).state is State.ABSENT
    with pytest.raises(Unavailable):
        provider.inspect(ref)


def test_an_authority_without_a_name_is_one_by_itself(hosts, provider):
    ref, secret = new_authority(hosts, "")
    named = provider.identify(Leaked(secret=secret))
    assert named == CredentialRef(KIND, "fleet", ref.id, ref.id)
    assert provider.siblings(named) == {named}
    new = provider.generate(named)
    provider.install("web1", new.ref, new.public, provider.preserve(named))
    assert provider.siblings(named) == {named, new.ref}


def test_sessions_of_every_account_are_cut_since_it_could_open_any(hosts, provider, monkeypatch):
    seen = []
    monkeypatch.setattr(
        "rotator.families.ssh_authorities.cut_sessions_of",
        lambda _fleet, accounts: seen.append(accounts) or (lambda _host, _phase: _nothing()),
    )
    ref, _ = new_authority(hosts, "wide")
    provider.end_sessions_at("web1", ref)
    assert seen == [tuple(ACCOUNTS)]


async def _nothing() -> dict[str, str]:
    return {}
