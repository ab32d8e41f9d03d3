"""What every kind of Azure credential shares: calls as the rotator, in one tenant, to Microsoft Graph or a Key Vault.

    account = "72f988bf-…"          # the tenant's id
    vault = "payments"              # the Key Vault's name, for the kinds that stand in one
    endpoint_url = …                # a proxy or an emulator, which then stands for sign-in, Graph and the vault alike

The connection's credential is the JSON document {"client_id": …, "client_secret": …} of an application of the rotator's
own. Plain REST: the vendor's libraries retry by themselves, and keep tokens in places of their own.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode, urlsplit

from rotator.credential import Secret
from rotator.errors import BadInput, Rejected, RotatorError, Unavailable, Uncertain, asking
from rotator.families.http_wire import Reply, Wire
from rotator.ports.connection import CALL_DEADLINE_S, CONNECT_TIMEOUT_S, READ_TIMEOUT_S, Connection

FAMILY = "azure"
SETTINGS = frozenset({"ca_file", "vault"})
"""Keys of `[[connections]]` that this family alone knows."""

SECRET_FIELD = "client_secret"  # noqa: S105 - the name of a field
GRAPH = "https://graph.microsoft.com"
LOGIN = "https://login.microsoftonline.com"
KEY_VAULT = "https://vault.azure.net"
EARLY_S = 120.0
"""A token of ours is renewed so long before its end, in seconds."""

INVALID_SECRET, EXPIRED_SECRET, NO_APPLICATION = 7000215, 7000222, 700016

_EXCHANGE_S = CALL_DEADLINE_S - CONNECT_TIMEOUT_S - READ_TIMEOUT_S
_TENANT = re.compile(r"[A-Za-z0-9.-]{1,128}")
_VAULT = re.compile(r"[A-Za-z0-9-]{3,24}")
_MOST_PAGES = 2000


@dataclass(frozen=True, slots=True)
class _Token:
    """A token of our own for one service, and until when, on the monotonic clock, it is used."""

    own: Secret
    token: Secret
    until: float


class Tenant:
    """One tenant, as its connection reaches it. Used by many threads, kept for the process's life."""

    def __init__(self, connection: Connection) -> None:
        if not connection.account or not _TENANT.fullmatch(connection.account):
            raise BadInput(
                "an azure connection needs its tenant", connection.name, "give it an `account`: the tenant's id"
            )
        address = connection.endpoint_url
        if address and (urlsplit(address).scheme not in ("http", "https") or not urlsplit(address).hostname):
            raise BadInput("`endpoint_url` is no address", connection.name, "leave it out for Azure itself")
        self.connection, self.id = connection, connection.account
        self._lock = threading.Lock()
        self._wires: dict[str, Wire] = {}
        self._tokens: dict[str, _Token] = {}

    @property
    def vault(self) -> str:
        """Return the address of the connection's Key Vault. Raises Rejected("no_vault") when it names none."""
        name = str(self.connection.settings.get("vault") or "")
        if not _VAULT.fullmatch(name):
            raise Rejected("no_vault", f'connection {self.connection.name} names no Key Vault: vault = "payments"')
        return f"https://{name}.vault.azure.net"

    def address(self, service: str) -> str:
        """Return where a service is asked; a connection's own address stands for all of them."""
        return (self.connection.endpoint_url or service).rstrip("/")

    def sign_in(self, form: Mapping[str, str], within_s: float | None = None) -> Reply:
        """Ask the tenant for a token; any answer is returned. Raises Unavailable when there was none."""
        url = f"{self.address(LOGIN)}/{self.id}/oauth2/v2.0/token"
        headers = {"Content-Type": "application/x-www-form-urlencoded", "User-Agent": "rotator"}
        with asking():
            return self._wire(LOGIN).send("POST", url, headers, content=urlencode(form).encode(), within_s=within_s)

    def read(self, service: str, path: str) -> Reply:
        """Read something; any answer but a throttling is returned. Raises Unavailable when there was none."""
        with asking():
            return self.change("GET", service, path)

    def change(self, method: str, service: str, path: str, body: object = None) -> Reply:
        """Make a call, once, as the rotator; any answer but a throttling is returned.

        Raises Unavailable or Uncertain when there was none. A path may be a whole address that a list went on to.
        """
        base = self.address(service)
        url = path if path.startswith(f"{base}/") else base + path
        headers = {"Authorization": f"Bearer {self._token(service).reveal()}", "User-Agent": "rotator"}
        reply = self._wire(service).send(method, url, headers, body, within_s=CALL_DEADLINE_S - _EXCHANGE_S)
        if reply.status == HTTPStatus.UNAUTHORIZED:
            self._tokens.pop(service, None)
        if reply.status == HTTPStatus.TOO_MANY_REQUESTS:
            raise Unavailable("throttled", f"http_{reply.status}", reply.retry_after)
        if reply.ok and reply.status != HTTPStatus.NO_CONTENT and not isinstance(reply.content, Mapping):
            raise Uncertain(
                "answer_unreadable", f"http_{reply.status}"
            )  # a proxy's page: Azure may never have been asked
        return reply

    def listed(self, service: str, path: str) -> Iterator[Mapping[str, Any]]:
        """Yield what a list holds, page by page. Raises Rejected when it leads to another server."""
        base, following = self.address(service), path
        for _ in range(_MOST_PAGES):
            found = told(self.read(service, following), "value")
            yield from found["value"] or ()
            following = str(found.get("@odata.nextLink") or found.get("nextLink") or "")
            if not following:
                return
            if not following.startswith(f"{base}/"):
                raise Rejected("list_leads_elsewhere", f"its next page lies with {urlsplit(following).hostname}")

    def own(self) -> tuple[str, Secret, str]:
        """Return the client id and the secret that the rotator comes in with, and the keyId that its document tells."""
        credential = self.connection.credential()
        if credential is None:
            raise Rejected("no_credential", f"connection {self.connection.name} has no `credential`")
        try:
            fields = json.loads(credential.reveal())
            return str(fields["client_id"]), Secret(str(fields[SECRET_FIELD])), str(fields.get("id", ""))
        except (ValueError, KeyError, TypeError, AttributeError):
            raise Rejected(
                "own_credential_unreadable", 'it is {"client_id": …, "client_secret": …}, as rotator delivers one'
            ) from None

    def _token(self, service: str) -> Secret:
        client, secret, _ = self.own()
        known = self._tokens.get(service)
        if known is not None and known.own == secret and time.monotonic() < known.until:
            return known.token
        audience = KEY_VAULT if service not in (GRAPH, LOGIN) else service
        reply = self.sign_in(client_credentials(client, secret, f"{audience}/.default"), _EXCHANGE_S)
        content = reply.content if isinstance(reply.content, Mapping) else {}
        if not reply.ok or "access_token" not in content:
            if reply.status >= HTTPStatus.INTERNAL_SERVER_ERROR or reply.status == HTTPStatus.TOO_MANY_REQUESTS:
                raise Unavailable("no_own_token", f"http_{reply.status}", reply.retry_after)
            raise Rejected("own_credential_refused", f"sign-in: {error_code(reply) or reply.status}")
        until = time.monotonic() + float(content.get("expires_in", 3600)) - EARLY_S
        made = self._tokens[service] = _Token(secret, Secret(str(content["access_token"])), until)
        return made.token

    def _wire(self, service: str) -> Wire:
        address = self.address(service)
        with self._lock:
            if address not in self._wires:
                self._wires[address] = Wire(address, self.connection.settings.get("ca_file"))
            return self._wires[address]


