"""A browser that is signed in: its cookie, and what its pages send with an act."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rotator.api import origins
from rotator.api.callers import csrf_of
from rotator.flow.approval import Role
from rotator.ledger.sessions import Person
from tests.api.calling import V1, Api

HERE = "http://127.0.0.1:8420"


@dataclass
class Browser:
    """Somebody's browser at 127.0.0.1."""

    api: Api
    cookie: str
    name: str

    def sends(self, method: str, path: str, **headers: str) -> Any:
        """Send what a page of ours sends; headers given here replace its own, an empty one leaves it out."""
        own = {"Cookie": f"{origins.SESSION}={self.cookie}", "Origin": HERE, "X-CSRF-Token": csrf_of(self.cookie)}
        told = {name: value for name, value in {**own, **headers}.items() if value}
        body = {"json": {"reason": "because"}} if method != "GET" else {}
        return self.api.client.request(method, HERE + V1 + path, headers=told, **body)


def browser(api: Api, role: Role, person: str = "", token: str = "") -> Browser:
    """Return the browser of somebody who signed in: with a token of that name, else by a provider's word."""
    cookie, session = api.parts.sessions.open(Person(person or f"token {token}", role, "test", token))
    return Browser(api, cookie.reveal(), session.name)
