"""The contract's case of SSH keys, for real OpenSSH servers and for the practice range's own alike."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

import asyncssh

from rotator.credential import CredentialRef, Leaked, Secret
from rotator.ports.connection import Connection
from rotator.practice.process import free_port
from rotator.providers.ssh_authorized_key import connect
from tests.contracts.case import Case
from tests.servers.sshd import named

KIND = "ssh_authorized_key"
ACCOUNTS = [named(str(number)) for number in range(1, 7)]
"""A test plants for four fresh owners at most; an owner is fresh again when its turn comes."""


class Servers(Protocol):
    """What both kinds of server offer."""

    @property
    def settings(self) -> dict[str, object]: ...
    @property
    def hosts(self) -> Iterable[str]: ...
    @property
    def own_key(self) -> Secret: ...
    def keys_file(self, host: str, account: str) -> Path: ...


def ssh_case(servers: Servers, narrow: Secret | None = None) -> Case:
    """Return the case; keys are planted by writing the files, never through the provider.

    `narrow` lets in for reading files alone, where the servers have such a key.
    """
    turns = itertools.cycle(ACCOUNTS)

    def connection(settings: dict[str, object], own: Secret = servers.own_key) -> Connection:
        return Connection("fleet", "ssh", credential=lambda: own, settings=settings)

    def plant(owner: str | None = None) -> tuple[CredentialRef, Secret]:
        key = asyncssh.generate_private_key("ssh-ed25519", comment="somebody@laptop")
        account = owner or next(turns)
        for host in servers.hosts:
            with servers.keys_file(host, account).open("a" if owner else "w") as keys:
                keys.write(key.export_public_key().decode())
        ref = CredentialRef(KIND, "fleet", account, key.get_fingerprint())
        return ref, Secret(key.export_private_key().decode())

    nowhere = {**servers.settings, "hosts": [f"gone=127.0.0.2:{free_port('127.0.0.2')}"]}
    return Case(
        provider=connect(connection(servers.settings), KIND),
        unreachable=connect(connection(nowhere), KIND),
        plant=plant,
        leaked=lambda _, secret: Leaked(secret=secret),
        garbled=lambda secret: Secret(secret.reveal()[: len(secret.reveal()) // 2]),
        unknown=lambda ref: ref.with_id(asyncssh.generate_private_key("ssh-ed25519").get_fingerprint()),
        wrong_account=lambda: CredentialRef(KIND, "fleet", "somebody-else", "SHA256:" + "A" * 43),
        own=servers.own_key,
        narrow=connect(connection(servers.settings, narrow), KIND) if narrow else None,
    )
