"""Run drongo, an emulator of Google's Secret Manager over REST. It asks nobody who they are."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import sys
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from rotator.practice.process import free_port, listening, running

PROJECT = "acme-prod"


@dataclass(frozen=True)
class Drongo:
    """A running emulator, with its own way in beside the product's."""

    endpoint_url: str
    project: str = PROJECT

    def call(self, method: str, path: str, body: object = None) -> Any:
        """Make a call under the project."""
        data = None if body is None else json.dumps(body).encode()
        url = f"{self.endpoint_url}/v1/projects/{self.project}/{path}"
        headers = {"Content-Type": "application/json"}
        with urlopen(Request(url, data=data, method=method, headers=headers), timeout=10) as answer:
            return json.loads(answer.read() or b"{}")

    def secret(self, name: str | None = None) -> str:
        """Make a secret without a version; return its name."""
        made = name or f"app-{secrets.token_hex(5)}"
        self.call("POST", f"secrets?secretId={made}", {"replication": {"automatic": {}}})
        return made

    def add(self, secret: str, value: bytes) -> dict[str, Any]:
        """Add a version; return it."""
        data = {"payload": {"data": b64encode(value).decode()}}
        found: dict[str, Any] = self.call("POST", f"secrets/{secret}:addVersion", data)
        return found


@contextlib.contextmanager
def drongo(folder: Path) -> Iterator[Drongo]:
    """Run the emulator until the block ends; its log goes to `folder`."""
    port = free_port()
    folder.mkdir(parents=True, exist_ok=True)
    program = os.environ.get("ROTATOR_DRONGO") or str(Path(sys.executable).with_name("drongo"))
    command = [program, "server", "--host", "127.0.0.1", "-p", str(port)]
    with running(command, ready=lambda: listening(port), log=folder / "drongo.log"):
        yield Drongo(f"http://127.0.0.1:{port}")
