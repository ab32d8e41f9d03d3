"""Native passwords of accounts of a real MariaDB, seen with a narrow account of the rotator's own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from rotator.credential import CredentialRef, Leaked, Secret
from rotator.families.mysql_knock import stored
from rotator.ports.connection import Connection
from rotator.practice.process import free_port
from rotator.providers.mariadb_user import connect
from tests.contracts.case import Case
from tests.servers.mariadb import OWN_USER, MariaDbServer, mariadb

KIND = "mariadb_user"


def connected(server: MariaDbServer, address: str | None = None, own: Secret | None = None, **settings: object):
    settings = {"user": OWN_USER, "tls": False, **settings}
    return connect(Connection("db", "mysql", None, address or server.url, lambda: own or server.own, settings), KIND)


def looking(server: MariaDbServer):
    """Return the provider with an account that may look and no more."""
    server.run("CREATE USER looker IDENTIFIED BY 'looks'")
    server.run("GRANT SELECT ON mysql.global_priv TO looker")
    return connected(server, own=Secret("looks"), user="looker")


def ref_of(account: str, password: Secret) -> CredentialRef:
    return CredentialRef(KIND, "db", account, f"{account}:{stored(password)[1:9].lower()}")


@contextmanager
def open_case(tmp_path: Path) -> Iterator[Case]:  # noqa: ARG001 - the server runs as somebody who may not enter it
    numbers = count(1)
    with mariadb() as server:

        def plant(owner: str | None = None) -> tuple[CredentialRef, Secret]:
            account = owner or f"service-{next(numbers)}@%"
            password = server.plant(account.rpartition("@")[0])
            return ref_of(account, password), password

        yield Case(
            provider=connected(server),
            unreachable=connected(server, f"mysql://127.0.0.1:{free_port()}"),
            plant=plant,
            leaked=lambda ref, secret: Leaked(secret=secret, owner=ref.owner),
            garbled=lambda secret: Secret(secret.reveal()[:-6]),
            unknown=lambda ref: ref.with_id(f"{ref.owner}:00000000"),
            own=server.own,
            session=lambda ref, secret: server.session(ref.owner.rpartition("@")[0], secret),
            narrow=looking(server),
            makes=lambda _ref, _secret: plant()[0].id,
        )
