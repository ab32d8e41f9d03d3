"""Versions of secrets, against drongo: what was the latest before another one was added.

Drongo asks nobody who they are, so a guard of ours stands in front of it.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rotator.credential import CredentialRef, Leaked, Secret
from rotator.ports.connection import Connection
from rotator.practice.process import free_port
from rotator.providers.gcp_secret_version import GcpSecretVersion, connect
from tests.contracts.case import Case
from tests.fakes.gcp_grants import guarded
from tests.servers.drongo import Drongo, drongo

NAME = "gcp_secret_version"
OWN = Secret("a-token-that-drongo-does-not-look-at")
LOOKING = Secret("a-token-that-may-look-and-no-more")
LOOKS = ("secretmanager.versions.list", "secretmanager.versions.get", "secretmanager.versions.access")


def connected(server: Drongo, **changed) -> GcpSecretVersion:
    fields = {"account": server.project, "endpoint_url": server.endpoint_url, "credential": lambda: OWN, **changed}
    return connect(Connection("gcp-test", "gcp", **fields), NAME)


def ref_of(secret: str, version: dict) -> CredentialRef:
    number, made = version["name"].rpartition("/")[2], re.sub(r"[-:]|\.\d+", "", version["createTime"])
    return CredentialRef(NAME, "gcp-test", secret, f"{secret}:{number}:{made}")


def plant(server: Drongo, owner: str | None = None) -> tuple[CredentialRef, Secret]:
    """Add a version, and another one after it, which is the latest then."""
    secret, value = owner or server.secret(), Secret(secrets.token_urlsafe(24))
    ref = ref_of(secret, server.add(secret, value.reveal().encode()))
    server.add(secret, secrets.token_bytes(12))
    return ref, value


@contextmanager
def open_case(tmp_path: Path) -> Iterator[Case]:
    with drongo(tmp_path) as server, guarded(server.endpoint_url, server.project) as guard:
        guard.grants.give(LOOKING.reveal(), *LOOKS)
        planted: set[CredentialRef] = set()

        def remembered(owner: str | None = None) -> tuple[CredentialRef, Secret]:
            ref, value = plant(server, owner)
            planted.add(ref)
            return ref, value

        def beside(ref: CredentialRef) -> frozenset[CredentialRef]:
            versions = server.call("GET", f"secrets/{ref.owner}/versions")["versions"]
            return frozenset(ref_of(ref.owner, each) for each in versions) - planted

        yield Case(
            provider=connected(server, endpoint_url=guard.address),
            unreachable=connected(server, endpoint_url=f"http://127.0.0.1:{free_port()}"),
            elsewhere=lambda address: connected(server, endpoint_url=address),
            plant=remembered,
            leaked=lambda ref, secret: Leaked(owner=ref.owner, secret=secret),
            garbled=lambda secret: Secret(secret.reveal()[:-4]),
            unknown=lambda ref: ref.with_id(f"{ref.owner}:99:20010101T000000Z"),
            own=OWN,
            beside=beside,
            narrow=connected(server, endpoint_url=guard.address, credential=lambda: LOOKING),
        )
