"""Google's Secret Manager, as drongo plays it, behind a guard of ours: drongo asks nobody who they are."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import HTTPError

from rotator.credential import Secret
from rotator.families.newest import EMPTY
from rotator.ports.connection import Connection
from rotator.practice.process import free_port
from rotator.stores.gcp_secret_manager import connect
from tests.fakes.gcp_grants import guarded
from tests.servers.drongo import drongo
from tests.stores.store_contract import StoreCase

LOOKING = "a token that may look and no more"
LOOKS = ("secretmanager.secrets.get", "secretmanager.versions.get", "secretmanager.versions.access")


@contextmanager
def open_case(tmp_path: Path) -> Iterator[StoreCase]:
    with drongo(tmp_path) as server, guarded(server.endpoint_url, server.project) as guard:
        guard.grants.give(LOOKING, *LOOKS)

        def connected(address: str, token: str = "a token"):
            return connect(Connection("gcp", "gcp", server.project, address, lambda: Secret(token)))

        def put(name: str, text: str) -> None:
            try:
                server.call("GET", f"secrets/{name}")
            except HTTPError:
                server.secret(name)
            server.add(name, text.encode())

        def consumer_reads(name: str) -> str | None:
            try:
                data = server.call("GET", f"secrets/{name}/versions/latest:access")["payload"]["data"]
            except HTTPError as error:
                if error.code != 404:
                    raise
                return None
            text = base64.b64decode(data).decode()
            return None if text == EMPTY else text

        yield StoreCase(
            store=connected(guard.address),
            unreachable=connected(f"http://127.0.0.1:{free_port()}"),
            fresh_name=lambda: f"ci-{secrets.token_hex(6)}",
            put=put,
            consumer_reads=consumer_reads,
            narrow=connected(guard.address, LOOKING),
        )
