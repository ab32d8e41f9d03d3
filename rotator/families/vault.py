"""What the kinds and stores of Vault and OpenBao share: one client per connection, and its errors in our words."""

from __future__ import annotations

import copy
import json
import os
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any

import requests
from hvac.adapters import RawAdapter
from hvac.utils import get_token_from_env
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError, NameResolutionError, NewConnectionError, ReadTimeoutError

from rotator.credential import Secret
from rotator.errors import BadInput, Rejected, Unavailable, Uncertain, asking
from rotator.families.one_method import CallTime, parts_of
from rotator.families.own_token import own_token
from rotator.families.punctual_answers import let_end_in_time
from rotator.ports.connection import CALL_DEADLINE_S, CONNECT_TIMEOUT_S, READ_TIMEOUT_S, Connection

SETTINGS = frozenset(
    {"administrator", "ca_file", "hosts", "known_hosts", "mount", "namespace", "trusted_ca_keys", "user"}
)
"""Keys of `[[connections]]` that this family knows; those of hosts are for `vault_ssh_ca`, and mean what ssh's do."""

FAMILY = "vault"
BEGINS_S = CALL_DEADLINE_S - CONNECT_TIMEOUT_S - READ_TIMEOUT_S
"""After so many seconds no further request begins, so that the last one ends within the call's deadline."""
POOL_SIZE = 40
"""Connections kept open: more than a worker has threads."""

_DETAIL_LENGTH = 200
_PART = 1 << 16
_CERTAIN = ("failed to find accessor entry for secret_id_accessor", "does not exist")
"""Words with which OpenBao 2.7 says a plain no under the status 500."""


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer of the server. `errors` are its own words, without the material that was sent.

    `changed`: it answers a call that may have changed something.
    """

    status: int
    body: Mapping[str, Any]
    errors: tuple[str, ...]
    retry_after: float | None = None
    changed: bool = False

    @property
    def ok(self) -> bool:
        return HTTPStatus.OK <= self.status < HTTPStatus.MULTIPLE_CHOICES

    @property
    def data(self) -> Mapping[str, Any]:
        """Return the `data` of the answer, empty when it has none; what should be in it and is not, is "unreadable"."""
        found = self.body.get("data")
        return _Data(found if isinstance(found, dict) else {}, Uncertain if self.changed else Unavailable)

    @property
    def is_own(self) -> bool:
        """Tell whether it has the form of Vault's: others answer with a page, or with a JSON of their own."""
        return isinstance(self.body.get("errors"), list) or "request_id" in self.body

    @property
    def request_id(self) -> str | None:
        return self.body.get("request_id") or None

    @property
    def nobody_asked(self) -> bool:
        """Tell whether a 403 means that the token itself is unknown, rather than that its policies are too narrow.

        OpenBao 2.7 answers an unknown token with the bare words and a known one with a list ("1 error occurred:");
        Vault since 1.15 names the invalid token. A token bound to other addresses, and one of a disabled entity,
        get the same answer as an unknown one.
        """
        return self.status == HTTPStatus.FORBIDDEN and (
            self.errors == ("permission denied",) or self.says("invalid token")
        )

    def says(self, words: str) -> bool:
        """Tell whether one of the server's errors holds these words."""
        return any(words in error for error in self.errors)

    def accepted(self) -> Reply:
        """Return itself; raise Rejected when the server said no."""
        if self.ok:
            return self
        detail = "; ".join(self.errors)[:_DETAIL_LENGTH] or f"HTTP {self.status}"
        if self.nobody_asked:
            raise Rejected("own_credential_refused", detail)
        if self.status == HTTPStatus.FORBIDDEN:
            raise Rejected("permission_denied", detail)
        raise Rejected("not_found" if self.status == HTTPStatus.NOT_FOUND else "refused", detail)


class _Data(dict[str, Any]):
    """What an answer holds; a part that should be there and is not means that something else than Vault gave it."""

    def __init__(self, parts: dict[str, Any], error: type[Unavailable | Uncertain]) -> None:
        super().__init__(parts)
        self._error = error

    def __missing__(self, part: str) -> Any:
        raise self._error("answer_unreadable", f"it has no {part}")


