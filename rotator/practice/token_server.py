"""The practice range's own service, "Acme": it issues API tokens over REST, as many vendors do, and forgets nothing.

    POST   /tokens               {owner, scopes, marker}  201 {data: {id, token, owner, scopes}}     administrator
    GET    /tokens?limit=N       200 {data: [{id, owner, scopes, marker, suspended, created_at, last_used_at}], next}
    POST   /tokens/ID/suspend    204, 404 when there is none                                         administrator
    POST   /tokens/ID/resume     204, 404 when there is none                                         administrator
    DELETE /tokens/ID            204, 404 when there is none                                         administrator
    GET    /me                   200 {data: {id, owner, scopes}}                                     any live token

With `limit`, the list comes in pages; `next` is the path of the following one. A token that is unknown, suspended or
revoked is refused with 401, a live one without the administrator's rights with 403. Suspending and resuming can be
repeated.
"""

from __future__ import annotations

import contextlib
import json
import secrets
import string
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from rotator.credential import Secret

_ALPHABET = string.ascii_letters + string.digits
_Answer = tuple[HTTPStatus, dict[str, Any] | None]


@dataclass(slots=True)
class _Token:
    id: str
    secret: str
    owner: str
    scopes: list[str]
    marker: str
    created_at: str
    suspended: bool = False
    last_used_at: str | None = None

    @property
    def number(self) -> int:
        return int(self.id.removeprefix("tok_"))

    def listed(self) -> dict[str, Any]:
        """Return what the list shows: everything but the secret."""
        return {name: getattr(self, name) for name in self.__slots__ if name != "secret"}


@dataclass(frozen=True, slots=True)
class PlantedAcmeToken:
    """A token as the server gave it."""

    id: str
    token: Secret


@dataclass(slots=True)
class Acme:
    """The service's memory and rules, without the network."""

    admin: Secret
    _tokens: dict[str, _Token] = field(default_factory=dict)
    _by_secret: dict[str, _Token] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def issue(self, owner: str, scopes: list[str], marker: str = "") -> _Token:
        """Make a token: `acme_` and 40 letters or digits."""
        secret = "acme_" + "".join(secrets.choice(_ALPHABET) for _ in range(40))
        with self._lock:
            token = _Token(f"tok_{len(self._by_secret) + 1:06d}", secret, owner, scopes, marker, _now())
            self._tokens[token.id] = self._by_secret[secret] = token
        return token

    def answer(self, method: str, path: str, bearer: str, body: dict[str, Any]) -> _Answer:
        """Answer one request."""
        address = urlsplit(path)
        parts = tuple(part for part in address.path.split("/") if part)
        if (method, parts) == ("GET", ("me",)):
            return self._me(bearer)
        if not secrets.compare_digest(bearer.encode(), self.admin.reveal().encode()):
            return (HTTPStatus.FORBIDDEN if self._live(bearer) else HTTPStatus.UNAUTHORIZED), {"error": "refused"}
        match (method, *parts):
            case ("POST", "tokens"):
                return self._create(body)
            case ("GET", "tokens"):
                wanted = dict(parse_qsl(address.query))
                return self._page(int(wanted.get("after", 0)), int(wanted.get("limit", 0)))
            case ("POST", "tokens", token_id, "suspend" | "resume" as verb):
                return self._change(token_id, suspended=verb == "suspend")
            case ("DELETE", "tokens", token_id):
                return self._revoke(token_id)
        return HTTPStatus.NOT_FOUND, {"error": "no such path"}

    def _live(self, bearer: str) -> _Token | None:
        token = self._by_secret.get(bearer)
        return token if token is not None and token.id in self._tokens and not token.suspended else None

    def _me(self, bearer: str) -> _Answer:
        token = self._live(bearer)
        if token is None:
            return HTTPStatus.UNAUTHORIZED, {"error": "unknown token"}
        token.last_used_at = _now()
        return HTTPStatus.OK, {"data": {"id": token.id, "owner": token.owner, "scopes": token.scopes}}

    def _create(self, body: dict[str, Any]) -> _Answer:
        owner, scopes, marker = body.get("owner"), body.get("scopes"), body.get("marker", "")
        if not (isinstance(owner, str) and owner and isinstance(scopes, list) and isinstance(marker, str)):
            return HTTPStatus.UNPROCESSABLE_ENTITY, {"error": "owner is a name, scopes a list, marker a text"}
        token = self.issue(owner, [str(scope) for scope in scopes], marker)
        created = {"id": token.id, "token": token.secret, "owner": token.owner, "scopes": token.scopes}
        return HTTPStatus.CREATED, {"data": created}

    def _page(self, after: int, limit: int) -> _Answer:
        with self._lock:
            rest = [token for token in self._tokens.values() if token.number > after]
        page = rest[:limit] if limit > 0 else rest
        following = f"/tokens?limit={limit}&after={page[-1].number}" if len(page) < len(rest) else None
        return HTTPStatus.OK, {"data": [token.listed() for token in page], "next": following}

    def _change(self, token_id: str, *, suspended: bool) -> _Answer:
        token = self._tokens.get(token_id)
        if token is None:
            return HTTPStatus.NOT_FOUND, {"error": "no such token"}
        token.suspended = suspended
        return HTTPStatus.NO_CONTENT, None

    def _revoke(self, token_id: str) -> _Answer:
        with self._lock:
            gone = self._tokens.pop(token_id, None)
        return (HTTPStatus.NO_CONTENT, None) if gone else (HTTPStatus.NOT_FOUND, {"error": "no such token"})


