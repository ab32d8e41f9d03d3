"""The API in this process, on a ledger of fakes, and how a program calls it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jsonschema
from starlette.testclient import TestClient

from rotator.api import app
from rotator.bootstrap import Rotator
from rotator.flow.approval import Role
from rotator.ledger.database import Database
from rotator.settings.file import load

V1 = "/api/v1"
_DESCRIBED: dict[str, Any] = {}
"""It tells nothing of a deployment (`test_described.py`), so all of a process share it: most tests take less time."""


@dataclass
class Api:
    """The application, and a client for each token."""

    parts: Rotator
    client: TestClient = field(init=False)

    def __post_init__(self) -> None:
        self.client = TestClient(app.make(self.parts), raise_server_exceptions=False)

    def client_at(self, address: str) -> TestClient:
        """Return a client that comes from there: what others guessed does not slow it down."""
        return TestClient(self.client.app, raise_server_exceptions=False, client=(address, 50000))

    def token(self, role: Role, person: str = "", lasts_s: float = 3600.0) -> str:
        """Return a new token; who made it is nobody's matter here."""
        name = f"{role}-{person or 'program'}-{len(self.parts.tokens.listed())}"
        self.parts.tokens._policy = None
        return self.parts.tokens.create(name, role, person, lasts_s, "test")[0].reveal()

    @property
    def described(self) -> Any:
        """Return the description."""
        if not _DESCRIBED:
            _DESCRIBED.update(self.client.get("/openapi.json").json())
        return _DESCRIBED

    def asks(self, method: str, path: str, token: str, **given: Any) -> Any:
        """Ask; return the answer, which is of the described shape whatever it is."""
        given.setdefault("headers", {})["Authorization"] = f"Bearer {token}"
        answer = self.client.request(method, V1 + path, **given)
        self.is_as_described(method, answer)
        return answer

    def is_as_described(self, method: str, answer: Any) -> None:
        """Hold an answer against what the description says of its operation and status."""
        described = self.described
        path = answer.request.url.path.removeprefix(V1)
        fitting = (each for each, how in described["paths"].items() if _fits(each, path) and method.lower() in how)
        route = next(fitting, None)
        if route is None:
            assert answer.status_code in {401, 404, 405}
            assert answer.headers["content-type"] == "application/problem+json"
            return
        told = described["paths"][route][method.lower()]["responses"][str(answer.status_code)]["content"]
        kind = answer.headers["content-type"].partition(";")[0]
        shape = told[kind]["schema"]
        if not kind.endswith("json"):  # a file: no JSON is its text
            assert shape["type"] == "string"
            assert answer.content
            return
        jsonschema.validate(answer.json(), {**shape, "components": described["components"]})


def _fits(route: str, path: str) -> bool:
    parts, given = route.split("/"), path.split("/")
    return len(parts) == len(given) and all(
        re.fullmatch(re.sub(r"\\{[a-z_]+\\}", ".+", re.escape(each)), other)
        for each, other in zip(parts, given, strict=True)
    )


def api(folder: Path, database: Database, text: str = "") -> Api:
    """Return the API of a deployment with this configuration, on that ledger."""
    (folder / "rotator.toml").write_text(f'data_dir = "data"\n{text}')
    parts = Rotator(load(folder / "rotator.toml"))
    parts.__dict__["database"] = database
    return Api(parts)
