"""Authorities of a real OpenBao server that three real OpenSSH servers trust."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncssh

from rotator.credential import CredentialRef, Leaked, Secret
from rotator.ports.connection import Connection
from rotator.practice.openbao import OpenBao, openbao
from rotator.practice.process import free_port
from rotator.providers.vault_ssh_ca import VaultSshCa, connect
from tests.contracts.case import Case
from tests.servers.ssh_revoked import RevokingHosts, revoking_hosts

KIND = "vault_ssh_ca"
POLICY = """
path "sys/mounts"          { capabilities = ["read"] }
path "+/issuers"           { capabilities = ["list"] }
path "+/roles"             { capabilities = ["list"] }
path "+/issuers/import/+"  { capabilities = ["update"] }
path "+/config/issuers"    { capabilities = ["update"] }
path "+/issuer/+"          { capabilities = ["delete"] }
path "+/roles/rotator-*"   { capabilities = ["update", "delete"] }
path "+/sign/rotator-*"    { capabilities = ["update"] }
"""

LOOKS = """
path "sys/mounts"          { capabilities = ["read"] }
path "+/issuers"           { capabilities = ["list"] }
path "+/roles"             { capabilities = ["list"] }
"""


@dataclass(frozen=True)
class Company:
    """A server, the hosts that trust what it signs, and the rotator's own way to both."""

    server: OpenBao
    hosts: RevokingHosts
    own: Secret
    narrow: Secret

    def connect(self, address: str | None = None, own: Secret | None = None, **changed: object) -> VaultSshCa:
        """Return the provider, which sees the server with the rotator's own token, unless told which."""
        settings = {**self.hosts.settings, **changed}
        del settings["authorized_keys"], settings["revoked_keys"]
        where = address or self.server.address
        return connect(Connection("vault", "vault", None, where, lambda: own or self.own, settings), KIND)

    def engine(self, mount: str) -> None:
        """Enable an ssh engine."""
        self.server.call("POST", f"sys/mounts/{mount}", {"type": "ssh"})

    def authority(self, mount: str, *, default: bool = True) -> tuple[CredentialRef, Secret]:
        """Import a key as somebody did from a file on a laptop, and let every host trust it."""
        key = asyncssh.generate_private_key("ssh-ed25519")
        private, public = key.export_private_key().decode(), key.export_public_key()
        body = {"private_key": private, "public_key": public.decode(), "set_default": default}
        self.server.call("POST", f"{mount}/issuers/import", body)
        for host in self.hosts.servers.hosts:
            with self.hosts.authorities(host).open("ab") as listed:
                listed.write(public)
        return CredentialRef(KIND, "vault", mount, key.get_fingerprint()), Secret(private)


@contextmanager
def company(folder: Path) -> Iterator[Company]:
    """Run both sides until the block ends."""
    with openbao(folder) as server, revoking_hosts() as hosts:
        server.write_policy(KIND, POLICY)
        server.write_policy("looks", LOOKS)
        own = document(server.plant(KIND, "rotator").token, hosts.servers.own_key)
        yield Company(server, hosts, own, document(server.plant("looks").token, hosts.servers.narrow_key))


def document(token: Secret, key: Secret) -> Secret:
    """Return the rotator's own credential, for the server and for the hosts."""
    return Secret(json.dumps({"id": "rotator", "token": token.reveal(), "private_key": key.reveal()}))


@contextmanager
def open_case(tmp_path: Path) -> Iterator[Case]:
    numbers = itertools.count(1)
    with company(tmp_path) as found:

        def plant(owner: str | None = None) -> tuple[CredentialRef, Secret]:
            mount = owner or f"fleet-{next(numbers)}"
            if owner is None:
                found.engine(mount)
            return found.authority(mount)

        nowhere = [f"gone=127.0.0.2:{free_port('127.0.0.2')}"]
        yield Case(
            provider=found.connect(),
            unreachable=found.connect(f"http://127.0.0.1:{free_port()}", hosts=nowhere),
            plant=plant,
            leaked=lambda _, secret: Leaked(secret=secret),
            garbled=lambda secret: Secret(secret.reveal()[: len(secret.reveal()) // 2]),
            unknown=lambda ref: ref.with_id(asyncssh.generate_private_key("ssh-ed25519").get_fingerprint()),
            wrong_account=lambda: CredentialRef(KIND, "vault", "not-here", "SHA256:" + "A" * 43),
            own=found.own,
            narrow=found.connect(own=found.narrow),
        )
