"""SSH keys on real OpenSSH servers: what is beyond the contract that every kind passes."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import os
import socket
import stat
import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import asyncssh
import pytest

from rotator.credential import CredentialRef, Leaked, Secret
from rotator.errors import Rejected, RotatorError, Unavailable, Uncertain
from rotator.families import ssh_files
from rotator.ports.connection import Connection
from rotator.ports.provider import Answer, State
from rotator.practice.process import free_port
from rotator.providers.ssh_authorized_key import SshAuthorizedKey, connect
from tests.servers.sshd import ACCOUNT, Sshds, sshds

KIND = "ssh_authorized_key"
OTHER_ACCOUNT = f"{ACCOUNT}-other"
HOSTS = ("web1", "web2", "web3")


@dataclass(frozen=True)
class Key:
    ref: CredentialRef
    secret: Secret
    public: str


def new_key(kind: str = "ssh-ed25519", owner: str = ACCOUNT) -> Key:
    key = asyncssh.generate_private_key(kind, comment="dev@laptop")
    ref = CredentialRef(KIND, "fleet", owner, key.get_fingerprint())
    return Key(ref, Secret(key.export_private_key().decode()), key.export_public_key().decode().strip())


@pytest.fixture(scope="module")
def servers() -> Iterator[Sshds]:
    with sshds(3, (ACCOUNT, OTHER_ACCOUNT)) as running:
        yield running


def provider_of(servers: Sshds, own: Secret | None = None, **changed: object) -> SshAuthorizedKey:
    own = own or servers.own_key
    return connect(Connection("fleet", "ssh", credential=lambda: own, settings={**servers.settings, **changed}), KIND)


@pytest.fixture(scope="module")
def provider(servers: Sshds) -> SshAuthorizedKey:
    return provider_of(servers)


def put(servers: Sshds, text: str | bytes, *hosts: str, account: str = ACCOUNT) -> None:
    for host in hosts or HOSTS:
        servers.keys_file(host, account).write_bytes(text.encode() if isinstance(text, str) else text)


def text_at(servers: Sshds, host: str) -> str:
    return servers.keys_file(host, ACCOUNT).read_text()


def with_gone_host(servers: Sshds, *kept: str) -> dict[str, object]:
    """Return settings in which those hosts stay and another was switched off."""
    hosts = [entry for entry in servers.settings["hosts"] if entry.split("=")[0] in kept]
    return {"hosts": [*hosts, f"gone=127.0.0.2:{free_port('127.0.0.2')}"]}


@pytest.mark.parametrize(
    "odd",
    [
        b"%s\n",
        b"%s",
        b" \t%s dev@laptop\r\n",
        b'from="127.0.0.0/8",command="echo \\"hi there\\"" %s x\n',
        b"restrict\t%s\n",
    ],
)
def test_whatever_way_a_line_is_written_it_is_found_and_taken_away(servers, provider, odd):
    key, other = new_key(), new_key()
    put(servers, odd.replace(b"%s", key.public.encode()))
    assert provider.verify_at("web1", key.ref, key.secret).answer is Answer.ACCEPTED
    assert provider.inspect_at("web1", key.ref).state is State.ACTIVE
    provider.uninstall("web1", key.ref)
    assert provider.verify_at("web1", key.ref, key.secret).answer is Answer.REJECTED
    assert provider.inspect_at("web1", other.ref).state is State.ABSENT


@pytest.mark.parametrize("hidden", ["\x0b", "\x0c", "\r"])
def test_white_space_that_sshd_skips_inside_a_key_does_not_hide_it_from_us(servers, provider, hidden):
    key = new_key()
    put(servers, key.public[:40] + hidden + key.public[40:] + "\n")
    assert provider.verify_at("web1", key.ref, key.secret).answer is Answer.ACCEPTED
    provider.uninstall("web1", key.ref)
    assert provider.verify_at("web1", key.ref, key.secret).answer is Answer.REJECTED


def test_a_line_that_goes_on_after_a_nul_is_read_as_sshd_reads_it(servers, provider):
    key = new_key()
    put(servers, key.public.encode() + b"\0ssh-ed25519 AAAA\n")
    assert provider.verify_at("web1", key.ref, key.secret).answer is Answer.ACCEPTED
    provider.uninstall("web1", key.ref)
    assert provider.verify_at("web1", key.ref, key.secret).answer is Answer.REJECTED


@pytest.mark.parametrize("kind", ["ssh-rsa", "ecdsa-sha2-nistp384"])
def test_older_kinds_of_key_are_named_and_knocked_with(servers, provider, kind):
    key = new_key(kind)
    put(servers, key.public + "\n")
    assert provider.identify(Leaked(secret=key.secret)) == key.ref
    assert provider.verify(key.ref, key.secret).answer is Answer.ACCEPTED
    provider.revoke(key.ref)
    assert provider.verify(key.ref, key.secret).answer is Answer.REJECTED


def test_the_replacement_stands_under_the_restrictions_of_the_exposed_key(servers, provider):
    key = new_key()
    options = 'from="127.0.0.0/8",command="/bin/echo \\"hi there\\""'
    put(servers, f"{options} {key.public}\n", "web1")
    put(servers, f"{key.public}\n", "web2")
    put(servers, f"{new_key().public}\n", "web3")
    preserved = provider.preserve(key.ref)
    assert {name: value for name, value in preserved.items() if not name.startswith("comment@")} == {
        "fingerprint": key.ref.id,
        "listed@web1": "yes",
        "options@web1": options,
        "listed@web2": "yes",
        "options@web2": "",
        "listed@web3": "no",
    }
    provider.revoke(key.ref)
    new = provider.generate(key.ref)
    for host in ("web1", "web2"):
        provider.install(host, new.ref, new.public, preserved)
        provider.install(host, new.ref, new.public, preserved)
        assert provider.verify_at(host, new.ref, new.secret).answer is Answer.ACCEPTED
    assert text_at(servers, "web1").splitlines()[-1] == f"{options} {new.public['public_key']}"
    assert text_at(servers, "web2").splitlines()[-1] == new.public["public_key"]
    with pytest.raises(Rejected) as refusal:
        provider.install("web3", new.ref, new.public, preserved)
    assert refusal.value.reason == "never_listed_here"
    assert provider.verify_at("web3", new.ref, new.secret).answer is Answer.REJECTED


def test_options_that_may_hold_a_secret_are_copied_on_the_host_and_kept_nowhere_else(servers, provider):
    key = new_key()
    put(servers, f'environment="TOKEN=canary-4711" {key.public}\n')
    preserved = provider.preserve(key.ref)
    assert "canary-4711" not in repr(preserved)
    new = provider.generate(key.ref)
    provider.install("web1", new.ref, new.public, preserved)
    assert text_at(servers, "web1").splitlines()[-1] == f'environment="TOKEN=canary-4711" {new.public["public_key"]}'
    provider.uninstall("web2", key.ref)
    with pytest.raises(Rejected) as refusal:
        provider.install("web2", new.ref, new.public, preserved)
    assert refusal.value.reason == "options_unknown"


def test_an_edit_leaves_everything_else_as_it_was(servers, provider):
    key, other = new_key(), new_key()
    before = f"# kept\r\n\n{other.public}\r\n  {key.public}\nnot a key\n{other.public} again"
    put(servers, before, "web1")
    link = servers.keys_file("web1", ACCOUNT)
    real = link.with_name("elsewhere")
    link.rename(real)
    link.symlink_to(real)
    try:
        provider.uninstall("web1", key.ref)
        assert real.read_bytes() == before.replace(f"  {key.public}\n", "").encode()
        assert link.is_symlink()
        assert stat.S_IMODE(real.stat().st_mode) == 0o600
        assert sorted(each.name for each in real.parent.iterdir()) == ["authorized_keys", "elsewhere"]
        unchanged = real.stat()
        provider.uninstall("web1", key.ref)
        assert real.stat().st_ino == unchanged.st_ino
    finally:
        link.unlink()
        real.rename(link)


def test_the_rotators_own_key_is_never_taken_away(servers, provider):
    own = asyncssh.import_private_key(servers.own_key.reveal())
    line = own.export_public_key().decode()
    put(servers, line)
    ref = CredentialRef(KIND, "fleet", ACCOUNT, own.get_fingerprint())
    assert provider.identify(Leaked(secret=servers.own_key)) == ref
    for act in (lambda: provider.revoke(ref), lambda: provider.uninstall("web1", ref)):
        with pytest.raises(Rejected) as refusal:
            act()
        assert refusal.value.reason == "own_key"
    assert text_at(servers, "web1") == line


def test_once_the_connection_has_another_key_its_old_one_can_be_taken_away(servers):
    old, new = new_key(), new_key()
    own = [old.secret]
    put(servers, f"{old.public}\n{new.public}\n")
    provider = connect(Connection("fleet", "ssh", credential=lambda: own[0], settings=servers.settings), KIND)
    assert provider.inspect(old.ref).state is State.ACTIVE
    own[0] = new.secret
    provider.revoke(old.ref)
    assert provider.verify(old.ref, old.secret).answer is Answer.REJECTED
    assert provider.inspect(new.ref).state is State.ACTIVE


@contextlib.contextmanager
def live_session(servers: Sshds, host: str, key: Key, folder: Path, *options: str) -> Iterator[subprocess.Popen[bytes]]:
    """Hold a session open with the system's own client until the block ends; it is in once it has said so."""
    identity = folder / f"{key.ref.id[7:15].replace('/', '_')}.{host}.{len(list(folder.iterdir()))}"
    identity.touch(mode=0o600)
    identity.write_text(key.secret.reveal())
    known = folder / "known_hosts"
    known.write_text(servers.known_hosts)
    address, port = servers.addresses[host]
    settings = [
        "BatchMode=yes",
        "IdentitiesOnly=yes",
        "IdentityAgent=none",
        f"UserKnownHostsFile={known}",
        "LogLevel=VERBOSE",
    ]
    flags = [part for each in settings for part in ("-o", each)]
    where = ["-F", "/dev/null", "-i", str(identity), "-p", str(port), "-l", key.ref.owner]
    command = [] if "-N" in options else ["echo in; exec cat"]
    process = subprocess.Popen(
        ["ssh", *where, *flags, *options, address, *command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    try:
        said = b""
        while b"\nin" not in said and not ("-N" in options and b"Authenticated to" in said):
            line = os.read(process.stdout.fileno(), 4096)
            assert line, said
            said += line.replace(b"\r", b"\n")
        yield process
    finally:
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()


def test_sessions_outlive_the_key_until_they_are_cut_and_the_count_is_true(tmp_path):
    key, neighbour = new_key(), new_key(owner=OTHER_ACCOUNT)
    with contextlib.ExitStack() as stack:
        servers = stack.enter_context(sshds(2, (ACCOUNT, OTHER_ACCOUNT)))
        provider = provider_of(servers)
        put(servers, key.public + "\n", *servers.hosts)
        put(servers, neighbour.public + "\n", *servers.hosts, account=OTHER_ACCOUNT)
        exposed = [
            stack.enter_context(live_session(servers, "web1", key, tmp_path)),
            stack.enter_context(live_session(servers, "web1", key, tmp_path, "-tt")),
            stack.enter_context(live_session(servers, "web1", key, tmp_path, "-N")),
        ]
        elsewhere = stack.enter_context(live_session(servers, "web2", key, tmp_path))
        innocent = stack.enter_context(live_session(servers, "web1", neighbour, tmp_path))
        provider.revoke(key.ref)
        assert provider.verify_at("web1", key.ref, key.secret).answer is Answer.REJECTED
        assert [each.poll() for each in exposed] == [None, None, None]

        assert provider.end_sessions_at("web1", key.ref)["sessions_cut"] == "3"
        assert [each.wait(10) for each in exposed] == [255, 255, 255]
        assert provider.end_sessions_at("web1", key.ref)["sessions_cut"] == "0"
        assert provider.inspect_at("web1", key.ref).state is State.ABSENT

        for alive in (elsewhere, innocent):
            alive.stdin.write(b"still here\n")
            alive.stdin.flush()
            assert os.read(alive.stdout.fileno(), 4096) == b"still here\n"


def test_sessions_that_outlived_their_sshd_are_cut_too(tmp_path):
    key = new_key(owner=f"{ACCOUNT}-orphan")
    with contextlib.ExitStack() as stack:
        lives = stack.enter_context(sshds(1, (key.ref.owner,)))
        with sshds(1, (key.ref.owner,)) as ends:
            put(ends, key.public + "\n", "web1", account=key.ref.owner)
            orphan = stack.enter_context(live_session(ends, "web1", key, tmp_path))
            elsewhere = provider_of(lives).end_sessions_at("web1", key.ref)
            assert (elsewhere["sessions_cut"], elsewhere["sessions_at_another_sshd"]) == ("0", "1")
        assert orphan.poll() is None
        assert provider_of(lives).end_sessions_at("web1", key.ref)["sessions_cut"] == "2"  # our own of before, too
        assert orphan.wait(10) == 255


def test_a_host_that_carries_nothing_out_is_not_taken_for_cut():
    with sshds(1, extra="ForceCommand internal-sftp") as files_only:
        provider, ref = provider_of(files_only), new_key().ref
        assert provider.inspect_at("web1", ref).state is State.ABSENT
        with pytest.raises(Rejected) as refusal:
            provider.end_sessions_at("web1", ref)
        assert refusal.value.reason == "cannot_cut_sessions"


def test_an_own_key_that_may_only_run_a_command_is_said_to_be_so(servers):
    own = new_key()
    put(servers, f'command="/bin/true" {own.public}\n')
    with pytest.raises(Rejected) as refusal:
        provider_of(servers, own.secret).inspect_at("web1", new_key().ref)
    assert refusal.value.reason == "no_sftp"


def test_a_broken_session_of_our_own_is_opened_again(servers):
    mine, theirs = provider_of(servers), provider_of(servers)
    ref = new_key().ref
    assert mine.inspect_at("web1", ref).state is State.ABSENT
    assert int(theirs.end_sessions_at("web1", ref)["sessions_cut"]) >= 1
    with contextlib.suppress(Unavailable):  # the loss may not have been noticed yet
        mine.inspect_at("web1", ref)
    assert mine.inspect_at("web1", ref).state is State.ABSENT


def test_a_key_that_only_a_second_factor_stops_is_not_called_refused():
    with sshds(1, extra="AuthenticationMethods publickey,password\nPasswordAuthentication yes") as strict:
        key = new_key()
        put(strict, key.public + "\n", "web1")
        provider = provider_of(strict)
        verdict = provider.verify_at("web1", key.ref, key.secret)
        assert (verdict.answer, verdict.reason) == (Answer.INCONCLUSIVE, "known_but_not_let_in")
        stranger = new_key()
        assert provider.verify_at("web1", stranger.ref, stranger.secret).answer is Answer.REJECTED


def test_a_host_without_public_keys_says_nothing_about_one():
    with sshds(1, extra="PubkeyAuthentication no\nPasswordAuthentication yes") as other:
        key = new_key()
        verdict = provider_of(other).verify_at("web1", key.ref, key.secret)
        assert (verdict.answer, verdict.reason) == (Answer.INCONCLUSIVE, "public_keys_not_offered")


def test_a_host_that_lets_everybody_in_says_nothing_about_a_key():
    class Open(asyncssh.SSHServer):
        def begin_auth(self, username):  # noqa: ARG002 - asyncssh's signature
            return False

    host_key, key = asyncssh.generate_private_key("ssh-ed25519"), new_key()
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    async def start():
        return await asyncssh.listen("127.0.0.1", 0, server_factory=Open, server_host_keys=[host_key])

    server = asyncio.run_coroutine_threadsafe(start(), loop).result(10)
    try:
        known = f"[127.0.0.1]:{server.get_port()} {host_key.export_public_key().decode()}"
        settings = {"hosts": [f"open=127.0.0.1:{server.get_port()}"], "user": ACCOUNT, "known_hosts": known}
        verdict = connect(Connection("fleet", "ssh", settings=settings), KIND).verify_at("open", key.ref, key.secret)
        assert (verdict.answer, verdict.reason) == (Answer.INCONCLUSIVE, "let_in_without_the_key")
    finally:
        loop.call_soon_threadsafe(server.close)
        asyncio.run_coroutine_threadsafe(server.wait_closed(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def test_an_impostor_is_never_spoken_to(servers):
    key = new_key()
    put(servers, key.public + "\n")
    wrong = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode()
    lines = [f"[{address}]:{port} {wrong}" for address, port in servers.addresses.values()]
    provider = provider_of(servers, known_hosts="".join(lines))
    verdict = provider.verify_at("web1", key.ref, key.secret)
    assert (verdict.answer, verdict.reason) == (Answer.INCONCLUSIVE, "host_key_not_verified")
    with pytest.raises(Rejected) as refusal:
        provider.uninstall("web1", key.ref)
    assert refusal.value.reason == "host_key_not_verified"
    with pytest.raises(Unavailable) as raised:
        provider.identify(Leaked(secret=key.secret))
    assert raised.value.reason == "host_key_not_verified"


def test_no_agent_is_asked_for_another_key(servers, monkeypatch, tmp_path):
    key = new_key()
    put(servers, new_key().public + "\n")
    with socket.socket(socket.AF_UNIX) as agent:
        agent.bind(str(tmp_path / "agent"))
        agent.listen()
        agent.setblocking(False)
        monkeypatch.setenv("SSH_AUTH_SOCK", str(tmp_path / "agent"))
        provider = provider_of(servers)
        assert provider.verify_at("web1", key.ref, key.secret).answer is Answer.REJECTED
        assert provider.inspect_at("web1", key.ref).state is State.ABSENT
        with pytest.raises(BlockingIOError):
            agent.accept()


def test_a_host_that_is_down_hides_nothing_and_stops_no_other(servers):
    key = new_key()
    put(servers, key.public + "\n")
    provider = provider_of(servers, **with_gone_host(servers, "web1", "web2"))
    assert provider.targets(key.ref) == ("web1", "web2", "gone")
    assert provider.identify(Leaked(id=key.ref.id)) == key.ref
    status = provider.inspect(key.ref)
    assert (status.state, dict(status.facts)) == (State.ACTIVE, {"listed_on": "web1,web2", "not_reached": "gone"})
    assert provider.verify(key.ref, key.secret).answer is Answer.ACCEPTED
    assert provider.preserve(key.ref)["listed@gone"] == "unknown: connection_refused"
    with pytest.raises(Unavailable):
        provider.siblings(key.ref)
    with pytest.raises(Unavailable) as raised:
        provider.revoke(key.ref)
    assert raised.value.detail == "gone connection_refused"
    assert text_at(servers, "web1") == text_at(servers, "web2") != text_at(servers, "web3")
    verdict = provider.verify(key.ref, key.secret)
    assert (verdict.answer, verdict.reason) == (Answer.INCONCLUSIVE, "not_all_reached")
    for ask in (lambda: provider.inspect(key.ref), lambda: provider.identify(Leaked(secret=key.secret))):
        with pytest.raises(Unavailable):
            ask()


def test_a_key_that_no_host_lists_is_not_ours(servers, provider):
    put(servers, "")
    with pytest.raises(Rejected) as refusal:
        provider.identify(Leaked(secret=new_key().secret))
    assert refusal.value.reason == "unknown_credential"


def test_a_key_of_two_accounts_is_left_to_a_person(servers, provider):
    key = new_key()
    put(servers, key.public + "\n", "web1")
    put(servers, key.public + "\n", "web2", account=OTHER_ACCOUNT)
    with pytest.raises(Rejected) as refusal:
        provider.identify(Leaked(secret=key.secret))
    assert refusal.value.reason == "several_accounts"
    assert provider.identify(Leaked(secret=key.secret, owner=OTHER_ACCOUNT)).owner == OTHER_ACCOUNT
    put(servers, "", account=OTHER_ACCOUNT)


def mispaired() -> str:
    """Return an OpenSSH private key whose open public half is another key's."""
    one, two = asyncssh.generate_private_key("ssh-ed25519"), asyncssh.generate_private_key("ssh-ed25519")
    pem = one.export_private_key().decode()
    body = base64.b64decode("".join(pem.splitlines()[1:-1])).replace(one.public_data, two.public_data, 1)
    return "\n".join([pem.splitlines()[0], base64.b64encode(body).decode(), pem.splitlines()[-1]])


def openssh_protected(path: Path) -> tuple[str, str]:
    """Return a private key as ssh-keygen protects it, and its fingerprint."""
    file = path / "protected"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "hunter2", "-f", str(file)], check=True)
    return file.read_text(), asyncssh.read_public_key(file.with_suffix(".pub")).get_fingerprint()


def test_a_protected_key_is_named_for_the_person_who_must_see_to_it(provider, tmp_path):
    pem, fingerprint = openssh_protected(tmp_path)
    with pytest.raises(Rejected) as refusal:
        provider.identify(Leaked(secret=Secret(pem)))
    assert refusal.value.reason == "unreadable"
    assert "passphrase" in refusal.value.detail
    assert fingerprint in refusal.value.detail


@pytest.mark.parametrize("form", ["pkcs1-pem", "pkcs8-pem"])
def test_an_older_protected_key_is_said_to_be_protected(provider, form):
    pem = asyncssh.generate_private_key("ssh-rsa").export_private_key(form, passphrase="hunter2").decode()
    with pytest.raises(Rejected) as refusal:
        provider.identify(Leaked(secret=Secret(pem)))
    assert refusal.value.reason == "unreadable"
    assert "passphrase" in refusal.value.detail


@pytest.mark.parametrize(
    "text", ["", "not a key", mispaired(), '{"id": "x"}', "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA"]
)
def test_garbled_material_is_unreadable_and_proves_nothing(servers, provider, text):
    key = new_key()
    put(servers, key.public + "\n")
    with pytest.raises(Rejected) as refusal:
        provider.identify(Leaked(secret=Secret(text)))
    assert refusal.value.reason == "unreadable"
    assert provider.verify(key.ref, Secret(text)).answer is Answer.INCONCLUSIVE


def test_another_keys_material_proves_nothing_about_this_one(servers, provider):
    key, other = new_key(), new_key()
    put(servers, key.public + "\n")
    verdict = provider.verify(key.ref, other.secret)
    assert (verdict.answer, verdict.reason) == (Answer.INCONCLUSIVE, "other_key")
    with pytest.raises(Rejected) as refusal:
        provider.identify(Leaked(id=key.ref.id, secret=other.secret))
    assert refusal.value.reason == "unreadable"


@pytest.mark.parametrize(
    "spoilt",
    [lambda pem: pem.replace("\n", "\\n"), lambda pem: pem.replace("\n", "\r\n"), lambda pem: pem.replace("\n", " ")],
)
def test_a_key_that_a_report_wrote_in_its_own_way_is_still_that_key(servers, provider, spoilt):
    key = new_key()
    put(servers, key.public + "\n")
    assert provider.identify(Leaked(secret=Secret(spoilt(key.secret.reveal())))) == key.ref


def test_two_workers_may_edit_one_file_at_once(servers):
    keys, stays = [new_key() for _ in range(6)], new_key()
    put(servers, "".join(f"{key.public}\n" for key in [*keys, stays]), "web1")
    workers = [provider_of(servers), provider_of(servers)]

    def take_away(number: int) -> int:
        """Ask again for as long as another hand is at the file, as the flow does; return how often it was."""
        for busy in range(2000):
            try:
                workers[number % 2].uninstall("web1", keys[number].ref)
            except Unavailable as error:
                assert error.reason == "being_edited"  # noqa: PT017 - the other outcome is right too
            else:
                return busy
        raise AssertionError("the file was never free")

    with ThreadPoolExecutor(len(keys)) as pool:
        list(pool.map(take_away, range(len(keys))))
    assert text_at(servers, "web1") == f"{stays.public}\n"
    assert [each.name for each in servers.keys_file("web1", ACCOUNT).parent.iterdir()] == ["authorized_keys"]


def test_an_edit_by_a_hand_that_knows_no_lock_is_not_overwritten(servers, provider, monkeypatch):
    key, new = new_key(), new_key()
    put(servers, key.public + "\n", "web1")
    write = ssh_files._write

    async def write_while_somebody_edits(*args):
        await write(*args)
        put(servers, f"{key.public}\n{new.public}\n", "web1")

    monkeypatch.setattr(ssh_files, "_write", write_while_somebody_edits)
    with pytest.raises(Unavailable) as raised:
        provider.uninstall("web1", key.ref)
    assert raised.value.reason == "being_edited"
    monkeypatch.undo()
    provider.uninstall("web1", key.ref)
    assert text_at(servers, "web1") == f"{new.public}\n"


def test_a_dead_workers_lock_is_broken_and_a_live_ones_is_not(servers, provider):
    key = new_key()
    put(servers, key.public + "\n", "web1")
    keys = servers.keys_file("web1", ACCOUNT)
    lock = keys.with_name(f"{keys.name}.rotator-lock")
    lock.mkdir()
    os.chown(lock, keys.stat().st_uid, keys.stat().st_gid)
    try:
        for _ in range(2):
            with pytest.raises(Unavailable) as raised:
                provider.uninstall("web1", key.ref)
            assert raised.value.reason == "being_edited"
        os.utime(lock, (lock.stat().st_atime, lock.stat().st_mtime - 60))
        with pytest.raises(Unavailable):
            provider.uninstall("web1", key.ref)
        provider.uninstall("web1", key.ref)
    finally:
        if lock.exists():
            lock.rmdir()
    assert provider.inspect_at("web1", key.ref).state is State.ABSENT


@pytest.mark.parametrize(("done_first", "state"), [(True, State.ABSENT), (False, State.ACTIVE)])
def test_an_answer_lost_in_the_one_step_that_counts_is_uncertain(servers, monkeypatch, done_first, state):
    key = new_key()
    put(servers, key.public + "\n", "web1")
    provider = provider_of(servers)
    provider.inspect_at("web1", key.ref)
    rename = asyncssh.SFTPClient.posix_rename

    async def lost(sftp, old, new):
        if done_first:
            await rename(sftp, old, new)
        provider._fleet._doors["web1", ACCOUNT].connection.abort()
        await rename(sftp, old, new)

    monkeypatch.setattr(asyncssh.SFTPClient, "posix_rename", lost)
    with pytest.raises(Uncertain) as raised:
        provider.uninstall("web1", key.ref)
    assert raised.value.reason == "connection_lost"
    monkeypatch.undo()
    assert provider.inspect_at("web1", key.ref).state is state
    keys = servers.keys_file("web1", ACCOUNT)
    lock = keys.with_name(f"{keys.name}.rotator-lock")
    assert lock.is_dir()
    lock.rmdir()
    for left in keys.parent.glob("*.rotator-*"):
        left.unlink()


@pytest.mark.parametrize(
    ("own", "reason"),
    [(Secret("nonsense"), "own_key_unreadable"), (new_key().secret, "own_key_refused")],
)
def test_what_is_wrong_with_our_own_key_is_said(servers, own, reason):
    with pytest.raises(Rejected) as refusal:
        provider_of(servers, own).uninstall("web1", new_key().ref)
    assert refusal.value.reason == reason


def test_a_public_key_that_is_not_the_credentials_is_not_installed(servers, provider):
    put(servers, "")
    new, other = provider.generate(new_key().ref), new_key()
    for public in ({"public_key": other.public}, {}, {"public_key": f"{other.public}\n{other.public}"}):
        with pytest.raises(Rejected):
            provider.install("web1", new.ref, public, {})
    assert text_at(servers, "web1") == ""


def test_a_host_that_is_not_in_the_settings_is_refused(provider):
    for call in (
        lambda: provider.inspect_at("nowhere", new_key().ref),
        lambda: provider.uninstall("nowhere", new_key().ref),
    ):
        with pytest.raises(RotatorError) as raised:
            call()
        assert raised.value.reason == "unknown_target"


def test_every_key_is_listed_with_its_hosts_and_those_that_were_not_asked(servers):
    key, other = new_key(), new_key()
    put(servers, f"{key.public}\n{other.public}\n", "web1")
    put(servers, key.public + "\n", "web2")
    provider = provider_of(servers, **with_gone_host(servers, "web1", "web2"))
    found = {each.ref: each.facts["listed_on"] for each in provider.discover()}
    assert found == {key.ref: "web1,web2", other.ref: "web1"}
    assert {each.facts["not_reached"] for each in provider.discover()} == {"gone"}


def test_its_own_key_is_told_by_its_fingerprint_and_its_absence_is_an_error(servers, provider):
    mine = new_key()
    assert provider_of(servers, mine.secret).own() == mine.ref.id
    assert provider.own() == asyncssh.import_private_key(servers.own_key.reveal()).get_fingerprint()
    with pytest.raises(Rejected) as refusal:
        connect(Connection("fleet", "ssh", settings=servers.settings), KIND).own()
    assert refusal.value.reason == "no_own_key"
