"""Run a real OpenBao server, in memory, on a free port of 127.0.0.1, and plant in it what a drill needs."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from rotator.credential import Secret
from rotator.practice.process import free_port, running

ROOT = Secret("root-of-the-practice-range")

ROTATOR_POLICY = """
path "auth/token/lookup"             { capabilities = ["update"] }
path "auth/token/lookup-accessor"    { capabilities = ["update"] }
path "auth/token/lookup-self"        { capabilities = ["read"] }
path "auth/token/revoke-accessor"    { capabilities = ["update"] }
path "auth/token/create-orphan"      { capabilities = ["update", "sudo"] }
path "auth/token/create/+"           { capabilities = ["update"] }
path "auth/token/accessors"          { capabilities = ["list", "sudo"] }
path "secret/data/*"                 { capabilities = ["create", "read", "update"] }
path "secret/metadata/*"             { capabilities = ["create", "read", "update"] }
path "secret/delete/*"               { capabilities = ["update"] }
path "secret/destroy/*"              { capabilities = ["update"] }
"""
"""What the rotator's own token needs, and no more."""


@dataclass(frozen=True, slots=True)
class PlantedToken:
    """A token as the server gave it."""

    accessor: str
    token: Secret


@dataclass(frozen=True, slots=True)
class OpenBao:
    """A running server. `root` may do everything; `rotator` what the rotator's own token may."""

    address: str
    root: Secret
    rotator: PlantedToken

    def plant(self, policy: str, display_name: str = "", **properties: object) -> PlantedToken:
        """Make a token with one policy of its own; `properties` are the server's (ttl, period, meta, num_uses)."""
        body = {"policies": [policy], "display_name": display_name, "ttl": "1h", "no_parent": True, **properties}
        auth = self.call("POST", "auth/token/create", body)["auth"]
        return PlantedToken(auth["accessor"], Secret(auth["client_token"]))

    def write_policy(self, name: str, rules: str) -> None:
        """Let tokens with this policy do what the rules say."""
        self.call("PUT", f"sys/policies/acl/{name}", {"policy": rules})

    def put(self, path: str, data: Mapping[str, str]) -> int:
        """Write a secret under the `secret/` mount as an application's owner would; return its version."""
        return int(self.call("POST", f"secret/data/{path}", {"data": dict(data)})["data"]["version"])

    def get(self, path: str) -> dict[str, str]:
        """Read what consumers read now."""
        return dict(self.call("GET", f"secret/data/{path}")["data"]["data"])

    def call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Make one call as root; raise requests.HTTPError when the server says no."""
        answer = requests.request(
            method, f"{self.address}/v1/{path}", headers={"X-Vault-Token": self.root.reveal()}, json=body, timeout=15
        )
        answer.raise_for_status()
        return dict(answer.json()) if answer.content else {}


@contextlib.contextmanager
def openbao(folder: Path) -> Iterator[OpenBao]:
    """Run the server until the block ends; its log is written to `folder`.

    KV version 2 is mounted at `secret/`, and the rotator's own token stands ready.
    """
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    command = [str(Path(sys.executable).with_name("bao")), "server", "-dev", "-dev-no-store-token"]
    options = [f"-dev-root-token-id={ROOT.reveal()}", f"-dev-listen-address=127.0.0.1:{port}"]
    with running(
        [*command, *options],
        ready=lambda: _unsealed(address),
        log=folder / "openbao.log",
        env={"HOME": str(folder), "VAULT_TOKEN": "", "BAO_TOKEN": ""},
    ):
        server = OpenBao(address, ROOT, PlantedToken("", ROOT))
        server.write_policy("rotator", ROTATOR_POLICY)
        yield OpenBao(address, ROOT, server.plant("rotator", "rotator", ttl="24h"))


def _unsealed(address: str) -> bool:
    try:
        # The dev server mounts `secret/` after it has unsealed, so health alone is too early.
        mounts = requests.get(f"{address}/v1/sys/mounts", headers={"X-Vault-Token": ROOT.reveal()}, timeout=2)
    except requests.RequestException:
        return False
    return mounts.ok and "secret/" in mounts.json()
