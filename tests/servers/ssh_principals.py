"""Two real OpenSSH servers that trust a certificate authority, each with a list of principals for every account."""

from __future__ import annotations

import contextlib
import itertools
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import asyncssh

from rotator.credential import CredentialRef, Leaked, Secret
from rotator.ports.connection import Connection
from rotator.practice.process import free_port
from rotator.providers.ssh_principal import connect
from tests.contracts.case import Case
from tests.servers.sshd import Sshds, named, sshds

KIND = "ssh_principal"
ACCOUNTS = [named(str(number)) for number in range(1, 5)]
ADMINISTRATOR = named("principals")
_EXTRA = """
TrustedUserCAKeys {folder}/authority.pub
AuthorizedPrincipalsFile {folder}/principals/{host}/%u
"""


@dataclass(frozen=True)
class PrincipalHosts:
    """What runs, and the certificate authority's key."""

    servers: Sshds
    authority: asyncssh.SSHKey

    def listed(self, host: str, account: str) -> Path:
        """Return a host's list of who may come in as an account."""
        return self.servers.folder / "principals" / host / account

    def certificate(self, *principals: str, valid_before: int | str = 0xFFFFFFFFFFFFFFFF) -> Secret:
        """Sign a new key for these principals; return both as one text."""
        key = asyncssh.generate_private_key("ssh-ed25519")
        signed = self.authority.generate_user_certificate(
            key, "somebody@vendor", principals=list(principals), valid_after=0, valid_before=valid_before
        )
        return Secret((key.export_private_key() + signed.export_certificate()).decode())

    def connection(self, own: Secret | None = None, **changed: object) -> Connection:
        """Return the rotator's own way in."""
        held = own or self.servers.own_key
        path = f"{self.servers.folder}/principals/{{host}}/{{user}}"
        more = {"authorized_principals": path, "administrator": ADMINISTRATOR, "user": ACCOUNTS, **changed}
        return Connection("fleet", "ssh", credential=lambda: held, settings={**self.servers.settings, **more})


@contextlib.contextmanager
def principal_hosts() -> Iterator[PrincipalHosts]:
    """Run the servers until the block ends."""
    authority = asyncssh.generate_private_key("ssh-ed25519")
    with sshds(2, [*ACCOUNTS, ADMINISTRATOR], _EXTRA) as servers:
        (servers.folder / "authority.pub").write_bytes(authority.export_public_key())
        hosts = PrincipalHosts(servers, authority)
        for host in servers.hosts:
            folder = hosts.listed(host, "").parent / host
            folder.mkdir(parents=True)
            shutil.chown(folder, ADMINISTRATOR)
            for account in ACCOUNTS:
                hosts.listed(host, account).touch(0o644)
                shutil.chown(hosts.listed(host, account), ADMINISTRATOR)
        yield hosts


def principal_case(hosts: PrincipalHosts) -> Case:
    """Return the contract's case; principals are planted by writing the files, never through the provider."""
    turns, numbers = itertools.cycle(ACCOUNTS), itertools.count(1)

    def plant(owner: str | None = None) -> tuple[CredentialRef, Secret]:
        account, principal = owner or next(turns), f"vendor-{next(numbers)}"
        for host in hosts.servers.hosts:
            with hosts.listed(host, account).open("a" if owner else "w") as listed:
                listed.write(f"no-port-forwarding {principal}\n")
        return CredentialRef(KIND, "fleet", account, f"{account}/{principal}"), hosts.certificate(principal)

    return Case(
        provider=connect(hosts.connection(), KIND),
        unreachable=connect(hosts.connection(hosts=[f"gone=127.0.0.2:{free_port('127.0.0.2')}"]), KIND),
        plant=plant,
        leaked=lambda ref, secret: Leaked(id=ref.id, secret=secret),
        garbled=lambda secret: Secret(secret.reveal()[: len(secret.reveal()) // 2]),
        unknown=lambda ref: ref.with_id(f"{ref.owner}/nobody-has-it"),
        wrong_account=lambda: CredentialRef(KIND, "fleet", "somebody-else", "somebody-else/vendor"),
        own=hosts.servers.own_key,
        narrow=connect(hosts.connection(hosts.servers.narrow_key), KIND),
    )
