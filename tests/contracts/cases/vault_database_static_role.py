"""Static roles of a real OpenBao server at a real PostgreSQL, seen with the rotator's own narrow token."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rotator.credential import CredentialRef, Leaked, Secret
from rotator.ports.connection import Connection
from rotator.practice.process import free_port
from rotator.providers.vault_database_static_role import connect
from tests.contracts.case import Case
from tests.servers.vault_database import vault_database

KIND = "vault_database_static_role"


@contextmanager
def open_case(tmp_path: Path) -> Iterator[Case]:
    with vault_database(tmp_path) as servers:

        def connected(address: str, own: Secret = servers.own):
            return connect(Connection("vault", "vault", endpoint_url=address, credential=lambda: own), KIND)

        def plant(owner: str | None = None) -> tuple[CredentialRef, Secret]:
            assert owner is None, "a user has one password"
            name = f"service{next(servers.numbers)}"
            made = servers.static(name)
            moment = made["last_vault_rotation"].replace("-", "").replace(":", "")
            return CredentialRef(KIND, "vault", f"database/{name}", f"{name}:{moment}"), Secret(made["password"])

        yield Case(
            provider=connected(servers.bao.address),
            unreachable=connected(f"http://127.0.0.1:{free_port()}"),
            elsewhere=connected,
            plant=plant,
            leaked=lambda ref, secret: Leaked(owner=ref.owner, secret=secret),
            garbled=lambda secret: Secret(secret.reveal()[:-6]),
            unknown=lambda ref: ref.with_id(f"{ref.owner.rpartition('/')[2]}:20010203T040506.7Z"),
            wrong_account=lambda: CredentialRef(KIND, "vault", "database/not_here", "not_here:20010203T040506.7Z"),
            own=servers.own,
            narrow=connected(servers.bao.address, servers.narrow),
            several=False,
            session=lambda ref, secret: servers.postgres.session(ref.owner.rpartition("/")[2], secret),
        )
