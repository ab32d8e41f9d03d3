"""Versions of transit keys of a real OpenBao server, seen with the rotator's own narrow token."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from rotator.credential import CredentialRef, Leaked, Secret
from rotator.ports.connection import Connection
from rotator.practice.openbao import OpenBao, openbao
from rotator.practice.process import free_port
from rotator.providers.vault_transit_key import connect
from tests.contracts.case import Case

KIND = "vault_transit_key"
POLICY = """
path "sys/mounts"             { capabilities = ["read"] }
path "transit/keys"           { capabilities = ["list"] }
path "transit/keys/+"         { capabilities = ["read"] }
path "transit/keys/+/rotate"  { capabilities = ["update"] }
path "transit/keys/+/config"  { capabilities = ["update"] }
path "transit/keys/+/trim"    { capabilities = ["update"] }
path "transit/export/+/+/+"   { capabilities = ["read"] }
path "transit/decrypt/+"      { capabilities = ["update"] }
path "transit/verify/+"       { capabilities = ["update"] }
"""

LOOKS = """
path "sys/mounts"             { capabilities = ["read"] }
path "transit/keys"           { capabilities = ["list"] }
path "transit/keys/+"         { capabilities = ["read"] }
path "transit/decrypt/+"      { capabilities = ["update"] }
path "transit/verify/+"       { capabilities = ["update"] }
"""


def prepared(server: OpenBao) -> Secret:
    """Mount the engine; return the rotator's own token."""
    server.call("POST", "sys/mounts/transit", {"type": "transit"})
    server.write_policy(KIND, POLICY)
    return server.plant(KIND, "rotator").token


def new_version(server: OpenBao, name: str, kind: str = "aes256-gcm96") -> tuple[CredentialRef, Secret]:
    """Make a key, or the next version of one that is there; return it as somebody exported it."""
    held = server.call("LIST", "transit/keys")["data"]["keys"] if name != "first" else []
    if name in held:
        server.call("POST", f"transit/keys/{name}/rotate")
    else:
        server.call("POST", f"transit/keys/{name}", {"type": kind, "exportable": True})
    key = server.call("GET", f"transit/keys/{name}")["data"]
    version, folder = key["latest_version"], "encryption-key" if key["supports_encryption"] else "signing-key"
    keys = server.call("GET", f"transit/export/{folder}/{name}/{version}")["data"]["keys"]
    return CredentialRef(KIND, "vault", f"transit/{name}", f"transit/{name}:{version}"), Secret(keys[str(version)])


@contextmanager
def open_case(tmp_path: Path) -> Iterator[Case]:
    numbers = count(1)
    with openbao(tmp_path) as server:
        own = prepared(server)
        new_version(server, "first")
        server.write_policy("looks", LOOKS)
        narrow = server.plant("looks").token

        def connected(address: str, own: Secret = own):
            return connect(Connection("vault", "vault", endpoint_url=address, credential=lambda: own), KIND)

        def plant(owner: str | None = None) -> tuple[CredentialRef, Secret]:
            return new_version(server, owner.rpartition("/")[2] if owner else f"service-{next(numbers)}")

        yield Case(
            provider=connected(server.address),
            unreachable=connected(f"http://127.0.0.1:{free_port()}"),
            elsewhere=connected,
            plant=plant,
            leaked=lambda _ref, secret: Leaked(secret=secret),
            garbled=lambda secret: Secret(secret.reveal()[:-6]),
            unknown=lambda ref: ref.with_id(f"{ref.owner}:999"),
            wrong_account=lambda: CredentialRef(KIND, "vault", "transit/not-here", "transit/not-here:1"),
            own=own,
            narrow=connected(server.address, narrow),
        )
