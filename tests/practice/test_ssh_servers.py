"""The practice range's SSH hosts, tried with the system's own client where the contract does not reach."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator

import asyncssh
import pytest

from rotator.credential import CredentialRef
from rotator.ports.connection import Connection
from rotator.practice.ssh_servers import SshServers, ssh_servers
from rotator.providers.ssh_authorized_key import connect


@pytest.fixture
def servers(tmp_path) -> Iterator[SshServers]:
    with ssh_servers(tmp_path / "ssh", ("web-1", "db-1")) as running:
        yield running


@pytest.fixture
def ssh(servers, tmp_path):
    """Return what starts the system's client with a key that every host lets in."""
    key = asyncssh.generate_private_key("ssh-ed25519", comment="dev@laptop")
    servers.authorize(key.export_public_key().decode().strip())
    identity, known = tmp_path / "id", tmp_path / "known_hosts"
    identity.touch(mode=0o600)
    identity.write_bytes(key.export_private_key())
    known.write_text(servers.known_hosts)
    flags = [
        part for each in ("BatchMode=yes", "IdentityAgent=none", f"UserKnownHostsFile={known}") for part in ("-o", each)
    ]
    ports = {name: port for name, _, port in servers.doors()}

    def start(host: str, *command: str) -> subprocess.Popen[bytes]:
        where = ["-F", "/dev/null", "-i", str(identity), "-p", str(ports[host]), f"{servers.user}@127.0.0.1"]
        return subprocess.Popen(
            ["ssh", *flags, *where, *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    return start


def test_each_host_says_its_name_and_carries_out_nothing_else(ssh):
    said = [ssh(host, "hostname").communicate() for host in ("web-1", "db-1")]
    assert [out for out, _ in said] == [b"web-1\n", b"db-1\n"]
    refused = ssh("web-1", "cat /etc/passwd")
    out, words = refused.communicate()
    assert (out, refused.returncode) == (b"", 127)
    assert b"does not carry that out" in words


def test_files_beyond_the_accounts_folder_are_not_there(servers):
    provider = connect(
        Connection(
            "range",
            "ssh",
            credential=lambda: servers.own_key,
            settings={**servers.settings, "authorized_keys": "../../../../../../etc/passwd"},
        ),
        "ssh_authorized_key",
    )
    ref = CredentialRef("ssh_authorized_key", "range", servers.user, "SHA256:" + "A" * 43)
    assert provider.siblings(ref) == frozenset()
    assert not provider.preserve(ref)["listed@web-1"].startswith("unknown")


def test_a_live_session_is_cut_and_counted(servers, ssh):
    provider = connect(
        Connection("range", "ssh", credential=lambda: servers.own_key, settings=servers.settings), "ssh_authorized_key"
    )
    ref = CredentialRef("ssh_authorized_key", "range", servers.user, "SHA256:" + "A" * 43)
    with ssh("web-1", "-T") as session, ssh("db-1", "hostname") as elsewhere:
        assert elsewhere.communicate()[0] == b"db-1\n"
        while provider.end_sessions_at("web-1", ref)["sessions_cut"] == "0":
            assert session.poll() is None  # not in yet
        assert session.wait(10) == 255
        session.communicate()
    assert provider.end_sessions_at("web-1", ref)["sessions_cut"] == "0"
