"""Show who makes a call, in the form that the playbook names."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import quote, urlencode

from rotator.credential import Secret
from rotator.errors import Rejected, Unavailable, asking
from rotator.families.http_template import Filled, Values, at, filled, filled_text
from rotator.families.http_wire import Reply
from rotator.families.sigv4 import Signer
from rotator.ports.connection import CALL_DEADLINE_S, CONNECT_TIMEOUT_S, READ_TIMEOUT_S
from rotator.rest_authentication import Authenticate, SigV4, TokenExchange
from rotator.rest_template import CREDENTIAL

EXCHANGE_S = CALL_DEADLINE_S - CONNECT_TIMEOUT_S - READ_TIMEOUT_S
"""Seconds in which a token must be had, so that the call it is for ends within its own deadline."""

_MARGIN_S = 60.0
"""A token that expires within this is not used any more."""
_LIFETIME_S = 300.0
"""How long a token is used whose expiry nobody names."""


@dataclass(frozen=True, slots=True)
class Request:
    """What goes over the wire. It holds material, so it shows nothing of itself."""

    method: str
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    content: bytes | None = field(default=None, repr=False)


def encoded(call: Filled, address: str, headers: Mapping[str, str]) -> Request:
    """Write a call's body out; a content type among the `headers` goes before the usual one."""
    told = dict(headers)
    content: bytes | None = None
    if call.form is not None:
        content, usual = urlencode(call.form).encode(), "application/x-www-form-urlencoded"
    elif call.body is not None:
        content, usual = json.dumps(call.body, separators=(",", ":")).encode(), "application/json"
    if content is None:
        told = {name: value for name, value in told.items() if name.lower() != "content-type"}
    elif "content-type" not in {name.lower() for name in told}:
        told["Content-Type"] = usual
    return Request(call.method, address + call.path, told, content)


def credential_values(own: Secret, secret_field: str) -> dict[str, object]:
    """Return what a template may say of the connection's own credential: a plain token, or a JSON document."""
    text = own.reveal().strip()
    if not text.startswith("{"):
        return {"secret": text}
    try:
        document = json.loads(text)
    except ValueError:
        return {}
    fields = {name: value for name, value in document.items() if isinstance(value, str)}
    told: dict[str, object] = {f"{CREDENTIAL}{name}": value for name, value in fields.items()}
    if secret_field in fields:
        told["secret"] = fields[secret_field]
    return {**told, "id": fields["id"]} if "id" in fields else told


def shown(request: Request, form: Authenticate, values: Values) -> Request:
    """Return the request with the credential in it. Raises Rejected("unreadable") for what no request can hold."""
    if form.basic is not None:
        user, password = (filled_text(each, values) for each in form.basic)
        pair = base64.b64encode(f"{user}:{password}".encode()).decode()
        return _with(request, {"Authorization": f"Basic {pair}"})
    if form.query is not None:
        mark = "&" if "?" in request.url else "?"
        url = f"{request.url}{mark}{quote(form.query, safe='')}={quote(_secret(values), safe='')}"
        return Request(request.method, url, request.headers, request.content)
    if form.headers is not None:
        return _with(request, {name: _header(filled_text(each, values)) for name, each in form.headers.items()})
    if form.sigv4 is not None:
        return _with(request, _signature(request, form.sigv4, values))
    if form.in_call:
        return request
    return _with(request, {form.header: form.before + _secret(values)})


def _with(request: Request, headers: Mapping[str, str]) -> Request:
    return Request(request.method, request.url, {**request.headers, **headers}, request.content)


def _secret(values: Values) -> str:
    if "secret" not in values:
        raise Rejected("no_credential", "the connection's credential is not this kind's document")
    return _sendable(str(values["secret"]))


def sendable(text: str) -> bool:
    """Tell whether a header can hold it: a report may take anything for a token."""
    return bool(text) and text.isascii() and text.isprintable() and " " not in text


def _header(text: str) -> str:
    if not (text.isascii() and text.isprintable()):
        raise Rejected("unreadable", "this is no token")
    return text


def _sendable(text: str) -> str:
    if not sendable(text):
        raise Rejected("unreadable", "this is no token")
    return text


def _signature(request: Request, form: SigV4, values: Values) -> dict[str, str]:
    token = None if form.session_token is None else Secret(filled_text(form.session_token, values))
    signer = Signer(
        filled_text(form.key_id, values),
        Secret(filled_text(form.secret, values)),
        filled_text(form.region, values),
        filled_text(form.service, values),
        token,
    )
    kind = next((value for name, value in request.headers.items() if name.lower() == "content-type"), None)
    return signer.headers(request.method, request.url, request.content or b"", kind, datetime.now(UTC))


class Tokens:
    """Exchange client credentials for a token, once for all threads, and keep it until it expires."""

    def __init__(
        self, exchange: TokenExchange, send: Callable[[Filled, Authenticate | None, Values, float], Reply]
    ) -> None:
        self._exchange, self._send = exchange, send
        self._lock = threading.Lock()
        self._kept: tuple[bytes, Secret, float] | None = None

    def token(self, values: Values) -> tuple[Secret, bool]:
        """Return a token, and whether it was had before this call.

        Raises Unavailable when none was to be had in time, Rejected when the client credentials are refused.
        """
        whose = hashlib.sha256(repr(sorted(values.items())).encode()).digest()
        if (known := self._known(whose)) is not None:
            return known, True
        began = time.monotonic()
        if not self._lock.acquire(timeout=EXCHANGE_S):
            raise Unavailable("no_token_in_time", "another thread waits for it")
        try:
            if (known := self._known(whose)) is not None:
                return known, False
            left = EXCHANGE_S - (time.monotonic() - began)
            if left < EXCHANGE_S / 2:
                raise Unavailable("no_token_in_time", "another thread waited for it in vain")
            token, lifetime = self._exchanged(values, left)
            self._kept = whose, token, time.monotonic() + lifetime
            return token, False
        finally:
            self._lock.release()

    def forget(self, token: Secret) -> None:
        """Use it no more: the service refused it."""
        known = self._kept
        if known is not None and known[1] == token:
            self._kept = None

    def _known(self, whose: bytes) -> Secret | None:
        known = self._kept
        return known[1] if known is not None and known[0] == whose and time.monotonic() < known[2] else None

    def _exchanged(self, values: Values, within_s: float) -> tuple[Secret, float]:
        exchange = self._exchange
        basic = None if exchange.basic is None else Authenticate(basic=exchange.basic)
        with asking():  # a token more or less changes nothing
            reply = self._send(filled(exchange, values), basic, values, within_s)
        token = at(reply.content, exchange.token)
        if not reply.ok or not isinstance(token, str) or not sendable(token):
            refusal = reply.refusal()
            if reply.status in {400, 401, 403}:
                raise Rejected("own_credential_refused", f"no token for it: http_{reply.status}")
            raise refusal if isinstance(refusal, Rejected | Unavailable) else Unavailable("no_token", refusal.reason)
        lasts = at(reply.content, exchange.expires_in)
        seconds = float(lasts) if isinstance(lasts, int | float | str) and str(lasts).isdigit() else _LIFETIME_S
        return Secret(token), max(seconds - _MARGIN_S, seconds / 2)
