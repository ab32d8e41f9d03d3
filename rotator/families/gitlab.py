"""What kinds, stores and consumers of GitLab share: one client per connection, and its answers in our words.

    endpoint_url = "https://gitlab.example"     # absent: gitlab.com

The connection's credential is an access token with the scope `api`, or the document in which rotator delivers one.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import replace
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from rotator.credential import Secret
from rotator.errors import BadInput, Uncertain, asking
from rotator.families.http_wire import Reply, Wire
from rotator.families.one_method import CallTime
from rotator.families.own_token import in_header, own_token
from rotator.families.own_words import heard, unreadable
from rotator.ports.connection import Connection

FAMILY = "gitlab"
SETTINGS = frozenset({"ca_file"})
"""Keys of `[[connections]]` that this family alone knows."""

SITE = "https://gitlab.com"
SECRET_FIELD = "token"  # noqa: S105 - the name of a field

_API = "/api/v4"
_PAGE = 100
_MOST_PAGES = 2000
"""A list that goes on after so many pages goes round in a circle."""


class GitLab:
    """Speak to one GitLab as the rotator, or as the bearer of another token. Safe for many threads at once."""

    def __init__(self, connection: Connection) -> None:
        self.address = (connection.endpoint_url or SITE).rstrip("/")
        if urlsplit(self.address).scheme not in ("http", "https") or not urlsplit(self.address).hostname:
            raise BadInput("this is no address of a GitLab", connection.name, f"leave it out for {SITE}")
        self._connection = connection
        self._wire = Wire(self.address, connection.settings.get("ca_file"))
        self._time: CallTime | None = None

    def exchange(self) -> GitLab:
        """Begin the calls of one method, which share its deadline."""
        begun = copy.copy(self)
        begun._time = CallTime()  # noqa: SLF001 - it is one of these
        return begun

    def read(self, path: str) -> Reply:
        """Read a path under the API; any answer of GitLab's is returned. Raises Unavailable when there was none."""
        reply = self.knock(path, own_token(self._connection))
        return heard(reply, own=is_own(reply))

    def knock(self, path: str, token: Secret) -> Reply:
        """Read as the bearer of a token; any answer is returned. Raises Unavailable when there was none."""
        with asking():
            return self._send("GET", path, token)

    def change(self, method: str, path: str, body: object = None) -> Reply:
        """Ask for a change, once; any answer is returned. Raises Unavailable or Uncertain when there was none."""
        return self._send(method, path, own_token(self._connection), body)

    def listed(self, path: str) -> Iterator[Mapping[str, Any]]:
        """Yield what a list holds, page by page."""
        page, turned = "1", 0
        while page and turned < _MOST_PAGES:
            reply = self.read(f"{path}{'&' if '?' in path else '?'}per_page={_PAGE}&page={page}")
            if not reply.ok:
                raise reply.refusal()
            if not isinstance(reply.content, list):
                raise unreadable(reply)
            yield from (each for each in reply.content if isinstance(each, Mapping))
            page, turned = reply.headers.get("x-next-page", "").strip(), turned + 1

    def _send(self, method: str, path: str, token: Secret, body: object = None) -> Reply:
        headers = {"Accept": "application/json", "User-Agent": "rotator", "PRIVATE-TOKEN": in_header(token)}
        left = None if self._time is None else self._time.left_for(method)
        reply = self._wire.send(method, f"{self.address}{_API}{path}", headers, body, within_s=left)
        if reply.ok and reply.status != HTTPStatus.NO_CONTENT and not isinstance(reply.content, Mapping | list):
            raise Uncertain(
                "answer_unreadable", f"http_{reply.status}"
            )  # a proxy's page: GitLab may never have been asked
        value = body.get("value") if isinstance(body, Mapping) else None
        return replace(reply, shown=(token.reveal(), *((value,) if isinstance(value, str) else ())))


def told(reply: Reply, *needed: str) -> Mapping[str, Any]:
    """Return the object of a success, which has these fields; raise what another answer means."""
    if not reply.ok:
        raise reply.refusal()
    if not isinstance(reply.content, Mapping) or not set(needed) <= reply.content.keys():
        raise unreadable(reply)
    return reply.content


def is_own(reply: Reply) -> bool:
    """Tell whether a refusal is GitLab's: it begins with its status, or is one of OAuth's errors."""
    words = said(reply)
    return words.startswith((f"{reply.status} ", "insufficient_")) or words == "invalid_token"


def is_absent(reply: Reply) -> bool:
    """Tell whether GitLab found nothing there, or nothing that this token may see; others word a 404 otherwise."""
    return reply.status == HTTPStatus.NOT_FOUND and said(reply).startswith("404 ")


def said(reply: Reply) -> str:
    """Return GitLab's own words in an answer, empty where there are none."""
    content = reply.content if isinstance(reply.content, Mapping) else {}
    return str(content.get("message") or content.get("error") or "")