def client_credentials(client: str, secret: Secret, scope: str) -> dict[str, str]:
    """Return the form by which an application asks for a token."""
    return {
        "grant_type": "client_credentials",
        "client_id": client,
        "client_secret": secret.reveal(),
        "scope": scope,
    }


def told(reply: Reply, *needed: str) -> Mapping[str, Any]:
    """Return the object of a success, which has these fields; raise what another answer means."""
    if not reply.ok:
        raise refusal(reply)
    content = reply.content if isinstance(reply.content, Mapping) else {}
    if not set(needed) <= content.keys():
        raise Unavailable("answer_unreadable", f"http_{reply.status}")
    return content


def given(reply: Reply, name: str) -> bool:
    """Tell whether a yes gives what Azure's own would, such as a token; a yes without it is somebody else's."""
    return reply.ok and isinstance(reply.content, Mapping) and bool(reply.content.get(name))


def refusal(reply: Reply) -> RotatorError:
    """Put an answer that is none into our words, with the code that Azure gives it."""
    content = reply.content if isinstance(reply.content, Mapping) else {}
    error = content.get("error")
    code = str(error.get("code", "")) if isinstance(error, Mapping) else ""
    ours = reply.refusal()
    return type(ours)(ours.reason, f"http_{reply.status} {code}".strip())


def error_code(reply: Reply) -> int | None:
    """Return the number of a refused sign-in: 7000215 for AADSTS7000215, None where none is told."""
    codes = reply.content.get("error_codes") if isinstance(reply.content, Mapping) else None
    return codes[0] if isinstance(codes, list) and codes and isinstance(codes[0], int) else None
