"""A fake of what GitHub publishes of the secrets of Actions, of repositories and environments. Ours, never GitHub.

    GET               /repos/OWNER/REPO/actions/secrets/public-key      200 {key_id, key}, 404
    GET, PUT, DELETE  /repos/OWNER/REPO/actions/secrets/NAME            200 {name, created_at, updated_at}; 201, 204
    GET               /repos/OWNER/REPO/actions/secrets                 200 {total_count, secrets}, 403, 404
    and the same under /repos/OWNER/REPO/environments/ENVIRONMENT/secrets
    GET               /repos/OWNER/REPO, /rate_limit                    200 {permissions, owner}, 200

From GitHub's documentation: paths, statuses, fields, the sealed box, 422 for a value that is no sealed box of the key,
`X-OAuth-Scopes` for classic tokens, who must be a collaborator to read a list or write (of environments: an admin).
No answer ever holds a value. Time is the fake's own: each write is a second later than the one before.
"""

from __future__ import annotations

import contextlib
import re
import secrets
import threading
from base64 import b64decode, b64encode
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote

from nacl.exceptions import CryptoError
from nacl.public import PrivateKey, SealedBox

from tests.fakes.vendor_server import Answer, Asked, serving

_PATH = re.compile(
    r"/repos/(?P<repository>[^/]+/[^/]+)(?:/(?:actions|environments/(?P<environment>[^/]+))/secrets(?:/(?P<name>[^/]+))?)?"
)
_NOT_FOUND: Answer = (404, {"message": "Not Found", "documentation_url": "/rest", "status": "404"}, {})
Place = tuple[str, str | None, str]


@dataclass
class FakeSecrets:
    """Secrets by repository, environment (None: the repository's own) and name.

    `own` is fine-grained and may write. `classic` are other tokens, each with its scopes and what its user may.
    """

    address: str = ""
    own: str = field(default_factory=lambda: f"github_pat_{secrets.token_hex(20)}")
    classic: dict[str, tuple[str, dict[str, bool]]] = field(default_factory=dict)
    repositories: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)
    sent: list[Any] = field(default_factory=list)
    _key: PrivateKey = field(default_factory=PrivateKey.generate, repr=False)
    _values: dict[Place, str] = field(default_factory=dict, repr=False)
    _times: dict[Place, tuple[str, str]] = field(default_factory=dict)
    _seconds: int = 0
    _lock: threading.RLock = field(default_factory=threading.RLock, repr=False)

    def put(self, repository: str, name: str, value: str, environment: str | None = None) -> None:
        """Write a secret as a person does on GitHub's page."""
        with self._lock:
            self._seconds += 1
            now = (datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=self._seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")
            place = (repository, environment, name)
            self._values[place] = value
            self._times[place] = (self._times.get(place, (now, now))[0], now)

    def workflow(self, repository: str, name: str, environment: str | None = None) -> str | None:
        """Return what a workflow gets."""
        return self._values.get((repository, environment, name))

    def answer(self, asked: Asked, _: str) -> Answer:
        with self._lock:
            self.asked.append(f"{asked.method} {asked.path}")
            self.sent.append(asked.body)
            bearer = asked.headers.get("Authorization", "").removeprefix("Bearer ")
            if bearer != self.own and bearer not in self.classic:
                return 401, {"message": "Bad credentials", "documentation_url": "/rest"}, {}
            scopes, may = self.classic.get(bearer, (None, {"admin": True, "push": True}))
            status, content, headers = self._answer(asked, may)
            return status, content, headers if scopes is None else {**headers, "X-OAuth-Scopes": scopes}

    def _answer(self, asked: Asked, may: dict[str, bool]) -> Answer:
        if asked.path == "/rate_limit":
            return 200, {"resources": {"core": {"limit": 5000}}}, {}
        found = _PATH.fullmatch(asked.path)
        if found is None or found["repository"] not in self.repositories:
            return _NOT_FOUND
        if "/secrets" not in asked.path:
            owner = {"login": "acme", "type": "Organization"}
            return 200, {"full_name": found["repository"], "owner": owner, "permissions": may}, {}
        if found["name"] != "public-key" and not may["admin" if found["environment"] else "push"]:
            return 403, {"message": "Resource not accessible by this user", "documentation_url": "/rest"}, {}
        if found["name"] is None:
            return 200, {"total_count": 0, "secrets": []}, {}
        if found["name"] == "public-key":
            return 200, {"key_id": "568250167242549743", "key": b64encode(bytes(self._key.public_key)).decode()}, {}
        environment = found["environment"] and unquote(found["environment"])
        return self._do(asked, (found["repository"], environment, found["name"]))

    def _do(self, asked: Asked, place: Place) -> Answer:
        known = place in self._values
        if asked.method == "PUT":
            try:
                value = SealedBox(self._key).decrypt(b64decode(asked.body["encrypted_value"])).decode()
            except CryptoError:
                return 422, {"message": "Validation Failed"}, {}
            self.put(place[0], place[2], value, place[1])
            return (204, None, {}) if known else (201, {}, {})
        if not known:
            return _NOT_FOUND
        if asked.method == "DELETE":
            del self._values[place]
            return 204, None, {}
        made, changed = self._times[place]
        return 200, {"name": place[2], "created_at": made, "updated_at": changed}, {}


@contextlib.contextmanager
def github_secrets() -> Iterator[FakeSecrets]:
    """Run the fake until the block ends."""
    fake = FakeSecrets()
    with serving(fake) as address:  # type: ignore[arg-type] # it answers as a Vendor does
        fake.address = address
        yield fake
