"""Tokens of a real OpenBao server, seen with the rotator's own narrow token."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from rotator.credential import CredentialRef, Leaked, Secret
from rotator.ports.connection import Connection
from rotator.practice.openbao import openbao
from rotator.practice.process import free_port
from rotator.providers.vault_token import connect
from tests.contracts.case import Case

LOOKS = """
path "auth/token/lookup"          { capabilities = ["update"] }
path "auth/token/lookup-accessor" { capabilities = ["update"] }
path "auth/token/accessors"       { capabilities = ["list", "sudo"] }
"""


@contextmanager
def open_case(tmp_path: Path) -> Iterator[Case]:
    numbers = count(1)
    with openbao(tmp_path) as server:
        server.write_policy("app", 'path "secret/data/app/*" { capabilities = ["read"] }')
        server.write_policy("looks", LOOKS)
        narrow = server.plant("looks", "looks").token

        def connected(address: str, own: Secret = server.rotator.token):
            return connect(Connection("vault", "vault", endpoint_url=address, credential=lambda: own), "vault_token")

        def plant(owner: str | None = None) -> tuple[CredentialRef, Secret]:
            name = owner or f"service-{next(numbers)}"
            planted = server.plant("app", name)
            return CredentialRef("vault_token", "vault", name, planted.accessor), planted.token

        yield Case(
            provider=connected(server.address),
            unreachable=connected(f"http://127.0.0.1:{free_port()}"),
            elsewhere=connected,
            plant=plant,
            leaked=lambda _ref, secret: Leaked(secret=secret),
            garbled=lambda secret: Secret(secret.reveal()[:-6]),
            unknown=lambda ref: ref.with_id("A" * 24),
            own=server.rotator.token,
            narrow=connected(server.address, narrow),
            makes=lambda ref, _secret: plant(ref.owner)[0].id,
        )
