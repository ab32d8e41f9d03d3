"""Secret ids of a real OpenBao server's AppRoles, seen with a rotator's token that may do no more than it needs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from rotator.credential import CredentialRef, Leaked, Secret
from rotator.ports.connection import Connection
from rotator.practice.openbao import OpenBao, openbao
from rotator.practice.process import free_port
from rotator.providers.vault_approle_secret_id import connect
from tests.contracts.case import Case

KIND = "vault_approle_secret_id"
POLICY = """
path "sys/auth"                                       { capabilities = ["read"] }
path "auth/approle/role"                              { capabilities = ["list"] }
path "auth/approle/role/+"                            { capabilities = ["read"] }
path "auth/approle/role/+/role-id"                    { capabilities = ["read"] }
path "auth/approle/role/+/secret-id"                  { capabilities = ["list", "update"] }
path "auth/approle/role/+/secret-id/lookup"           { capabilities = ["update"] }
path "auth/approle/role/+/secret-id-accessor/lookup"  { capabilities = ["update"] }
path "auth/approle/role/+/secret-id-accessor/destroy" { capabilities = ["update"] }
path "auth/token/accessors"                           { capabilities = ["list", "sudo"] }
path "auth/token/lookup-accessor"                     { capabilities = ["update"] }
path "auth/token/revoke-accessor"                     { capabilities = ["update"] }
"""

LOOKS = """
path "sys/auth"                                       { capabilities = ["read"] }
path "auth/approle/role"                              { capabilities = ["list"] }
path "auth/approle/role/+/secret-id"                  { capabilities = ["list"] }
path "auth/approle/role/+/secret-id/lookup"           { capabilities = ["update"] }
path "auth/approle/role/+/secret-id-accessor/lookup"  { capabilities = ["update"] }
"""


def prepared(server: OpenBao) -> Secret:
    """Turn AppRole on; return the rotator's own token."""
    server.call("POST", "sys/auth/approle", {"type": "approle"})
    server.write_policy(KIND, POLICY)
    return server.plant(KIND, "rotator").token


def new_secret_id(server: OpenBao, role: str, **limits: object) -> tuple[CredentialRef, Secret]:
    """Make a secret id of a role, which is made too."""
    server.call("POST", f"auth/approle/role/{role}", {"token_policies": "default", "token_ttl": "1h"})
    made = server.call("POST", f"auth/approle/role/{role}/secret-id", limits)["data"]
    return CredentialRef(KIND, "vault", f"approle/{role}", made["secret_id_accessor"]), Secret(made["secret_id"])


def logged_in(server: OpenBao, ref: CredentialRef, secret: Secret) -> Callable[[], bool]:
    """Log in as the application does; return who tells whether that token lives."""
    role_id = server.call("GET", f"auth/approle/role/{ref.owner.rpartition('/')[2]}/role-id")["data"]["role_id"]
    made = server.call("POST", "auth/approle/login", {"role_id": role_id, "secret_id": secret.reveal()})["auth"]
    return lambda: made["accessor"] in server.call("LIST", "auth/token/accessors")["data"]["keys"]


@contextmanager
def open_case(tmp_path: Path) -> Iterator[Case]:
    numbers = count(1)
    with openbao(tmp_path) as server:
        own = prepared(server)
        server.write_policy("looks", LOOKS)
        narrow = server.plant("looks").token

        def connected(address: str, own: Secret = own):
            return connect(Connection("vault", "vault", endpoint_url=address, credential=lambda: own), KIND)

        def plant(owner: str | None = None) -> tuple[CredentialRef, Secret]:
            return new_secret_id(server, owner.rpartition("/")[2] if owner else f"service-{next(numbers)}")

        yield Case(
            provider=connected(server.address),
            unreachable=connected(f"http://127.0.0.1:{free_port()}"),
            elsewhere=connected,
            plant=plant,
            leaked=lambda _ref, secret: Leaked(secret=secret),
            garbled=lambda secret: Secret(secret.reveal()[:-6]),
            unknown=lambda ref: ref.with_id("0a1b2c3d-0000-1111-2222-333344445555"),
            wrong_account=lambda: CredentialRef(KIND, "vault", "approle/of-another-server", "0a1b2c3d"),
            own=own,
            narrow=connected(server.address, narrow),
            session=lambda ref, secret: logged_in(server, ref, secret),
            makes=lambda ref, _secret: plant(ref.owner)[0].id,
        )
