"""Lists of revoked keys as OpenSSH's own program makes and reads them."""

from __future__ import annotations

import subprocess

import asyncssh
import pytest

from rotator.errors import Rejected
from rotator.families.ssh_krl import revokes, with_revoked

NOW = 1_700_000_000


class Keys:
    """Keys in files, and what ssh-keygen says of them."""

    def __init__(self, folder):
        self.folder = folder
        self.authority = self.new("authority")

    def new(self, name: str) -> str:
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(self.folder / name)], check=True)
        return name

    def name(self, key: str) -> str:
        return asyncssh.read_public_key(self.folder / f"{key}.pub").get_fingerprint()

    def krl(self, *arguments: str, text: str = "") -> bytes:
        file = self.folder / "made"
        file.unlink(missing_ok=True)
        subprocess.run(
            ["ssh-keygen", "-q", "-k", "-f", str(file), *arguments], check=True, input=text.encode(), cwd=self.folder
        )
        return file.read_bytes()

    def revoked(self, krl: bytes, public: str) -> bool:
        file = self.folder / "asked"
        file.write_bytes(krl)
        done = subprocess.run(
            ["ssh-keygen", "-Q", "-f", str(file), str(self.folder / public)], capture_output=True, check=False
        )
        assert done.returncode in (0, 1), done.stderr
        return b"REVOKED" in done.stdout


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    return Keys(tmp_path_factory.mktemp("krl"))


@pytest.fixture(scope="module")
def lists(keys):
    """Return lists with every kind of section that ssh-keygen makes."""
    for name in ("one", "two", "three", "signed"):
        keys.new(name)
    sign = ["ssh-keygen", "-q", "-s", "authority", "-I", "somebody", "-n", "deploy", "-z", "7", "signed.pub"]
    subprocess.run(sign, check=True, cwd=keys.folder)
    by_hash = f"hash: {keys.name('two')}\nsha1: {(keys.folder / 'three.pub').read_text()}"
    spec = keys.folder / "spec"
    spec.write_text(by_hash)
    serials = keys.folder / "serials"
    serials.write_text("serial: 7\nid: somebody else\n")
    return {
        "empty": b"",
        "no keys": keys.krl(),
        "a key": keys.krl("one.pub"),
        "hashes": keys.krl("spec"),
        "serials": keys.krl("-s", "authority.pub", "serials"),
        "a comment": keys.krl("-z", "42", "one.pub"),
    }


@pytest.mark.parametrize("kind", ["empty", "no keys", "a key", "hashes", "serials", "a comment"])
def test_openssh_reads_what_is_added_and_all_that_was_there(keys, lists, kind):
    before = lists[kind]
    after = with_revoked(before, keys.name("signed"), NOW)
    assert keys.revoked(after, "signed.pub")
    assert keys.revoked(after, "signed-cert.pub")
    assert not keys.revoked(after, "authority.pub")
    for name in ("one", "two", "three"):
        assert keys.revoked(after, f"{name}.pub") == (bool(before) and keys.revoked(before, f"{name}.pub"))
    assert revokes(after, keys.name("signed"))
    assert with_revoked(after, keys.name("signed"), NOW + 1) == after


def test_a_key_that_stands_there_whole_or_by_its_hash_is_found(keys, lists):
    assert revokes(lists["a key"], keys.name("one"))
    assert revokes(lists["hashes"], keys.name("two"))
    assert not revokes(lists["a key"], keys.name("two"))


def test_many_keys_make_one_list_that_openssh_reads(keys, lists):
    krl = lists["serials"]
    for name in ("one", "two", "three"):
        krl = with_revoked(krl, keys.name(name), NOW)
    assert [keys.revoked(krl, f"{name}.pub") for name in ("one", "two", "three")] == [True] * 3
    assert keys.revoked(krl, "signed-cert.pub")


def test_a_list_cut_off_anywhere_is_never_changed(keys, lists):
    whole = with_revoked(lists["serials"], keys.name("one"), NOW)
    ends = {len(with_revoked(lists["no keys"], keys.name("one"), NOW))}
    for length in range(9, len(whole)):
        try:
            after = with_revoked(whole[:length], keys.name("two"), NOW)
        except Rejected as refusal:
            assert refusal.reason == "krl_corrupt"  # noqa: PT017 - a cut between two sections is a list of its own
        else:
            assert keys.revoked(after, "two.pub")
            ends.add(length)
    assert len(ends) <= 4


@pytest.mark.parametrize(
    ("krl", "reason"),
    [
        (b"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHh7 somebody\n", "krl_is_a_text_file"),
        (b"SSHKRL\n\0" + (2).to_bytes(4, "big") + bytes(32), "krl_not_understood"),
    ],
)
def test_what_is_not_understood_is_never_changed(keys, krl, reason):
    with pytest.raises(Rejected) as refusal:
        with_revoked(krl, keys.name("authority"), NOW)
    assert refusal.value.reason == reason


def test_a_signed_list_is_left_to_its_signer(keys, lists):
    with pytest.raises(Rejected) as refusal:
        with_revoked(lists["a key"] + b"\x04" + bytes(4), keys.name("two"), NOW)
    assert refusal.value.reason == "krl_is_signed"