class Vault:
    """Speak to one server as the rotator, or as the bearer of another token. Safe for many threads at once."""

    def __init__(self, connection: Connection) -> None:
        address = connection.endpoint_url or os.environ.get("VAULT_ADDR")
        if not address:
            raise BadInput("a vault connection needs an address", connection.name, "give it an `endpoint_url`")
        self.address = address.rstrip("/")
        self._connection = connection
        session = requests.Session()
        # The environment may name a proxy or a netrc entry; a secret goes to the server named here and nowhere else.
        session.trust_env = False
        for scheme in ("http://", "https://"):
            adapter = HTTPAdapter(pool_connections=1, pool_maxsize=POOL_SIZE, max_retries=0)
            let_end_in_time(adapter.poolmanager)
            session.mount(scheme, adapter)
        session.verify = str(connection.settings.get("ca_file") or "") or True
        namespace = connection.settings.get("namespace")
        self._adapter = RawAdapter(
            base_uri=self.address,
            session=session,
            timeout=(CONNECT_TIMEOUT_S, READ_TIMEOUT_S),
            allow_redirects=False,  # a redirect would carry the token elsewhere
            namespace=str(namespace) if namespace else None,
        )
        self._time: CallTime | None = None

    def exchange(self) -> Vault:
        """Begin the calls of one method, which share its deadline."""
        begun = copy.copy(self)
        begun._time = CallTime()  # noqa: SLF001 - it is one of these
        return begun

    def read(
        self, method: str, path: str, body: Mapping[str, object] | None = None, token: Secret | None = None
    ) -> Reply:
        """Ask something that changes nothing, as the rotator or as told: whatever is lost can be asked again.

        Raises Unavailable; the answer may still be a refusal.
        """
        with asking():
            return _answered(self._send(method, path, body, token or self.own_token()))

    def change(self, method: str, path: str, body: Mapping[str, object]) -> Reply:
        """Ask for a change, once. Raises Unavailable or Uncertain; the answer may still be a refusal."""
        return replace(_answered(self._send(method, path, body, self.own_token())), changed=True)

    def obtain(self, path: str) -> Reply:
        """Ask for what is made by being asked for, once. Raises Unavailable or Uncertain.

        The answer may be a refusal, and the server's own word (500) that what stands behind it failed.
        """
        reply = self._send("GET", path, None, self.own_token())
        is_word = reply.status == HTTPStatus.INTERNAL_SERVER_ERROR and reply.is_own
        return replace(reply if is_word else _answered(reply), changed=True)

    def knock(self, path: str, token: Secret) -> Reply:
        """Read a path as the bearer of `token`; any answer is returned. Raises Unavailable when there was none."""
        with asking():
            return self._send("GET", path, None, token)

    def login(self, path: str, body: Mapping[str, object]) -> Reply:
        """Ask for a token with what stands in `body`, as nobody yet; any answer is returned.

        Raises Unavailable when there was none.
        """
        with asking():
            return self._send("POST", path, body, None)

    def own_token(self) -> Secret:
        """Return the rotator's own token, the environment's or `~/.vault-token`'s where none is configured."""
        return own_token(self._connection, get_token_from_env)

    def _send(self, method: str, path: str, body: Mapping[str, object] | None, token: Secret | None) -> Reply:
        if token is not None and not sendable(token):
            raise Rejected("unreadable", "this is no token")
        bearer = {} if token is None else {"X-Vault-Token": token.reveal()}
        limits = {} if self._time is None else {"timeout": parts_of(self._time.left_for(method))}
        try:
            answer = self._adapter.request(
                method,
                f"v1/{path}",
                headers=bearer,
                raise_exception=False,
                json=body,
                stream=True,
                **limits,
            )
            with answer:
                content = _whole(answer)
        except requests.RequestException as error:
            # The vendor's exception holds the request with its token: it goes no further than this.
            raise _unanswered(error, self.address) from None
        except HTTPError as error:
            late = isinstance(error, ReadTimeoutError)
            raise Uncertain("timed_out" if late else "connection_lost", self.address) from None
        sent = (*bearer.values(), *_texts(body))
        return _reply(answer, content, [text for text in sent if len(text) >= len("s.xxxxxx")])


def sendable(token: Secret) -> bool:
    """Tell whether a header can hold it: a report may take anything for a token."""
    text = token.reveal()
    return bool(text) and text.isascii() and text.isprintable() and " " not in text


def _unanswered(error: requests.RequestException, address: str) -> Unavailable | Uncertain:
    inner = getattr(error.args[0], "reason", None) if error.args else None
    if isinstance(error, requests.ConnectTimeout) or isinstance(inner, NewConnectionError | NameResolutionError):
        return Unavailable("unreachable", address)
    if inner is not None and any(isinstance(each, ssl.SSLCertVerificationError) for each in inner.args):
        return Unavailable("certificate_not_trusted", address)
    return Uncertain("timed_out" if isinstance(error, requests.ReadTimeout) else "connection_lost", address)


def _whole(answer: requests.Response) -> bytes:
    parts = []
    while part := answer.raw.read1(_PART, decode_content=True):
        parts.append(part)
    return b"".join(parts)


def _reply(answer: requests.Response, content: bytes, sent: list[str]) -> Reply:
    try:
        body = json.loads(content)
    except (ValueError, RecursionError):
        body = None
    fields: Mapping[str, Any] = body if isinstance(body, dict) else {}
    errors = [" ".join(str(error).split()) for error in fields.get("errors") or ()]
    for text in sent:
        errors = [error.replace(text, "[secret]") for error in errors]
    named = answer.headers.get("Retry-After", "")
    return Reply(answer.status_code, fields, tuple(errors), float(named) if named.isdigit() else None)


def _answered(reply: Reply) -> Reply:
    """Return a yes or a no of the server; raise for an answer that is neither."""
    if reply.status == HTTPStatus.TOO_MANY_REQUESTS:
        raise Unavailable("throttled", f"HTTP {reply.status}", reply.retry_after)
    if reply.says("sealed") or reply.says("not active"):
        raise Unavailable("sealed_or_standby", f"HTTP {reply.status}", reply.retry_after)
    if HTTPStatus.MULTIPLE_CHOICES <= reply.status < HTTPStatus.BAD_REQUEST:
        raise Unavailable("redirected", "the connection's endpoint_url is not the active node's")
    if reply.status >= HTTPStatus.INTERNAL_SERVER_ERROR and not any(reply.says(words) for words in _CERTAIN):
        raise Uncertain("server_error", f"HTTP {reply.status}")
    if not reply.is_own and reply.status != HTTPStatus.NO_CONTENT:
        raise Uncertain("answer_unreadable", f"HTTP {reply.status} is not in Vault's words")
    return reply


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _texts(each)
