"""Keys revoked by lists, on real OpenSSH servers: no host is ever left with a list that it cannot read."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from pathlib import Path

import asyncssh
import pytest

from rotator.credential import CredentialRef, Leaked, Secret
from rotator.errors import BadInput, Rejected, RotatorError, Unavailable
from rotator.families import ssh_files, ssh_revocation
from rotator.ports.provider import Answer, State
from rotator.practice.process import free_port
from rotator.providers.ssh_krl_key import connect
from tests.servers.ssh_revoked import ACCOUNTS, RevokingHosts, revoking_hosts

KIND = "ssh_krl_key"
ONE, TWO = ACCOUNTS[:2]
DIES = """
import json, os, signal, sys
import asyncssh
from rotator.credential import CredentialRef, Secret
from rotator.families import ssh_files
from rotator.ports.connection import Connection
from rotator.providers.ssh_krl_key import connect

moment, name = sys.argv[1:]
told = json.load(sys.stdin)
async def die(*given, **more): os.kill(os.getpid(), signal.SIGKILL)
async def half(sftp, path, text):
    async with sftp.open(path, "wb", encoding=None) as file:
        await file.write(text[: len(text) // 2])
    await die()
if moment == "while writing": ssh_files._write = half
else: setattr(*{"before the check": (asyncssh.SSHClientConnection, "run", die),
                "before the rename": (asyncssh.SFTPClient, "posix_rename", die)}[moment])
connection = Connection("fleet", "ssh", credential=lambda: Secret(told["own"]), settings=told["settings"])
connect(connection, "ssh_krl_key").uninstall("web1", CredentialRef("ssh_krl_key", "fleet", told["owner"], name))
"""


@pytest.fixture(scope="module")
def hosts():
    with revoking_hosts() as running:
        yield running


@pytest.fixture(scope="module")
def provider(hosts):
    return connect(hosts.connection(), KIND)


def planted(hosts: RevokingHosts, *accounts: str) -> tuple[CredentialRef, Secret]:
    name, secret = hosts.key(*(accounts or (ONE,)))
    return CredentialRef(KIND, "fleet", ",".join(accounts or (ONE,)), name), secret


def readable(krl: Path) -> bool:
    """Tell whether OpenSSH reads the list; it says REVOKED or ok of any key, or that it cannot."""
    text = krl.read_bytes()
    if not text:
        return True  # sshd takes it for a text file without keys
    key = asyncssh.generate_private_key("ssh-ed25519").export_public_key()
    done = subprocess.run(
        ["ssh-keygen", "-Q", "-f", str(krl), "/dev/stdin"], input=key, capture_output=True, check=False
    )
    return done.returncode == 0


def without_locks(hosts: RevokingHosts) -> None:
    for left in hosts.krl("web1").parent.glob("*.rotator-*"):
        if left.is_dir():
            left.rmdir()
        else:
            left.unlink()


@pytest.mark.parametrize("moment", ["while writing", "before the check", "before the rename"])
def test_a_worker_killed_in_between_leaves_a_list_that_openssh_reads(hosts, provider, moment):
    ref, secret = planted(hosts)
    before = hosts.krl("web1").read_bytes()
    told = json.dumps({"own": hosts.servers.own_key.reveal(), "settings": hosts.settings, "owner": ONE})
    done = subprocess.run(
        [sys.executable, "-c", DIES, moment, ref.id],
        input=told.encode(),
        capture_output=True,
        check=False,
        cwd=Path(__file__).parents[2],
    )
    assert done.returncode == -9, done.stderr
    assert hosts.krl("web1").read_bytes() == before
    assert readable(hosts.krl("web1"))
    assert provider.verify_at("web1", ref, secret).answer is Answer.ACCEPTED
    without_locks(hosts)
    provider.uninstall("web1", ref)
    assert provider.verify_at("web1", ref, secret).answer is Answer.REJECTED
    assert readable(hosts.krl("web1"))


def test_a_list_that_openssh_cannot_read_never_takes_the_old_ones_name(hosts, provider, monkeypatch):
    ref, secret = planted(hosts)
    before = hosts.krl("web1").read_bytes()
    monkeypatch.setattr(ssh_revocation, "with_revoked", lambda *_: b"SSHKRL\n\0 and no more")
    with pytest.raises(Rejected) as refusal:
        provider.uninstall("web1", ref)
    assert refusal.value.reason == "krl_not_accepted"
    assert hosts.krl("web1").read_bytes() == before
    assert list(hosts.krl("web1").parent.glob("revoked_keys*")) == [hosts.krl("web1")]
    assert provider.verify_at("web1", ref, secret).answer is Answer.ACCEPTED


def test_a_list_that_would_lock_the_rotator_out_is_never_installed(hosts, provider, monkeypatch):
    ref, _ = planted(hosts)
    own = provider.own()
    real = ssh_revocation.with_revoked
    monkeypatch.setattr(ssh_revocation, "with_revoked", lambda krl, name, now: real(real(krl, own, now), name, now))
    with pytest.raises(Rejected) as refusal:
        provider.uninstall("web1", ref)
    assert refusal.value.reason == "krl_not_accepted"
    with pytest.raises(Rejected) as refusal:
        provider.uninstall("web1", ref.with_id(own))
    assert refusal.value.reason == "own_key"


@pytest.mark.parametrize("spoilt", [b"SSHKRL\n\0\0\0", b"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHh7 somebody\n"])
def test_what_somebody_else_left_there_is_not_made_worse(hosts, monkeypatch, spoilt):
    standing = connect(hosts.connection(), KIND)
    ref, _ = planted(hosts)
    standing.inspect(ref)  # in, before nobody is let in any more
    before = hosts.krl("web1").read_bytes()
    monkeypatch.setattr(ssh_files.secrets, "token_hex", lambda _: "spoilt")
    try:
        hosts.krl("web1").write_bytes(spoilt)
        with pytest.raises(Rejected):
            standing.uninstall("web1", ref)
        assert hosts.krl("web1").read_bytes() == spoilt
    finally:
        hosts.krl("web1").write_bytes(before)


def test_a_list_keeps_its_mode_and_a_new_one_can_be_read_by_all(hosts, provider):
    ref, _ = planted(hosts)
    hosts.krl("web2").chmod(0o640)
    hosts.krl("web3").write_bytes(b"")
    for host in ("web2", "web3"):
        provider.uninstall(host, ref)
    assert [hosts.krl(host).stat().st_mode & 0o777 for host in ("web2", "web3")] == [0o640, 0o644]


def test_a_host_that_is_down_leaves_the_others_done_and_itself_open(hosts):
    ref, secret = planted(hosts)
    up = [entry for entry in hosts.settings["hosts"] if not entry.startswith("web3")]
    provider = connect(hosts.connection(hosts=[*up, f"gone=127.0.0.2:{free_port('127.0.0.2')}"]), KIND)
    with pytest.raises(Unavailable) as raised:
        provider.revoke(ref)
    assert raised.value.detail == "gone connection_refused"
    for host in ("web1", "web2"):
        assert provider.inspect_at(host, ref).state is State.ABSENT
        assert provider.verify_at(host, ref, secret).answer is Answer.REJECTED
    with pytest.raises(Unavailable):
        provider.inspect_at("gone", ref)
    assert provider.verify(ref, secret).answer is Answer.INCONCLUSIVE
    with pytest.raises(Unavailable):
        provider.inspect(ref)


def test_a_key_of_several_accounts_is_refused_at_each_and_its_sessions_are_cut_at_each(hosts, provider):
    ref, secret = planted(hosts, ONE, TWO)
    stays, other = planted(hosts, TWO)
    assert provider.identify(Leaked(secret=secret)) == ref
    address, port = hosts.servers.addresses["web1"]
    command = [
        "ssh",
        "-N",
        "-o",
        "BatchMode=yes",
        "-o",
        "StrictHostKeyChecking=no",
        "-o",
        "UserKnownHostsFile=/dev/null",
    ]
    with contextlib.ExitStack() as stack:
        key = hosts.servers.folder / "stolen"
        key.touch(0o600)
        key.write_text(secret.reveal())
        sessions = [
            stack.enter_context(
                subprocess.Popen(
                    [*command, "-v", "-i", str(key), "-p", str(port), f"{account}@{address}"], stderr=subprocess.PIPE
                )
            )
            for account in (ONE, TWO)
        ]
        for session in sessions:
            stack.callback(session.kill)
            assert session.stderr is not None
            assert any(b"Entering interactive session" in line for line in session.stderr)
        provider.uninstall("web1", ref)
        assert [session.poll() for session in sessions] == [None, None]
        assert int(provider.end_sessions_at("web1", ref)["sessions_cut"]) >= 2
        for session in sessions:
            assert session.wait(20) != 0
    assert provider.verify_at("web1", ref, secret).answer is Answer.REJECTED
    assert provider.verify_at("web1", stays, other).answer is Answer.ACCEPTED


def test_two_workers_may_edit_one_list_at_once(hosts, provider):
    ref, _ = planted(hosts)
    lock = hosts.krl("web1").with_name("revoked_keys.rotator-lock")
    lock.mkdir()
    try:
        with pytest.raises(Unavailable) as raised:
            provider.uninstall("web1", ref)
        assert raised.value.reason == "being_edited"
    finally:
        lock.rmdir()


def test_a_fingerprint_alone_needs_an_account_and_opens_nothing(hosts, provider):
    ref, _ = planted(hosts)
    with pytest.raises(Rejected) as refusal:
        provider.identify(Leaked(id=ref.id))
    assert refusal.value.reason == "account_unknown"
    assert provider.identify(Leaked(id=ref.id, owner=ONE)) == ref


def test_a_key_that_no_host_lets_in_is_not_ours(provider):
    stranger = asyncssh.generate_private_key("ssh-ed25519").export_private_key().decode()
    with pytest.raises(Rejected) as refusal:
        provider.identify(Leaked(secret=Secret(stranger)))
    assert refusal.value.reason == "unknown_credential"


def test_nothing_is_taken_off_a_list_or_let_in(hosts, provider):
    ref, _ = planted(hosts)
    with pytest.raises(RotatorError) as refusal:
        provider.install("web1", ref, {}, {})
    assert refusal.value.reason == "not_let_in_here"


def test_a_list_without_an_absolute_path_is_one_clear_line(hosts):
    with pytest.raises(BadInput, match="`revoked_keys` is not an absolute path"):
        connect(hosts.connection(revoked_keys="revoked_keys"), KIND)
