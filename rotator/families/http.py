"""What plain REST services share: one client per connection, and who makes a call."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from urllib.parse import urljoin, urlsplit

from rotator.credential import Secret
from rotator.errors import BadInput, Rejected, asking
from rotator.families.http_authentication import EXCHANGE_S, Request, Tokens, credential_values, encoded, shown
from rotator.families.http_template import Filled, Values, filled_text
from rotator.families.http_wire import Reply, Wire
from rotator.ports.connection import CALL_DEADLINE_S, Connection
from rotator.rest_authentication import Authenticate
from rotator.rest_template import CREDENTIAL, placeholders

SETTINGS = frozenset({"ca_file", "settings"})
"""Keys of `[[connections]]` that this family alone knows."""

FAMILY = "http"


@dataclass(frozen=True, slots=True)
class Bearer:
    """An exposed credential as the one who calls: its material, and the names that its form may want."""

    secret: Secret
    names: Mapping[str, object] = field(default_factory=dict)


class RestService:
    """Speak to one service as the rotator, or as the bearer of another credential. Safe for many threads at once."""

    def __init__(
        self,
        connection: Connection,
        authenticate: Authenticate,
        secret_field: str,
        *,
        subject: Authenticate | None = None,
        headers: Mapping[str, str] | None = None,
        given: Values | None = None,
    ) -> None:
        address = connection.endpoint_url or ""
        if urlsplit(address).scheme not in ("http", "https") or not urlsplit(address).hostname:
            raise BadInput("an http connection needs an address", connection.name, "give it an `endpoint_url`")
        self.address = address.rstrip("/")
        self.given = dict(given or {})
        self._connection, self._secret_field = connection, secret_field
        self._authenticate, self._subject = authenticate, subject or authenticate
        self._headers = {name: filled_text(each, self.given) for name, each in (headers or {}).items()}
        self._wire = Wire(self.address, connection.settings.get("ca_file"))
        self._tokens = {
            id(form): Tokens(form.oauth, self._exchange)
            for form in (self._authenticate, self._subject)
            if form.oauth is not None
        }

    def read(self, call: Filled, bearer: Bearer | None = None) -> Reply:
        """Ask something that changes nothing; any answer is returned. Raises Unavailable when there was none."""
        return self._asked(call, self.address, bearer)

    def follow(self, page: Reply, address: str, call: Filled) -> Reply:
        """Read the next page of a list. Raises Rejected when it lies with another server."""
        url = urljoin(page.url, address)
        if not _same_origin(url, self.address):
            raise Rejected("list_leads_elsewhere", f"its next page lies with {urlsplit(url).hostname}")
        parts = urlsplit(url)
        path = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path
        return self._asked(Filled(call.method, path, call.body, call.form), f"{parts.scheme}://{parts.netloc}", None)

    def change(self, call: Filled, bearer: Bearer | None = None) -> Reply:
        """Send a call once; any answer is returned. Raises Unavailable or Uncertain when there was none."""
        return self._sent(encoded(call, self.address, self._headers), bearer)

    def own_credential(self) -> Secret:
        """Return the connection's own credential, as it is kept."""
        own = self._connection.credential()
        if own is None:
            raise Rejected("no_credential", f"connection {self._connection.name} has no `credential`")
        return own

    def own_bearer(self, field_of_id: str = "id") -> Bearer:
        """Return the rotator's own credential as one of the kind. Raises Rejected when it is none."""
        values = credential_values(self.own_credential(), self._secret_field)
        if "secret" not in values:
            raise Rejected("no_credential", f"connection {self._connection.name}: not this kind's document")
        named = values.get(f"{CREDENTIAL}{field_of_id}")
        return Bearer(Secret(str(values["secret"])), {} if named is None else {"id": named})

    def own_fields(self) -> dict[str, object]:
        """Return the fields of the rotator's own document, as templates name them: none of a plain token."""
        own = credential_values(self.own_credential(), self._secret_field)
        return {name: value for name, value in own.items() if name.startswith(CREDENTIAL)}

    def _asked(self, call: Filled, address: str, bearer: Bearer | None) -> Reply:
        with asking():
            return self._sent(encoded(call, address, self._headers), bearer)

    def _sent(self, request: Request, bearer: Bearer | None) -> Reply:
        form, values = self._who(bearer)
        if (tokens := self._tokens.get(id(form))) is None:
            return self._over_the_wire(shown(request, form, values), request.url)
        began = time.monotonic()
        token, kept = tokens.token(values)
        reply = self._as_bearer(request, token)
        if reply.status == HTTPStatus.UNAUTHORIZED:
            tokens.forget(token)
            left = CALL_DEADLINE_S - (time.monotonic() - began) - EXCHANGE_S
            if kept and left > EXCHANGE_S:
                # Refused before anything was done, perhaps for having been ended early: once more with a new one.
                return self._as_bearer(request, tokens.token(values)[0], left)
        return reply

    def _as_bearer(self, request: Request, token: Secret, within_s: float | None = None) -> Reply:
        signed = shown(request, Authenticate(), {"secret": token.reveal()})
        return self._over_the_wire(signed, request.url, within_s)

    def _over_the_wire(self, request: Request, url: str, within_s: float | None = None) -> Reply:
        reply = self._wire.send(
            request.method, request.url, request.headers, content=request.content, within_s=within_s
        )
        return replace(reply, url=url)  # without a credential that stands in the address

    def _exchange(self, call: Filled, form: Authenticate | None, values: Values, within_s: float) -> Reply:
        request = encoded(call, self.address, self._headers)
        return self._over_the_wire(shown(request, form, values) if form else request, request.url, within_s)

    def _who(self, bearer: Bearer | None) -> tuple[Authenticate, dict[str, object]]:
        if bearer is None:
            own = credential_values(self.own_credential(), self._secret_field)
            return self._authenticate, {**self.given, **own}
        values = {**self.given, **bearer.names, "secret": bearer.secret.reveal()}
        if any(name.startswith(CREDENTIAL) for name in placeholders(self._subject.model_dump())):
            values |= self.own_fields()
        return self._subject, values


def _same_origin(url: str, address: str) -> bool:
    return urlsplit(url)[:2] == urlsplit(address)[:2]
