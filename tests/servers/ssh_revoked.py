"""Three real OpenSSH servers with a directory, a certificate authority, and lists of revoked keys.

The lists may be replaced by an account of their own, which is not root.
"""

from __future__ import annotations

import contextlib
import itertools
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import asyncssh

from rotator.credential import CredentialRef, Leaked, Secret
from rotator.families.ssh_revocation import RevokedByList
from rotator.ports.connection import Connection
from rotator.practice.process import free_port
from tests.contracts.case import Case
from tests.servers.sshd import Sshds, named, sshds

ACCOUNTS = [named(str(number)) for number in range(1, 4)]
ADMINISTRATOR = named("krl")
_EXTRA = """
RevokedKeys {folder}/krl/{host}/revoked_keys
TrustedUserCAKeys {folder}/krl/{host}/trusted_ca_keys
AuthorizedKeysCommand /bin/cat {folder}/directory/%u
AuthorizedKeysCommandUser nobody
"""


@dataclass(frozen=True)
class RevokingHosts:
    """What runs, and the certificate authority's key."""

    servers: Sshds
    authority: asyncssh.SSHKey

    @property
    def settings(self) -> dict[str, object]:
        """Return the connection's settings."""
        lists = {name: f"{self.servers.folder}/krl/{{host}}/{name}" for name in ("revoked_keys", "trusted_ca_keys")}
        return {**self.servers.settings, **lists, "administrator": ADMINISTRATOR, "user": ACCOUNTS}

    def krl(self, host: str) -> Path:
        """Return a host's list of revoked keys."""
        return self.servers.folder / "krl" / host / "revoked_keys"

    def authorities(self, host: str) -> Path:
        """Return a host's list of certificate authorities."""
        return self.servers.folder / "krl" / host / "trusted_ca_keys"

    def key(self, *accounts: str) -> tuple[str, Secret]:
        """Make a key that the directory lets in; return its fingerprint and the private key."""
        key = asyncssh.generate_private_key("ssh-ed25519")
        for account in accounts:
            with (self.servers.folder / "directory" / account).open("ab") as listed:
                listed.write(key.export_public_key())
        return key.get_fingerprint(), Secret(key.export_private_key().decode())

    def certificate(self, *accounts: str, kind: str = "ssh-ed25519") -> tuple[str, Secret]:
        """Make a key with a certificate for the accounts; return its fingerprint and both as one text."""
        key = asyncssh.generate_private_key(kind)
        signed = self.authority.generate_user_certificate(key, "somebody@laptop", principals=list(accounts))
        both = key.export_private_key() + signed.export_certificate()
        return key.get_fingerprint(), Secret(both.decode())

    def connection(self, own: Secret | None = None, **changed: object) -> Connection:
        """Return the rotator's own way in."""
        held = own or self.servers.own_key
        return Connection("fleet", "ssh", credential=lambda: held, settings={**self.settings, **changed})


@contextlib.contextmanager
def revoking_hosts() -> Iterator[RevokingHosts]:
    """Run the servers until the block ends."""
    authority = asyncssh.generate_private_key("ssh-ed25519")
    with sshds(3, [*ACCOUNTS, ADMINISTRATOR], _EXTRA) as servers:
        (servers.folder / "directory").mkdir()
        for account in ACCOUNTS:
            (servers.folder / "directory" / account).touch()
        hosts = RevokingHosts(servers, authority)
        for host in servers.hosts:
            hosts.krl(host).parent.mkdir(parents=True)
            hosts.krl(host).touch(0o644)
            hosts.authorities(host).write_bytes(authority.export_public_key())
            for path in (hosts.krl(host).parent, hosts.krl(host), hosts.authorities(host)):
                shutil.chown(path, ADMINISTRATOR)
        yield hosts


def krl_case(
    hosts: RevokingHosts, kind: str, connect: Callable[..., RevokedByList], make: Callable[..., tuple[str, Secret]]
) -> Case:
    """Return the contract's case of a kind; `make` plants one for an account."""
    turns = itertools.cycle(ACCOUNTS)

    def plant(owner: str | None = None) -> tuple[CredentialRef, Secret]:
        account = owner or next(turns)
        name, secret = make(account)
        return CredentialRef(kind, "fleet", account, name), secret

    return Case(
        provider=connect(hosts.connection(), kind),
        unreachable=connect(hosts.connection(hosts=[f"gone=127.0.0.2:{free_port('127.0.0.2')}"]), kind),
        plant=plant,
        leaked=lambda _, secret: Leaked(secret=secret),
        garbled=lambda secret: Secret(secret.reveal()[: len(secret.reveal()) // 2]),
        unknown=lambda ref: ref.with_id(asyncssh.generate_private_key("ssh-ed25519").get_fingerprint()),
        wrong_account=lambda: CredentialRef(kind, "fleet", "somebody-else", "SHA256:" + "A" * 43),
        own=hosts.servers.own_key,
        narrow=connect(hosts.connection(hosts.servers.narrow_key), kind),
        lists=False,
    )
