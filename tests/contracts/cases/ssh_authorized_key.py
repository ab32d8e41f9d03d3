"""The SSH keys of several accounts on three real OpenSSH servers."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator
from pathlib import Path

import asyncssh

from rotator.credential import CredentialRef, Leaked, Secret
from rotator.ports import Connection
from rotator.practice.process import free_port
from rotator.providers.ssh_authorized_key import connect
from tests.contracts.case import Case
from tests.servers.sshd import sshds

KIND = "ssh_authorized_key"
ACCOUNTS = [f"rotator-test-{number}" for number in range(1, 7)]
"""More than one test plants for fresh owners; an owner becomes fresh again when its turn comes."""


@contextlib.contextmanager
def open_case(tmp_path: Path) -> Iterator[Case]:  # noqa: ARG001 - sshd needs a folder that accounts can enter
    with sshds(3, ACCOUNTS) as servers:
        turns = itertools.cycle(ACCOUNTS)

        def connection(settings: dict[str, object]) -> Connection:
            return Connection("fleet", "ssh", credential=lambda: servers.own_key, settings=settings)

        def plant(owner: str | None = None) -> tuple[CredentialRef, Secret]:
            key = asyncssh.generate_private_key("ssh-ed25519", comment="somebody@laptop")
            account = owner or next(turns)
            public = key.export_public_key().decode().strip()
            for host in servers.addresses:
                path = servers.keys_file(host, account)
                before = path.read_text().splitlines() if owner and path.exists() else []
                servers.write_keys(host, account, *before, public)
            ref = CredentialRef(KIND, "fleet", account, key.get_fingerprint())
            return ref, Secret(key.export_private_key().decode())

        nowhere = {**servers.settings, "hosts": [f"gone=127.0.0.2:{free_port('127.0.0.2')}"]}
        yield Case(
            provider=connect(connection(servers.settings), KIND),
            unreachable=connect(connection(nowhere), KIND),
            plant=plant,
            leaked=lambda _, secret: Leaked(secret=secret),
            garbled=lambda secret: Secret(secret.reveal()[: len(secret.reveal()) // 2]),
            unknown=lambda ref: ref.with_id(asyncssh.generate_private_key("ssh-ed25519").get_fingerprint()),
            wrong_account=lambda: CredentialRef(KIND, "fleet", "somebody-else", "SHA256:" + "A" * 43),
        )
