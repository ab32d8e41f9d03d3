"""Versions of a Key Vault's secrets, against a fake of the published behaviour: what was the newest before another."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from rotator.credential import CredentialRef, Leaked, Secret
from rotator.ports.connection import Connection
from rotator.practice.process import free_port
from rotator.providers.azure_key_vault_secret import connect
from tests.contracts.case import Case
from tests.contracts.cases.azure_entra_secret import own
from tests.fakes.azure_server import fake_azure

KIND = "azure_key_vault_secret"


@contextmanager
def open_case(tmp_path: Path) -> Iterator[Case]:  # noqa: ARG001 - the fake keeps nothing on disk
    with fake_azure() as server:
        numbers = count(1)
        planted: set[str] = set()

        def connected(address: str):
            settings = {"vault": "payments"}
            return connect(Connection(KIND, "azure", server.tenant, address, lambda: own(server), settings), KIND)

        def plant(owner: str | None = None) -> tuple[CredentialRef, Secret]:
            """Add a version, and another one after it, which is the newest then."""
            name, value = owner or f"app-{next(numbers)}", Secret(secrets.token_urlsafe(24))
            version = server.add(name, value.reveal())
            server.add(name, secrets.token_urlsafe(12))
            planted.add(f"{name}:{version}")
            return CredentialRef(KIND, KIND, name, f"{name}:{version}"), value

        def beside(ref: CredentialRef) -> frozenset[CredentialRef]:
            named = (f"{ref.owner}:{version}" for version in server.secrets[ref.owner])
            return frozenset(ref.with_id(each) for each in named if each not in planted)

        yield Case(
            provider=connected(server.address),
            unreachable=connected(f"http://127.0.0.1:{free_port()}"),
            elsewhere=connected,
            plant=plant,
            leaked=lambda ref, secret: Leaked(owner=ref.owner, secret=secret),
            garbled=lambda secret: Secret(secret.reveal()[:-4]),
            unknown=lambda ref: ref.with_id(f"{ref.owner}:{'0' * 32}"),
            own=server.own_secret,
            beside=beside,
        )
