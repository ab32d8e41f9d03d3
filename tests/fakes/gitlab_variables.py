"""A fake of what GitLab publishes of its CI/CD variables, for projects and groups. Ours, never GitLab itself.

    GET, POST /projects/PATH/variables, GET, PUT, DELETE …/KEY[?filter[environment_scope]=SCOPE], and under /groups
    GET /personal_access_tokens/self, /user, /projects/PATH/members/all/USER, and under /groups

From GitLab's documentation: paths, fields and their defaults, masking (one line, no space, 8 characters; without `raw`
only some characters), 201, 200, 204. Seen in public reports: the words of the 400 for a key that is taken and of the
404s, and the 409 where several scopes fit.
"""

from __future__ import annotations

import contextlib
import json
import re
import secrets
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from tests.fakes.vendor_server import Answer, Asked, serving

_PATH = re.compile(r"/api/v4/(?P<sort>projects|groups)/(?P<owner>[^/]+)/variables(?:/(?P<key>[A-Za-z0-9_]+))?")
_DEFAULTS = {
    "variable_type": "env_var",
    "protected": False,
    "masked": False,
    "hidden": False,
    "raw": False,
    "environment_scope": "*",
    "description": None,
}
_USER = 7
_EXPANDED = re.compile(r"[A-Za-z0-9+/=@:.~_-]{8,}")
_RAW = re.compile(r"\S{8,}")


@dataclass
class FakeVariables:
    """Variables by owner, key and scope. `owners` are the projects and groups that there are.

    `bearers` are other tokens: the scopes of each, and the access level that its user has everywhere.
    """

    address: str = ""
    own: str = field(default_factory=lambda: f"glpat-{secrets.token_urlsafe(15)}")
    bearers: dict[str, tuple[list[str], int]] = field(default_factory=dict)
    owners: set[tuple[str, str]] = field(default_factory=set)
    kept: dict[tuple[str, str, str, str], dict[str, Any]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def put(self, owner: str, key: str, value: str, sort: str = "projects", **told: Any) -> None:
        """Write a variable as a person does on GitLab's page."""
        with self._lock:
            scope = told.get("environment_scope", "*")
            before = self.kept.get((sort, owner, key, scope), _DEFAULTS)
            self.kept[sort, owner, key, scope] = {**before, **told, "key": key, "value": value}

    def job(self, owner: str, environment: str | None = None, sort: str = "projects") -> dict[str, str]:
        """Return the variables that a job gets, whose environment is given."""
        with self._lock:
            mine = {scope: each for (kind, at, _, scope), each in self.kept.items() if (kind, at) == (sort, owner)}
            return {each["key"]: each["value"] for scope, each in mine.items() if scope in ("*", environment)}

    def answer(self, asked: Asked, _: str) -> Answer:
        with self._lock:
            self.asked.append(f"{asked.method} {asked.path}")
            bearer = {self.own: (["api"], 50), **self.bearers}.get(asked.headers.get("PRIVATE-TOKEN", ""))
            if bearer is None:
                return 401, {"message": "401 Unauthorized"}, {}
            if (told := _of_bearer(asked.path, *bearer)) is not None:
                return told
            found = _PATH.fullmatch(asked.path)
            if found is None:
                return 404, {"error": "404 Not Found"}, {}
            if asked.method != "GET" and "api" not in bearer[0]:
                return 403, {"error": "insufficient_scope"}, {}
            if bearer[1] < {"projects": 40, "groups": 50}[found["sort"]]:
                return 403, {"message": "403 Forbidden"}, {}
            sort, owner, key = found["sort"], unquote(found["owner"]), found["key"]
            one = "Variable" if sort == "projects" else "GroupVariable"
            if (sort, owner) not in self.owners:
                return 404, {"message": f"404 {sort[:-1].capitalize()} Not Found"}, {}
            if asked.method == "POST":
                return self._create(sort, owner, asked.body)
            scope = asked.query.get("filter[environment_scope]")
            fitting = [each for each in self.kept if each[:3] == (sort, owner, key) and scope in (None, each[3])]
            if not fitting:
                return 404, {"message": f"404 {one} Not Found"}, {}
            if len(fitting) > 1:
                words = "There are multiple variables with provided parameters. Please use 'filter[environment_scope]'"
                return 409, {"message": words}, {}
            return self._do(asked, fitting[0])

    def _create(self, sort: str, owner: str, body: dict[str, Any]) -> Answer:
        made = {**_DEFAULTS, **body}
        place = (sort, owner, made["key"], made["environment_scope"])
        if place in self.kept:
            return 400, {"message": {"key": [f"({made['key']}) has already been taken"]}}, {}
        return self._keep(place, made, 201)

    def _do(self, asked: Asked, place: tuple[str, str, str, str]) -> Answer:
        if asked.method == "DELETE":
            del self.kept[place]
            return 204, None, {}
        if asked.method == "PUT":
            return self._keep(place, {**self.kept[place], **asked.body}, 200)
        return 200, self._shown(self.kept[place]), {}

    def _keep(self, place: tuple[str, str, str, str], made: dict[str, Any], status: int) -> Answer:
        if made["masked"] and not (_RAW if made["raw"] else _EXPANDED).fullmatch(made["value"]):
            return 400, {"message": {"value": ["is invalid"]}}, {}
        self.kept[place] = json.loads(json.dumps(made))
        return status, self._shown(made), {}

    def _shown(self, found: dict[str, Any]) -> dict[str, Any]:
        return {**found, "value": None} if found["hidden"] else found


def _of_bearer(path: str, scopes: list[str], level: int) -> Answer | None:
    """Say what a token is, and whose; None where something else is asked."""
    if path == "/api/v4/personal_access_tokens/self":
        return 200, {"id": 1, "user_id": _USER, "scopes": scopes, "active": True, "revoked": False}, {}
    if path == "/api/v4/user":
        return 200, {"id": _USER, "username": "ci", "bot": False}, {}
    if path.endswith(f"/members/all/{_USER}"):
        return 200, {"id": _USER, "access_level": level}, {}
    return None


@contextlib.contextmanager
def gitlab_variables() -> Iterator[FakeVariables]:
    """Run the fake until the block ends."""
    fake = FakeVariables()
    with serving(fake) as address:  # type: ignore[arg-type] # it answers as a Vendor does
        fake.address = address
        yield fake
