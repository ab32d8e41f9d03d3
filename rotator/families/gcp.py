"""What every kind of Google Cloud credential shares: calls as the rotator, in one project, under one deadline.

Plain REST: the vendor's clients bring gRPC and Protocol Buffers for the same calls, and one deadline for connecting
and reading together.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from rotator import clock
from rotator.credential import Secret
from rotator.errors import BadInput, Rejected, RotatorError, Unavailable, Uncertain, asking
from rotator.families.gcp_tokens import CLOUD, assertion, exchanged
from rotator.families.http_wire import Reply, Wire
from rotator.ports.connection import CALL_DEADLINE_S, CONNECT_TIMEOUT_S, READ_TIMEOUT_S, Connection

FAMILY = "gcp"
SETTINGS = frozenset({"ca_file"})
"""Keys of `[[connections]]` that this family alone knows."""

EARLY_S = 120.0
"""A token of ours is renewed so long before its end, in seconds."""

_REASONS: dict[int, str] = {
    HTTPStatus.BAD_REQUEST: "refused",
    HTTPStatus.UNAUTHORIZED: "own_credential_refused",
    HTTPStatus.FORBIDDEN: "access_denied",
    HTTPStatus.NOT_FOUND: "not_found",
    HTTPStatus.CONFLICT: "already_exists",
}


@dataclass(frozen=True, slots=True)
class _Token:
    """A token of our own, and until when it is used; made with one state of our own credential."""

    credential: Secret | None
    token: Secret
    until: float


class Project:
    """One project, as its connection reaches it. Used by many threads, kept for the process's life."""

    def __init__(self, connection: Connection) -> None:
        if not connection.account:
            raise BadInput(
                "a gcp connection needs its project", connection.name, "give it an `account`: the project's id"
            )
        self.connection, self.id = connection, connection.account
        self._lock = threading.Lock()
        self._wires: dict[str, Wire] = {}
        self._token: _Token | None = None

    def address(self, service: str) -> str:
        """Return where a service is asked; a connection's own address stands for all of them."""
        return (self.connection.endpoint_url or f"https://{service}.googleapis.com").rstrip("/")

    def wire(self, service: str) -> Wire:
        """Return the connections to one service."""
        address = self.address(service)
        with self._lock:
            if address not in self._wires:
                self._wires[address] = Wire(address, self.connection.settings.get("ca_file"))
            return self._wires[address]

    def exchange(self) -> Exchange:
        """Begin the calls of one method."""
        return Exchange(self)

    def own_key_id(self) -> str | None:
        """Return the id of the service account's key that we act with, None where we act otherwise."""
        credential = self.connection.credential()
        found = _key_file(credential).get("private_key_id") if credential is not None else None
        return None if found is None else str(found)

    def own_email(self) -> str | None:
        """Return the address of the service account that we act as, None where no key file tells it."""
        credential = self.connection.credential()
        return str(key["client_email"]) if credential is not None and (key := _key_file(credential)) else None

    def token(self) -> Secret:
        """Return a token of our own that lives for a while yet. Threads may renew it together; each one is good."""
        credential, known = self.connection.credential(), self._token
        if known is None or known.credential != credential or known.until < clock.now():
            known = self._token = self._renewed(credential)
        return known.token

    def forget(self) -> None:
        """Get another token next time: this one was refused before its end."""
        self._token = None

    def _renewed(self, credential: Secret | None) -> _Token:
        if credential is None:
            return _Token(None, *_by_default())
        key = _key_file(credential)
        if not key:
            return _Token(credential, Secret(credential.reveal().strip()), clock.now() + EARLY_S)
        address = f"{self.address('oauth2')}/token"
        signed = assertion(
            str(key["client_email"]), Secret(str(key["private_key"])), address, CLOUD, key.get("private_key_id")
        )
        try:
            reply = exchanged(self.wire("oauth2"), address, signed)
        except Uncertain as lost:  # whatever the token was wanted for has not begun
            raise Unavailable("no_own_token", lost.reason) from None
        content = reply.content if isinstance(reply.content, dict) else {}
        if not reply.ok or "access_token" not in content:
            if reply.status >= HTTPStatus.INTERNAL_SERVER_ERROR or reply.status == HTTPStatus.TOO_MANY_REQUESTS:
                raise Unavailable("no_own_token", f"HTTP {reply.status}", reply.retry_after)
            raise Rejected(
                "own_credential_refused", f"token exchange: {content.get('error_description', reply.status)}"
            )
        until = clock.now() + float(content.get("expires_in", 3600)) - EARLY_S
        return _Token(credential, Secret(str(content["access_token"])), until)


