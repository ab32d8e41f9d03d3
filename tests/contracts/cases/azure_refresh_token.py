"""Refresh tokens of Entra's users, against a fake of the published behaviour of sign-in and Graph."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rotator.credential import CredentialRef, Leaked, Secret
from rotator.ports.connection import Connection
from rotator.practice.process import free_port
from rotator.providers.azure_refresh_token import connect
from tests.contracts.case import Case
from tests.contracts.cases.azure_entra_secret import own
from tests.fakes.azure_server import fake_azure

KIND = "azure_refresh_token"


@contextmanager
def open_case(tmp_path: Path) -> Iterator[Case]:  # noqa: ARG001 - the fake keeps nothing on disk
    with fake_azure() as server:

        def connected(address: str):
            made = Connection(KIND, "azure", server.tenant, address, lambda: own(server), settle_s=0.0)
            return connect(made, KIND)

        def plant(owner: str | None = None) -> tuple[CredentialRef, Secret]:
            user = owner or server.user()
            token = server.signed_in(user)
            named = hashlib.sha256(token.reveal().encode()).hexdigest()
            return CredentialRef(KIND, KIND, user, named), token

        yield Case(
            provider=connected(server.address),
            unreachable=connected(f"http://127.0.0.1:{free_port()}"),
            elsewhere=connected,
            plant=plant,
            leaked=lambda _ref, secret: Leaked(secret=secret),
            garbled=lambda secret: Secret(secret.reveal()[:-6]),
            unknown=lambda ref: ref.with_id("0" * 64),
            own=server.own_secret,
            lists=False,
            views=False,
            alone=False,
        )
