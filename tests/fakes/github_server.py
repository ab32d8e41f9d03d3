"""A faithful fake of the little of GitHub's REST interface that its tokens need: published behaviour, never the thing.

    GET  /user                 200 {login}, 401 "Bad credentials"                             counts as a call
    GET  /rate_limit           200 {resources: {core: {limit}}}, 401 "Bad credentials"        does not count
    POST /credentials/revoke   202, 403 with a credential, 422 for too many or a malformed body

From GitHub's documentation: the paths and statuses, 1,000 tokens a call, 60 calls an hour without a known token and
5,000 with one, `x-ratelimit-*` and `date`, 403 when they are used up, revocation after the answer. Not documented, and
chosen here: that a refused /user counts among the 60 (seen in public reports), and that an unknown token is accepted.
Time is the server's own: `pass_time` moves it, nothing else.
"""

from __future__ import annotations

import contextlib
import json
import secrets
import string
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.utils import formatdate
from http import HTTPStatus
from typing import Any

from rotator.credential import Secret
from tests.fakes.http_server import Request, listening

MOST = 1000
ANONYMOUS, KNOWN = 60, 5000
HOUR_S = 3600.0
NOON = 1_800_000_000.0
_ALPHABET = string.ascii_letters + string.digits
_LENGTHS = {"ghp_": 36, "gho_": 36, "ghu_": 36, "ghr_": 76, "github_pat_": 82}

_Answer = tuple[HTTPStatus, dict[str, Any]]
_BAD = {"message": "Bad credentials", "documentation_url": "/rest", "status": "401"}
_SUSPENDED = {"message": "Sorry. Your account was suspended."}
_USED_UP = {"message": "API rate limit exceeded for 127.0.0.1."}


@dataclass
class GitHubServer:
    """A running fake. `revocations` are the calls that were accepted, each with how many tokens it named."""

    address: str = ""
    delay_s: float = 0.0
    revocations: list[int] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    suspended: set[str] = field(default_factory=set)
    _owners: dict[str, str] = field(default_factory=dict, repr=False)
    _dies_at: dict[str, float] = field(default_factory=dict, repr=False)
    _used: int = 0
    _window: float = NOON
    _now: float = NOON
    _lock: threading.RLock = field(default_factory=threading.RLock, repr=False)

    def plant(self, owner: str, prefix: str = "ghp_") -> Secret:
        """Make a token as its owner would on the web page, or an app in their name."""
        token = prefix + "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTHS[prefix]))
        with self._lock:
            self._owners[token] = owner
        return Secret(token)

    def opens(self, secret: Secret) -> bool:
        """Tell whether a bearer gets in."""
        with self._lock:
            return self._lives(secret.reveal())

    def pass_time(self, seconds: float) -> None:
        """Let time pass."""
        with self._lock:
            self._now += seconds

    def answer(self, call: str, bearer: str | None, body: object) -> tuple[HTTPStatus, dict[str, Any], dict[str, str]]:
        """Answer one request, with the headers that tell the limit."""
        with self._lock:
            self.asked.append(call)
            if self._now - self._window >= HOUR_S:
                self._window, self._used = self._now, 0
            knows = bearer is not None and self._lives(bearer) and not bearer.startswith("ghr_")
            counts = call != "GET /rate_limit" and not knows
            used_up = counts and self._used >= ANONYMOUS
            self._used += counts and not used_up
            status, content = (HTTPStatus.FORBIDDEN, _USED_UP) if used_up else self._answer(call, bearer, body, knows)
            left = KNOWN if knows else ANONYMOUS - self._used
            limit = {
                "x-ratelimit-limit": str(KNOWN if knows else ANONYMOUS),
                "x-ratelimit-remaining": str(left),
                "x-ratelimit-reset": str(int(self._window + HOUR_S)),
                "x-github-request-id": f"FAKE:{len(self.asked)}",
                "date": formatdate(self._now, usegmt=True),
            }
            return status, content, limit

    def _answer(self, call: str, bearer: str | None, body: object, knows: bool) -> _Answer:
        if call == "POST /credentials/revoke":
            return self._revoke(bearer, body)
        if call not in {"GET /user", "GET /rate_limit"}:
            return HTTPStatus.NOT_FOUND, {"message": "Not Found"}
        if bearer is not None and knows and self._owners[bearer] in self.suspended:
            return HTTPStatus.FORBIDDEN, _SUSPENDED
        if bearer is not None and not knows:
            return HTTPStatus.UNAUTHORIZED, _BAD
        if call == "GET /user":
            login = self._owners[bearer or ""]
            return HTTPStatus.OK, {"login": login, "id": sum(login.encode())}
        return HTTPStatus.OK, {"resources": {"core": {"limit": KNOWN if knows else ANONYMOUS}}}

    def _revoke(self, bearer: str | None, body: object) -> _Answer:
        if bearer is not None:
            return HTTPStatus.FORBIDDEN, {"message": "This endpoint takes no authenticated requests"}
        tokens = body.get("credentials") if isinstance(body, dict) else None
        if not isinstance(tokens, list) or not 0 < len(tokens) <= MOST or not all(map(_is_text, tokens)):
            return HTTPStatus.UNPROCESSABLE_ENTITY, {"message": "Validation Failed"}
        self.revocations.append(len(tokens))
        for token in tokens:
            if token in self._owners:
                self._dies_at.setdefault(token, self._now + self.delay_s)
        return HTTPStatus.ACCEPTED, {}

    def _lives(self, token: str) -> bool:
        return token in self._owners and self._now < self._dies_at.get(token, self._now + 1)


def _is_text(token: object) -> bool:
    return isinstance(token, str)


@contextlib.contextmanager
def github_server(delay_s: float = 0.0) -> Iterator[GitHubServer]:
    """Run a fake on a free port; a revoked token lives on for `delay_s` of its time."""
    github = GitHubServer(delay_s=delay_s)

    class Asked(Request):
        def answered(self, sent: bytes) -> None:
            named = self.headers.get("Authorization")
            bearer = None if named is None else named.removeprefix("Bearer ")
            try:
                body = json.loads(sent) if sent else None
            except ValueError:
                body = None
            status, content, headers = github.answer(f"{self.command} {self.path}", bearer, body)
            self.reply(status, json.dumps(content).encode(), headers)

    with listening(Asked) as github.address:
        yield github