@dataclass(frozen=True, slots=True)
class TokenServer:
    """A running Acme. `admin` is the administrator's token, which the rotator's connection holds."""

    address: str
    admin: Secret
    _acme: Acme

    def plant(self, owner: str, scopes: tuple[str, ...] = ("read",)) -> PlantedAcmeToken:
        """Make a token as its owner would on the vendor's web page."""
        token = self._acme.issue(owner, list(scopes))
        return PlantedAcmeToken(token.id, Secret(token.secret))

    def alive(self) -> frozenset[str]:
        """Return the ids of all tokens that are neither suspended nor revoked."""
        return frozenset(token.id for token in list(self._acme._tokens.values()) if not token.suspended)  # noqa: SLF001


@contextlib.contextmanager
def token_server() -> Iterator[TokenServer]:
    """Serve Acme on a free port of 127.0.0.1 until the block ends."""
    acme = Acme(Secret("acme-admin-" + secrets.token_urlsafe(24)))
    server = _Server(("127.0.0.1", 0), _requests_to(acme))
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), name="acme", daemon=True)
    thread.start()
    try:
        yield TokenServer(f"http://127.0.0.1:{server.server_port}", acme.admin, acme)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


def _requests_to(acme: Acme) -> type[BaseHTTPRequestHandler]:
    class Request(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        wbufsize = -1  # head and body leave in one piece

        def do_GET(self) -> None:
            self._respond()

        def do_POST(self) -> None:
            self._respond()

        def do_DELETE(self) -> None:
            self._respond()

        def _respond(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            try:
                body = json.loads(self.rfile.read(length) or b"{}")
                bearer = self.headers.get("Authorization", "").removeprefix("Bearer ")
                status, fields = acme.answer(self.command, self.path, bearer, body)
            except (ValueError, AttributeError):
                status, fields = HTTPStatus.BAD_REQUEST, {"error": "not understood"}
            content = b"" if fields is None else json.dumps(fields).encode()
            self.send_response(status)
            if content:
                self.send_header("Content-Type", "application/json")
            if status != HTTPStatus.NO_CONTENT:
                self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the standard library's name
            """Say nothing: the demo's terminal is for the demo."""

    return Request


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
