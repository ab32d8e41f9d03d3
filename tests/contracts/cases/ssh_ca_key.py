"""Certificate authorities that three real OpenSSH servers trust."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncssh

from rotator.credential import CredentialRef, Leaked, Secret
from rotator.practice.process import free_port
from rotator.providers.ssh_ca_key import connect
from tests.contracts.case import Case
from tests.servers.ssh_revoked import RevokingHosts, revoking_hosts

KIND = "ssh_ca_key"


def new_authority(hosts: RevokingHosts, name: str, *trusting: str) -> tuple[CredentialRef, Secret]:
    """Make a key of that authority which the hosts trust: all of them, unless told which."""
    key = asyncssh.generate_private_key("ssh-ed25519", comment=name)
    for host in trusting or hosts.servers.hosts:
        with hosts.authorities(host).open("ab") as listed:
            listed.write(key.export_public_key())
    return CredentialRef(KIND, "fleet", name, key.get_fingerprint()), Secret(key.export_private_key().decode())


@contextmanager
def open_case(tmp_path: Path) -> Iterator[Case]:  # noqa: ARG001 - sshd needs a folder that its accounts may enter
    numbers = itertools.count(1)
    with revoking_hosts() as hosts:
        yield Case(
            provider=connect(hosts.connection(), KIND),
            unreachable=connect(hosts.connection(hosts=[f"gone=127.0.0.2:{free_port('127.0.0.2')}"]), KIND),
            plant=lambda owner=None: new_authority(hosts, owner or f"authority-{next(numbers)}"),
            leaked=lambda _, secret: Leaked(secret=secret),
            garbled=lambda secret: Secret(secret.reveal()[: len(secret.reveal()) // 2]),
            unknown=lambda ref: ref.with_id(asyncssh.generate_private_key("ssh-ed25519").get_fingerprint()),
            own=hosts.servers.own_key,
            narrow=connect(hosts.connection(hosts.servers.narrow_key), KIND),
        )
