"""The issuer's list of its credentials, read to its end, with what the playbook wants to know of each."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping

from rotator.errors import Rejected, Unavailable
from rotator.families.http import RestService, at
from rotator.families.http_wire import Reply
from rotator.ports import CALL_DEADLINE_S, CONNECT_TIMEOUT_S, READ_TIMEOUT_S
from rotator.rest_kind import ListCall

Entry = Mapping[str, object]

_LISTING_S = CALL_DEADLINE_S - CONNECT_TIMEOUT_S - READ_TIMEOUT_S
"""After so many seconds no further page is asked for, so that the last one ends within the call's deadline."""


class Listing:
    """One service's list."""

    def __init__(self, service: RestService, call: ListCall) -> None:
        self._service, self._call = service, call

    def entry(self, credential_id: str) -> Entry | None:
        """Return the entry of an id, None when the whole list has none."""
        return next((entry for entry in self.entries() if self.id(entry) == credential_id), None)

    def entries(self) -> Iterator[Entry]:
        """Read page after page: what a later page holds must not be taken for absent."""
        until = time.monotonic() + _LISTING_S
        page = self._service.read(self._call.call)
        while True:
            answer = answered(page)
            found = answer if self._call.each is None else at(answer, self._call.each)
            if not isinstance(found, list):
                raise Rejected("answer_without_list", f"{self._call.call} holds no list")
            yield from (entry for entry in found if isinstance(entry, Mapping) and at(entry, self._call.id) is not None)
            following = at(answer, self._call.next) if self._call.next else None
            if not following:
                return
            if time.monotonic() > until:
                raise Unavailable("list_not_all_read", "the list is longer than one call's time allows")
            page = self._service.follow(page, str(following))

    def id(self, entry: Entry) -> str:
        return str(at(entry, self._call.id))

    def owner(self, entry: Entry) -> str:
        """Return the owner, "" where the service names none: the whole account is then one owner."""
        return str(at(entry, self._call.owner) or "") if self._call.owner else ""

    def marker(self, entry: Entry) -> str | None:
        found = at(entry, self._call.marker) if self._call.marker else None
        return None if found is None else str(found)

    def suspended(self, entry: Entry) -> bool:
        return self._call.suspended is not None and bool(at(entry, self._call.suspended))

    def kept(self, entry: Entry) -> dict[str, str]:
        """Return the fields that the playbook wants as evidence."""
        return {path: str(value) for path in self._call.keep if (value := at(entry, path)) is not None}


def answered(reply: Reply) -> object:
    """Return the JSON of a read that the service granted.

    Raises Rejected when it said no, Unavailable when it said neither: what changes nothing can be asked again.
    """
    if reply.ok:
        return reply.content
    refusal = reply.refusal()
    raise refusal if isinstance(refusal, Rejected | Unavailable) else Unavailable(refusal.reason, refusal.detail)
