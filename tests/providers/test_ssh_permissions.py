"""What SSH hosts say the rotator may do: true of real OpenSSH servers, whichever way a host stands in its way."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import asyncssh
import pytest

from rotator.credential import CredentialRef, Secret
from rotator.errors import Rejected, Unavailable
from rotator.permissions import LOOK, Permission
from rotator.ports.connection import Connection
from rotator.practice.process import free_port
from rotator.providers.ssh_authorized_key import SshAuthorizedKey, connect
from tests.servers.sshd import ACCOUNT, Sshds, named, sshds

KIND = "ssh_authorized_key"
SPARE = named("spare")
ROOT = "root"


@pytest.fixture(scope="module")
def servers() -> Iterator[Sshds]:
    with sshds(2, (ACCOUNT, SPARE, ROOT)) as running:
        yield running


def provider_of(servers: Sshds, own: Secret | None = None, **changed: object) -> SshAuthorizedKey:
    own = own or servers.own_key
    return connect(Connection("fleet", "ssh", credential=lambda: own, settings={**servers.settings, **changed}), KIND)


def key_of_its_own(before: str = "") -> tuple[str, Secret]:
    """Return a new key's line, and the private key."""
    key = asyncssh.generate_private_key("ssh-ed25519")
    return before + key.export_public_key().decode(), Secret(key.export_private_key().decode())


def planted(servers: Sshds, host: str, account: str) -> CredentialRef:
    line, secret = key_of_its_own()
    with servers.keys_file(host, account).open("a") as keys:
        keys.write(line)
    return CredentialRef(KIND, "fleet", account, asyncssh.import_private_key(secret.reveal()).get_fingerprint())


def told(provider: SshAuthorizedKey, host: str, account: str | None = ACCOUNT) -> dict[str, Permission]:
    """Return what one host said, by what is needed."""
    found = {each.needs: each for each in provider.permissions(account) if f"@{host}:" in each.needs}
    return {needs.partition(": ")[2].split()[0]: each for needs, each in found.items()}


def granted(provider: SshAuthorizedKey, host: str, account: str = ACCOUNT) -> dict[str, bool | None]:
    return {needs: each.granted for needs, each in told(provider, host, account).items()}


def run(*command: str | Path) -> None:
    subprocess.run([str(each) for each in command], check=True)


@contextlib.contextmanager
def owned_by(account: str, file: Path) -> Iterator[None]:
    """Give the folder to somebody else, who alone may write to it."""
    before = file.parent.stat()
    shutil.chown(file.parent, account, account)
    file.parent.chmod(0o755)
    try:
        yield
    finally:
        os.chown(file.parent, before.st_uid, before.st_gid)
        file.parent.chmod(0o700)


@contextlib.contextmanager
def sticky(file: Path) -> Iterator[None]:
    """Let everybody write to the folder, as to /tmp: but only who owns a file may replace it."""
    before = file.stat()
    os.chown(file, 0, 0)
    file.chmod(0o644)
    try:
        with owned_by(ROOT, file):
            file.parent.chmod(0o1777)
            yield
    finally:
        os.chown(file, before.st_uid, before.st_gid)
        file.chmod(0o600)


@contextlib.contextmanager
def mounted(*options: str, at: Path, what: Path) -> Iterator[None]:
    run("mount", "--bind", what, at)
    try:
        if options:
            run("mount", "-o", f"remount,bind,{','.join(options)}", at)
        yield
    finally:
        run("umount", at)


@contextlib.contextmanager
def locked(flag: str, at: Path) -> Iterator[None]:
    run("chattr", f"+{flag}", at)
    try:
        yield
    finally:
        run("chattr", f"-{flag}", at)
        for each in at.parent.iterdir() if at.is_file() else at.iterdir():
            if ".rotator-" in each.name:  # what a folder that may only grow did not give back
                each.rmdir() if each.is_dir() else each.unlink()


WAYS: dict[str, Callable[[Path], AbstractContextManager[None]]] = {
    "the folder is another's": lambda file: owned_by(ROOT, file),
    "the folder is sticky and the file another's": sticky,
    "its file system is read-only": lambda file: mounted("ro", at=file.parent, what=file.parent),
    "the file is a mount": lambda file: mounted(at=file, what=file),
    "the file is immutable": lambda file: locked("i", file),
    "the file may only grow": lambda file: locked("a", file),
    "the folder is immutable": lambda file: locked("i", file.parent),
    "the folder may only grow": lambda file: locked("a", file.parent),
}


@pytest.mark.parametrize("way", WAYS)
def test_what_a_host_is_said_to_refuse_it_refuses(servers, way):
    provider = provider_of(servers)
    ref = planted(servers, "web1", ACCOUNT)
    file = servers.keys_file("web1", ACCOUNT)
    before = file.read_bytes()
    with WAYS[way](file):
        assert granted(provider, "web1") == {"read": True, "replace": False, "signal": True}
        assert told(provider, "web1")["replace"].why
        with pytest.raises(Rejected):
            provider.uninstall("web1", ref)
        assert granted(provider, "web2") == {"read": True, "replace": True, "signal": True}
    assert file.read_bytes() == before
    assert granted(provider, "web1") == {"read": True, "replace": True, "signal": True}
    provider.uninstall("web1", ref)
    assert file.read_bytes() != before


def test_root_may_do_nearly_everything_and_what_it_may_not_is_said(servers):
    """In one test, since root's shell may take its time to start."""
    provider = provider_of(servers, hosts=servers.settings["hosts"][:1])
    ref = planted(servers, "web1", ROOT)
    file = servers.keys_file("web1", ROOT)
    for way in ("its file system is read-only", "the file is immutable"):
        with WAYS[way](file):
            assert granted(provider, "web1", ROOT) == {"read": True, "replace": False, "signal": True}
            with pytest.raises(Rejected):
                provider.uninstall("web1", ref)
    with owned_by(ACCOUNT, file):
        assert granted(provider, "web1", ROOT) == {"read": True, "replace": True, "signal": True}
        provider.uninstall("web1", ref)
    assert b"ssh-ed25519" not in file.read_bytes()


