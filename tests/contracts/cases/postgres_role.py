"""Passwords of roles of a real PostgreSQL with SCRAM, seen with a role that has only what the rotator needs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from rotator.credential import CredentialRef, Leaked, Secret
from rotator.families.postgres_scram import tag_of
from rotator.ports.connection import Connection
from rotator.practice.process import free_port
from rotator.providers.postgres_role import SECOND, connect
from tests.contracts.case import Case
from tests.servers.scram_postgres import OWN_ROLE, ScramPostgres, scram_postgres

KIND = "postgres_role"


def connected(server: ScramPostgres, address: str | None = None, own: Secret | None = None, **settings: object):
    connection = Connection(
        "db",
        "postgres",
        settings.pop("account", None),
        address or server.url,
        lambda: own or server.own,
        {"user": OWN_ROLE, "tls": False, **settings},
    )
    return connect(connection, KIND)


def looking(server: ScramPostgres):
    """Return the provider with a role that may look and no more."""
    server.run("CREATE ROLE looker LOGIN PASSWORD 'looks'", "GRANT SELECT ON pg_authid TO looker")
    return connected(server, own=Secret("looks"), user="looker")


def planted(server: ScramPostgres, role: str, owner: str | None = None) -> tuple[CredentialRef, Secret]:
    password = server.plant(role)
    return CredentialRef(KIND, "db", owner or role, f"{role}:{tag_of(server.stored(role))}"), password


@contextmanager
def open_case(tmp_path: Path) -> Iterator[Case]:  # noqa: ARG001 - the server runs as somebody who may not enter it
    numbers = count(1)
    with scram_postgres(track_commit_timestamp="on") as server:

        def plant(owner: str | None = None) -> tuple[CredentialRef, Secret]:
            if owner:
                return planted(server, owner + SECOND, owner)
            return planted(server, f"service-{next(numbers)}")

        yield Case(
            provider=connected(server),
            unreachable=connected(server, f"postgresql://127.0.0.1:{free_port()}"),
            plant=plant,
            leaked=lambda ref, secret: Leaked(secret=secret, owner=ref.owner),
            garbled=lambda secret: Secret(secret.reveal()[:-6]),
            unknown=lambda ref: ref.with_id(f"{ref.owner}:{'0' * 32}"),
            own=server.own,
            session=lambda ref, secret: server.session(ref.owner, secret),
            narrow=looking(server),
            makes=lambda _ref, _secret: plant()[0].id,
        )
