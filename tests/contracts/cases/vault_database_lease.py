"""Dynamic logins of a real OpenBao server at a real PostgreSQL, seen with the rotator's own narrow token."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rotator.credential import CredentialRef, Leaked, Secret
from rotator.ports.connection import Connection
from rotator.practice.process import free_port
from rotator.providers.vault_database_lease import connect
from tests.contracts.case import Case
from tests.servers.vault_database import vault_database

KIND = "vault_database_lease"


@contextmanager
def open_case(tmp_path: Path) -> Iterator[Case]:
    with vault_database(tmp_path) as servers:

        def connected(address: str, own: Secret = servers.own):
            return connect(Connection("vault", "vault", endpoint_url=address, credential=lambda: own), KIND)

        def plant(owner: str | None = None) -> tuple[CredentialRef, Secret]:
            owner = owner or servers.role(f"service{next(servers.numbers)}")
            lease, login = servers.lease(owner.rpartition("/")[2])
            return CredentialRef(KIND, "vault", owner, lease), Secret(json.dumps(login))

        yield Case(
            provider=connected(servers.bao.address),
            unreachable=connected(f"http://127.0.0.1:{free_port()}"),
            elsewhere=connected,
            plant=plant,
            leaked=lambda ref, secret: Leaked(id=ref.id, secret=secret),
            garbled=lambda secret: Secret(secret.reveal()[:-6]),
            unknown=lambda ref: ref.with_id(ref.id[:-24] + "A" * 24),
            wrong_account=lambda: CredentialRef(
                KIND, "vault", "database/not-here", "database/creds/not-here/" + "A" * 24
            ),
            own=servers.own,
            narrow=connected(servers.bao.address, servers.narrow),
        )
