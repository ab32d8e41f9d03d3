"""Read what an alarm only points to, with the rotator's own token, from the connection's own server and no other."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from urllib.parse import urlsplit

from rotator.errors import BadInput, Rejected, Unavailable, asking
from rotator.families.http_wire import Reply, Wire
from rotator.families.own_token import in_header, own_token
from rotator.families.own_words import heard, unreadable
from rotator.ports.connection import Connection

_HIDDEN = frozenset({HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND})
_LONGEST = 4 * 1024 * 1024
"""Bytes of an answer: many for a hundred alerts, and once they are objects up to thirty times as much."""
Headers = Callable[[str], Mapping[str, str]]
"""How a service wants to be shown a token."""
Later = Callable[[Reply], Unavailable | None]


@dataclass(frozen=True, slots=True)
class AlarmSource:
    """One service's REST interface. `needs` is the permission without which it tells nothing."""

    connection: Connection
    address: str
    headers: Headers
    needs: str
    later: Later
    wire: Wire = field(repr=False)

    def read(self, path: str) -> object:
        """Return what stands at a path of its server.

        Raises Rejected("permission_denied") where its own token may not see that, and Unavailable where it did not
        answer, or not in its own words: a refusal of a gateway's says nothing.
        """
        token = in_header(own_token(self.connection))
        with asking():
            reply = self.wire.send("GET", self.address + path, self.headers(token))
            if (later := self.later(reply)) is not None:
                raise later
            reply = heard(replace(reply, shown=(token,)), own=isinstance(reply.content, dict))
            if reply.status in _HIDDEN:
                raise Rejected("permission_denied", f"its token may not see it: it needs {self.needs}")
            if not reply.ok:
                raise reply.refusal()
            if not isinstance(reply.content, dict | list):  # a gateway's page, or nested too deep: it names not nothing
                raise unreadable(reply)
        return reply.content


def _no_later(_reply: Reply) -> None:
    return None


@contextlib.contextmanager
def alarm_source(
    connection: Connection, api: str, headers: Headers, needs: str, later: Later = _no_later
) -> Iterator[AlarmSource]:
    """Open one for as long as an alarm is looked at; `api` is the vendor's own server."""
    address = (connection.endpoint_url or api).rstrip("/")
    if urlsplit(address).scheme not in ("http", "https") or not urlsplit(address).hostname:
        raise BadInput("this is no address of its API", connection.name, f"leave it out: it is {api}")
    with contextlib.closing(Wire(address, connection.settings.get("ca_file"), longest=_LONGEST)) as wire:
        yield AlarmSource(connection, address, headers, needs, later, wire)
