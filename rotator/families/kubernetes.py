"""What the kinds, stores and consumers of Kubernetes share: one client per connection, and its answers in our words.

    endpoint_url = "https://192.0.2.1:6443"
    ca_file = "/etc/rotator/cluster.pem"      # the cluster's authority, where the system does not know it

The connection's credential is a service account's token, or the document in which rotator delivers one.
"""

from __future__ import annotations

import contextlib
import copy
import json
import os
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import replace
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from rotator.credential import Secret
from rotator.errors import BadInput, Rejected, Uncertain, asking
from rotator.families.http_wire import Reply, Wire
from rotator.families.one_method import CallTime
from rotator.families.own_token import in_header, own_token
from rotator.families.own_words import heard, unreadable
from rotator.ports.connection import Connection

SETTINGS = frozenset({"ca_file"})
"""Keys of `[[connections]]` that this family alone knows."""

FAMILY = "kubernetes"
SECRET_FIELD = "token"  # noqa: S105 - the name of a field
MERGE = "application/merge-patch+json"
WHO_AM_I = "/apis/authentication.k8s.io/v1/selfsubjectreviews"

_PAGE = 500
_JSON = "application/json"


class Kubernetes:
    """Speak to one cluster as the rotator, or as the bearer of another credential. Safe for many threads at once."""

    def __init__(self, connection: Connection) -> None:
        address = connection.endpoint_url or ""
        if urlsplit(address).scheme not in ("http", "https") or not urlsplit(address).hostname:
            raise BadInput("a kubernetes connection needs an address", connection.name, "give it an `endpoint_url`")
        self.address = address.rstrip("/")
        self._connection = connection
        self._ca_file = connection.settings.get("ca_file")
        self._wire = Wire(self.address, self._ca_file)
        self._time: CallTime | None = None

    def exchange(self) -> Kubernetes:
        """Begin the calls of one method, which share its deadline."""
        begun = copy.copy(self)
        begun._time = CallTime()  # noqa: SLF001 - it is one of these
        return begun

    def reach(self) -> None:
        """Ask for nothing, as nobody: a refusal will do. Raises Unavailable when an API server gave no answer."""
        with asking():
            reply = self._send(self._wire, "GET", "/api", None, body=None)
            if is_own(reply):
                return
            if not heard(reply, own=False).ok:
                raise reply.refusal()
            if within(reply.content, "kind") != "APIVersions":
                raise unreadable(reply)

    def read(self, path: str, body: object = None, method: str = "GET") -> Reply:
        """Ask something that changes nothing; any answer of an API server's is returned, else Unavailable raised."""
        reply = self.knock(path, self.own_token(), body, method)
        return heard(reply, own=is_own(reply))

    def knock(self, path: str, token: Secret, body: object = None, method: str = "GET") -> Reply:
        """Ask as the bearer of a token; any answer is returned. Raises Unavailable when there was none."""
        with asking():
            return self._send(self._wire, method, path, token, body=body)

    def knock_by_certificate(self, path: str, pem: Secret, body: object, method: str = "POST") -> Reply:
        """Ask as the holder of a client certificate and its key; any answer is returned. Raises Unavailable.

        The library reads them from a file alone; this one is in memory and has no name.
        """
        context = ssl.create_default_context(cafile=str(self._ca_file) if self._ca_file else None)
        descriptor = os.memfd_create("certificate")
        try:
            os.write(descriptor, pem.reveal().encode())
            context.load_cert_chain(f"/proc/self/fd/{descriptor}")
        except (ssl.SSLError, OSError):
            raise Rejected("unreadable", "the certificate does not fit its key") from None
        finally:
            os.close(descriptor)
        with contextlib.closing(Wire(self.address, tls=context)) as wire, asking():
            return self._send(wire, method, path, None, body=body)

    def change(self, method: str, path: str, body: object, content_type: str = _JSON) -> Reply:
        """Ask for a change, once; any answer is returned. Raises Unavailable or Uncertain when there was none."""
        return self._send(self._wire, method, path, self.own_token(), body=body, content_type=content_type)

    def listed(self, path: str, **chosen: str) -> Iterator[Mapping[str, Any]]:
        """Yield the objects of a list, page by page; `chosen` are the API's own selectors."""
        more = ""
        while True:
            query = urlencode({**chosen, "limit": str(_PAGE), **({"continue": more} if more else {})})
            reply = self.read(f"{path}?{query}")
            page = told(reply)
            items = page.get("items") or ()
            if not isinstance(items, list | tuple) or not all(map(_is_object, items)):
                raise unreadable(reply)
            yield from items
            more = str(within(page, "metadata", "continue") or "")
            if not more:
                return

    def own_token(self) -> Secret:
        """Return the rotator's own token, read anew at each call."""
        return own_token(self._connection)

    def _send(
        self, wire: Wire, method: str, path: str, token: Secret | None, *, body: object, content_type: str = _JSON
    ) -> Reply:
        headers = {"Accept": _JSON, "Content-Type": content_type}
        if token is not None:
            headers["Authorization"] = f"Bearer {in_header(token)}"
        content = None if body is None else json.dumps(body).encode()
        left = None if self._time is None else self._time.left_for(method)
        reply = wire.send(method, self.address + path, headers, content=content, within_s=left)
        if reply.ok and not (isinstance(reply.content, Mapping) and "kind" in reply.content):
            raise Uncertain(
                "answer_unreadable", f"HTTP {reply.status} of no kind"
            )  # every object of the API names its own
        return reply if token is None else replace(reply, shown=(token.reveal(),))


def told(reply: Reply, *needed: str) -> Mapping[str, Any]:
    """Return the object of a success, which has these fields; raise what another answer means."""
    if not reply.ok:
        raise reply.refusal()
    content = reply.content if isinstance(reply.content, Mapping) else {}
    if not set(needed) <= content.keys():
        raise unreadable(reply)
    return content


def object_of(reply: Reply) -> Mapping[str, Any]:
    """Return the object of a success, with its name and number; raise what another answer means."""
    found = told(reply)
    if not _is_object(found):
        raise unreadable(reply)
    return found


def within(content: object, *names: str) -> Any:
    """Return what stands under these names, one in the other; None where one of them is not there."""
    for name in names:
        content = content.get(name) if isinstance(content, Mapping) else None
    return content


def is_own(reply: Reply) -> bool:
    """Tell whether a refusal is an API server's: it is an object as all its answers are, with its status once more."""
    named = within(reply.content, "kind") == "Status" and within(reply.content, "apiVersion") == "v1"
    return named and not reply.ok and within(reply.content, "code") == reply.status


def path_of(resource: str, namespace: str, name: str = "", group: str = "/api/v1") -> str:
    """Return the path of an object, or of all objects of a namespace."""
    path = f"{group}/namespaces/{quote(namespace, safe='')}/{resource}"
    return f"{path}/{quote(name, safe='')}" if name else path


def is_absent(reply: Reply) -> bool:
    """Tell whether there is no such object; a path that the server does not know says 404 too, without a reason."""
    return reply.status == HTTPStatus.NOT_FOUND and within(reply.content, "reason") == "NotFound"


def refused_name(reply: Reply) -> str:
    """Return the message of an answer that is not a success."""
    return str(within(reply.content, "message") or "")


def _is_object(found: object) -> bool:
    metadata = within(found, "metadata")
    texts = all(isinstance(within(metadata, name), str) for name in ("name", "uid"))
    return texts and all(isinstance(within(metadata, name) or {}, Mapping) for name in ("labels", "annotations"))
