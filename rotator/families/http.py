"""What plain REST services share: one client per connection, templates, and HTTP's answers in our words."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote, urljoin, urlsplit

from rotator.credential import Secret, read_document
from rotator.errors import BadInput, Rejected, Unavailable, Uncertain
from rotator.families.http_wire import Reply, Wire
from rotator.ports import Connection
from rotator.rest_kind import EXPOSED, PLACEHOLDER, Authenticate

SETTINGS = frozenset({"ca_file"})
"""Keys of `[[connections]]` that this family alone knows."""

FAMILY = "http"


class RestService:
    """Speak to one service as the rotator, or as the bearer of another credential. Safe for many threads at once."""

    def __init__(self, connection: Connection, authenticate: Authenticate, secret_field: str) -> None:
        address = connection.endpoint_url or ""
        if urlsplit(address).scheme not in ("http", "https") or not urlsplit(address).hostname:
            raise BadInput("an http connection needs an address", connection.name, "give it an `endpoint_url`")
        self.address = address.rstrip("/")
        self._connection, self._authenticate, self._secret_field = connection, authenticate, secret_field
        ca_file = connection.settings.get("ca_file")
        self._wire = Wire(self.address, ca_file)

    def read(self, call: str, bearer: Secret | None = None, body: object = None) -> Reply:
        """Ask something that changes nothing; any answer is returned. Raises Unavailable when there was none."""
        try:
            return self.change(call, bearer, body)
        except Uncertain as lost:
            raise Unavailable(lost.reason, lost.detail) from None

    def follow(self, page: Reply, address: str) -> Reply:
        """Read the next page of a list. Raises Rejected when it lies with another server."""
        url = urljoin(page.url, address)
        if not _same_origin(url, self.address):
            raise Rejected("list_leads_elsewhere", f"its next page lies with {urlsplit(url).hostname}")
        try:
            return self._send("GET", url, self.own_credential(), None)
        except Uncertain as lost:
            raise Unavailable(lost.reason, lost.detail) from None

    def change(self, call: str, bearer: Secret | None = None, body: object = None) -> Reply:
        """Send a call once; any answer is returned. Raises Unavailable or Uncertain when there was none."""
        method, _, path = call.partition(" ")
        return self._send(method, self.address + path, bearer or self.own_credential(), body)

    def own_credential(self) -> Secret:
        """Return the rotator's own credential for this service."""
        own = self._connection.credential()
        if own is None:
            raise Rejected("no_credential", f"connection {self._connection.name} has no `credential`")
        text = own.reveal().strip()
        if not text.startswith("{"):
            return Secret(text)
        try:
            return read_document(own, self._secret_field)[1]
        except ValueError:
            raise Rejected("no_credential", f"connection {self._connection.name}: not this kind's document") from None

    def _send(self, method: str, url: str, bearer: Secret, body: object) -> Reply:
        if not sendable(bearer):
            raise Rejected("unreadable", "this is no token")
        headers = {self._authenticate.header: self._authenticate.prefix + bearer.reveal()}
        return self._wire.send(method, url, headers, body)


def sendable(secret: Secret) -> bool:
    """Tell whether a header can hold it: a report may take anything for a token."""
    text = secret.reveal()
    return bool(text) and text.isascii() and text.isprintable() and " " not in text


def at(content: object, path: str) -> object:
    """Return what stands at a dotted path, None when nothing does."""
    for name in path.split("."):
        if not isinstance(content, Mapping):
            return None
        content = content.get(name)
    return content


def filled_call(call: str, values: Mapping[str, object]) -> str:
    """Fill a call's placeholders in, percent-encoded. Raises Rejected when one has no value."""
    return PLACEHOLDER.sub(lambda found: quote(str(_value(found[1], values)), safe=""), call)


def filled_body(template: object, values: Mapping[str, object]) -> object:
    """Fill a body's placeholders in; a text that is one placeholder becomes the value, with its JSON type."""
    if isinstance(template, str):
        if whole := PLACEHOLDER.fullmatch(template):
            return _value(whole[1], values)
        return PLACEHOLDER.sub(lambda found: str(_value(found[1], values)), template)
    if isinstance(template, Mapping):
        return {name: filled_body(each, values) for name, each in template.items()}
    if isinstance(template, list):
        return [filled_body(each, values) for each in template]
    return template


def _value(name: str, values: Mapping[str, object]) -> object:
    if name not in values:
        what = "nothing was kept of the exposed credential's" if name.startswith(EXPOSED) else "there is no"
        raise Rejected("nothing_to_copy", f"{what} {name.removeprefix(EXPOSED)}")
    return values[name]


def _same_origin(url: str, address: str) -> bool:
    return urlsplit(url)[:2] == urlsplit(address)[:2]