class Exchange:
    """The calls of one method, which share its deadline."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._last_start = time.monotonic() + CALL_DEADLINE_S - CONNECT_TIMEOUT_S - READ_TIMEOUT_S

    def read(self, service: str, path: str, method: str = "GET") -> dict[str, Any]:
        """Make a call that changes nothing: whatever is lost may be asked again."""
        with asking():
            return self.change(service, method, path)

    def change(self, service: str, method: str, path: str, body: object = None) -> dict[str, Any]:
        """Make a call that changes something: a lost answer is Uncertain."""
        if time.monotonic() > self._last_start:
            raise Unavailable("out_of_time", f"Google is slow: {method} {path.rpartition('/')[2]} was not begun")
        project = self._project
        headers = {"Authorization": f"Bearer {project.token().reveal()}", "User-Agent": "rotator"}
        url = project.address(service) + path
        reply = project.wire(service).send(method, url, headers, body)
        if reply.status == HTTPStatus.UNAUTHORIZED:
            project.forget()
        if not reply.ok:
            raise refused(reply)
        if not isinstance(reply.content, dict):
            raise Uncertain("answer_unreadable", f"HTTP {reply.status}")
        return reply.content


def listing(project: Project, service: str, path: str, part: str) -> Iterator[Mapping[str, Any]]:
    """Yield what stands under `part` of every page of a list; each page has a deadline of its own."""
    page = ""
    while True:
        found = project.exchange().read(service, f"{path}{'&' if '?' in path else '?'}pageSize=100{page}")
        yield from found.get(part, [])
        if not found.get("nextPageToken"):
            return
        page = f"&pageToken={found['nextPageToken']}"


def refused(reply: Reply) -> RotatorError:
    """Return our error for an answer that was an error. Google's messages name resources and permissions only."""
    told = reply.content.get("error", {}) if isinstance(reply.content, dict) else {}
    told = told if isinstance(told, dict) else {}
    status, message = str(told.get("status", "")), str(told.get("message", ""))[:300]
    detail = f"HTTP {reply.status} {status}: {message}".rstrip(": ")
    if "Maximum number of keys" in message:  # it comes as 429 with a day's delay, and is no throttling
        return Rejected("quota", detail)
    if reply.status == HTTPStatus.TOO_MANY_REQUESTS:
        return Unavailable("throttled", detail, reply.retry_after)
    if reply.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return Uncertain("server_error", detail)
    if status == "ABORTED":  # a policy, or whatever has an etag, changed since it was read
        return Unavailable("being_edited", detail, retry_after=1.0)
    if status == "FAILED_PRECONDITION":
        return Rejected("failed_precondition", detail)
    if reply.status == HTTPStatus.NOT_FOUND and not told:
        return Rejected("refused", detail)  # by somebody in between, who says nothing of what is there
    return Rejected(_REASONS.get(reply.status, "refused"), detail)


def _key_file(credential: Secret) -> dict[str, Any]:
    """Return the fields of a service account's key file, nothing for a plain token."""
    text = credential.reveal().strip()
    if not text.startswith("{"):
        return {}
    try:
        fields = json.loads(text)
        if isinstance(fields["client_email"], str) and isinstance(fields["private_key"], str):
            return dict(fields)
    except (ValueError, KeyError, TypeError):
        pass
    raise Rejected(
        "own_credential_unreadable", "this connection's credential is a service account's key file, or a token"
    )


def _by_default() -> tuple[Secret, float]:
    """Return a token of the vendor's default chain: workload identity, the metadata server, a file that it names."""
    import google.auth  # noqa: PLC0415 - only where nothing is configured
    from google.auth.exceptions import GoogleAuthError, TransportError  # noqa: PLC0415
    from google.auth.transport.requests import Request  # noqa: PLC0415

    def ask(*given: Any, **named: Any) -> Any:
        return Request()(*given, **{**named, "timeout": (CONNECT_TIMEOUT_S, READ_TIMEOUT_S)})

    try:
        found, _ = google.auth.default(scopes=[CLOUD])
        refresh: Any = found.refresh  # which the library leaves untyped
        refresh(ask)
    except TransportError:
        raise Unavailable("unreachable", "Google's token service") from None
    except GoogleAuthError as error:
        raise Unavailable(
            "no_own_credential", f"{type(error).__name__}: name a credential in this connection"
        ) from None
    return Secret(str(found.token)), clock.now() + EARLY_S