def test_to_ask_touches_nothing(servers):
    file = servers.keys_file("web1", ACCOUNT)

    def standing() -> list[object]:
        found = (file.stat(), file.parent.stat())
        return [*((each.st_ino, each.st_mtime_ns, each.st_ctime_ns) for each in found), *file.parent.iterdir()]

    before = standing()
    provider = provider_of(servers, user=[ACCOUNT, SPARE])
    assert [each for each in provider.permissions(None) if not each.granted] == []
    assert standing() == before


def test_an_open_login_outlives_the_question_and_ends_when_it_was_granted(servers):
    host, port = servers.addresses["web1"]
    file = servers.folder / "spare.key"
    file.touch(mode=0o600)
    file.write_text(servers.own_key.reveal())
    trusting = ["-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR"]
    command = ["ssh", *trusting, "-i", str(file), "-p", str(port), f"{SPARE}@{host}", "cat"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0) as login:

        def lives() -> bool:
            login.stdin.write(b"there?\n")
            return login.stdout.readline() == b"there?\n"

        assert lives()
        provider = provider_of(servers)
        assert told(provider, "web1", SPARE)["signal"].granted
        assert lives()
        provider.end_sessions_at("web1", CredentialRef(KIND, "fleet", SPARE, "SHA256:" + "A" * 43))
        assert login.stdout.read() == b""


def test_one_host_that_is_down_leaves_its_own_open_and_all_of_them_are_unavailable(servers):
    gone = f"gone=127.0.0.2:{free_port('127.0.0.2')}"
    provider = provider_of(servers, hosts=[*servers.settings["hosts"], gone])
    assert granted(provider, "gone") == {"read": None, "replace": None, "signal": None}
    assert {each.why for each in told(provider, "gone").values()} == {"connection_refused: gone"}
    assert granted(provider, "web2") == {"read": True, "replace": True, "signal": True}
    with pytest.raises(Unavailable) as raised:
        provider_of(servers, hosts=[gone]).permissions(ACCOUNT)
    assert raised.value.reason == "connection_refused"


def test_a_host_that_does_not_let_the_rotator_in_refuses_everything_there_alone(servers):
    line, own = key_of_its_own()
    servers.keys_file("web1", ACCOUNT).write_text(line)
    provider = provider_of(servers, own)
    assert granted(provider, "web1") == {"read": True, "replace": True, "signal": True}
    assert granted(provider, "web2") == {"read": False, "replace": False, "signal": False}
    assert "own_key_refused" in told(provider, "web2")["replace"].why


def test_an_account_that_refuses_leaves_the_others_of_its_host_alone(servers):
    line, own = key_of_its_own()
    servers.keys_file("web1", SPARE).write_text(line)
    provider = provider_of(servers, own, user=[ACCOUNT, SPARE])
    found = {each.needs.partition("@")[0]: each.granted for each in provider.permissions(None) if "@web1" in each.needs}
    assert found == {ACCOUNT: False, SPARE: True}


def test_what_only_a_shell_could_tell_is_told_of_nobody_without_one(servers):
    line, own = key_of_its_own('restrict,command="internal-sftp" ')
    servers.keys_file("web1", ACCOUNT).write_text(line)
    assert granted(provider_of(servers, own), "web1") == {"read": True, "replace": None, "signal": None}


def test_a_forced_command_that_goes_by_words_is_asked_with_the_words_that_cut(servers):
    words = "case $SSH_ORIGINAL_COMMAND in *sftp*) exec /usr/lib/openssh/sftp-server;; "
    words += '*) exec sh -c \\"$SSH_ORIGINAL_COMMAND\\";; esac'
    line, own = key_of_its_own(f'command="{words}" ')
    servers.keys_file("web1", SPARE).write_text(line)
    provider = provider_of(servers, own, user=[SPARE])
    assert granted(provider, "web1", SPARE) == {"read": True, "replace": True, "signal": None}
    with pytest.raises(Rejected, match="cannot_cut_sessions"):
        provider.end_sessions_at("web1", CredentialRef(KIND, "fleet", SPARE, "SHA256:" + "A" * 43))


def test_a_list_that_may_not_be_read_is_not_said_to_be(servers):
    file = servers.keys_file("web1", ACCOUNT)
    ref = planted(servers, "web1", ACCOUNT)
    os.chown(file, 0, 0)
    file.chmod(0o600)
    try:
        provider = provider_of(servers)
        read = told(provider, "web1")["read"]
        assert read.granted is False
        assert set(read.verbs) == {LOOK, "install", "uninstall", "revoke"}
        with pytest.raises(Rejected):
            provider.inspect_at("web1", ref)
    finally:
        file.unlink()
        file.touch()
        os.chown(file, file.parent.stat().st_uid, file.parent.stat().st_gid)


def test_a_folder_that_is_not_there_is_no_permission(servers):
    provider = provider_of(servers, authorized_keys=f"{servers.folder}/keys/{{host}}/nowhere/{{user}}")
    assert granted(provider, "web1") == {"read": True, "replace": False, "signal": True}
    with pytest.raises(Rejected):
        provider.uninstall("web1", CredentialRef(KIND, "fleet", ACCOUNT, "SHA256:" + "A" * 43))


def test_somebody_elses_account_is_not_asked(servers):
    with pytest.raises(Rejected) as refusal:
        provider_of(servers).permissions("nobody")
    assert refusal.value.reason == "not_this_account"
