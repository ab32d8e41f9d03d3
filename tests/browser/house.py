"""What the browser tests stand on: a real `rotator up --port`, an issuer that really refuses, and people with tokens.

Four eyes are asked for, production's words are typed, and a stopped credential is destroyed only by a yes of its own.
"""

from __future__ import annotations

import contextlib
import json
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2

from rotator.bootstrap import Rotator
from rotator.flow.approval import Role
from rotator.practice.process import free_port
from rotator.practice.token_server import PlantedAcmeToken, TokenServer, token_server
from rotator.settings.file import load
from tests.e2e.commands import CommandLine, Running, until
from tests.e2e.company import finding

CONFIGURATION = """
data_dir = "data"
[[connections]]
name = "acme"
family = "http"
kinds = ["acme_api_token"]
endpoint_url = "{issuer}"
credential = "file:admin"
settle_s = 0.1
[[connections]]
name = "files"
family = "file"
folder = "{folder}/secrets"
[[credentials]]
match = {{owner = "ci"}}
environment = "staging"
deliver = [{{store = "file", connection = "files", name = "ci"}}]
[[credentials]]
match = {{owner = "shop"}}
environment = "production"
deliver = [{{store = "file", connection = "files", name = "shop"}}]
[approval]
confirm = ["environment:production"]
[[people]]
name = "ana"
roles = ["approver"]
[[people]]
name = "bo"
roles = ["approver"]
[[people]]
name = "vi"
roles = ["viewer"]
"""
"""Each of ana and bo may approve what the other declared; vi only looks."""

ROLES = {"ana": Role.APPROVER, "bo": Role.APPROVER, "vi": Role.VIEWER}
UNCONFIGURED = finding("Github", "ghp_" + "a1B2" * 9, where="home/.netrc")
"""A stolen credential that nobody has a connection for: a person's task."""


@dataclass
class House:
    """What stands: the service at its address, the issuer, and the ledger that the service writes."""

    folder: Path
    address: str
    issuer: TokenServer
    parts: Rotator
    _up: Running | None = None

    def begin(self) -> None:
        """Start the service, as whoever looks after it does."""
        port = str(urlsplit(self.address).port)
        self._up = CommandLine(self.folder, is_ready=True).start("up", "--port", port).until_said("rotator is up")

    def end(self) -> None:
        """Stop it."""
        assert self._up is not None
        self._up.process.terminate()
        assert self._up.end().code == 0

    def token(self, person: str) -> str:
        """Return a new API token of this person's, as they would make it at the command line."""
        name = f"{person}-{secrets.token_hex(4)}"
        return self.parts.tokens.create(name, ROLES[person], person, 3600.0, person)[0].reveal()

    def asks(self, person: str, method: str, path: str, **given: Any) -> Any:
        """Call the API as a program of this person's; return the answer."""
        headers = {"Authorization": f"Bearer {self.token(person)}"}
        return httpx2.request(method, f"{self.address}/api/v1{path}", headers=headers, timeout=60, **given)

    def declared(self, leak: Leak, title: str = "Stolen laptop") -> Declared:
        """Declare an incident as ana; nothing begins."""
        asked = {"title": title, "severity": "high"}
        answer = self.asks("ana", "POST", "/incidents", params=asked, content=leak.report.read_bytes())
        assert answer.status_code == 201, answer.text
        return Declared(answer.json()["incident"], answer.json()["digest"], leak.ids, leak.production)

    def approve(self, declared: Declared) -> None:
        """Say bo's yes."""
        said = {"digest": declared.digest, "confirm": f"revoke {declared.production} production"}
        answer = self.asks("bo", "POST", f"/incidents/{declared.id}/approve", json=said)
        assert answer.status_code == 200, answer.text

    def until_dead(self, declared: Declared) -> None:
        """Wait until every token of an incident is proven dead."""
        until(lambda: self.parts.reading.progress(declared.id, time.time()).dead == len(declared.tokens))

    def leaked(self, *owners: str, unconfigured: bool = False, where: str = "home/deploy/.env") -> Leak:
        """Plant a token for each of these owners, and write what a scanner reports of them."""
        planted = [self.issuer.plant(owner) for owner in owners]
        found = [_found(each, where) for each in planted] + ([UNCONFIGURED] if unconfigured else [])
        report = self.folder / f"leak-{secrets.token_hex(4)}.jsonl"
        report.write_text("".join(json.dumps(each) + "\n" for each in found))
        return Leak(report, frozenset(each.id for each in planted), owners.count("shop"))


@dataclass(frozen=True)
class Declared:
    """An incident that waits for its plan's approval, and the ids of the tokens in it."""

    id: str
    digest: str
    tokens: frozenset[str]
    production: int

    @property
    def path(self) -> str:
        return f"/incidents/{self.id}"


@dataclass(frozen=True)
class Leak:
    """A scanner's report, the ids of what is in it, and how many are production's."""

    report: Path
    ids: frozenset[str]
    production: int


def _found(planted: PlantedAcmeToken, where: str) -> dict[str, object]:
    found = finding("CustomRegex", planted.token.reveal(), where=where)
    return {**found, "ExtraData": {"name": "acme_api_token"}}


@contextlib.contextmanager
def house(folder: Path, more: str = "", port: int = 0) -> Iterator[House]:
    """Let the service run for the block, with `more` in its configuration."""
    address = f"http://127.0.0.1:{port or free_port()}"
    (folder / "secrets").mkdir(mode=0o700)
    with token_server() as issuer:
        (folder / "rotator.toml").write_text(CONFIGURATION.format(issuer=issuer.address, folder=folder) + more)
        (folder / "admin").touch(mode=0o600)
        (folder / "admin").write_text(issuer.admin.reveal())
        made = House(folder, address, issuer, Rotator(load(folder / "rotator.toml")))
        made.begin()
        try:
            yield made
        finally:
            made.end()
            made.parts.database.close()
