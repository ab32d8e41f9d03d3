"""The issuer's view of its credentials: its list, read to its end, and its answer about one."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from rotator.errors import Rejected
from rotator.families.http import RestService
from rotator.families.http_pages import answered, pages
from rotator.families.http_template import Conditions, at, filled, holds, is_nowhere, told
from rotator.rest_calls import EntryFields, ListCall, ReadCall

Entry = Mapping[str, object] | list[object]

NEVER = "never"
_MIDNIGHT = "T00:00:00+00:00"
_MILLISECONDS = 100_000_000_000
"""A greater number is no count of seconds that a credential could have been made at."""


class Listing:
    """What one service shows of its credentials. `list` shows several, `read` one; either may be missing."""

    def __init__(self, service: RestService, listing: ListCall | None, reading: ReadCall | None) -> None:
        self._service, self._list, self._read = service, listing, reading

    @property
    def per_owner(self) -> bool:
        """Tell whether a list is had for one owner alone."""
        return self._list is not None and self._list.per_owner

    def entry(self, credential_id: str, owner: str) -> Entry | None:
        """Return the entry of an id, None when there is none. Raises Rejected where the issuer does not tell."""
        names = {"id": credential_id, "owner": owner}
        if self._read is not None:
            reply = self._service.read(filled(self._read, {**self._service.given, **names}))
            if self._list is not None and is_nowhere(reply, self._read.absent):
                return self._listed(credential_id, owner)
            if told(reply, self._read.absent) is not None:
                return None
            answer = answered(reply, self._read.granted)
            found = answer if self._read.at is None else at(answer, self._read.at)
            if not isinstance(found, Mapping | list):
                raise Rejected("answer_without_entry", f"{self._read.call} does not hold it")
            if self._list is not None and self.id(found) != credential_id:
                raise Rejected("answer_without_entry", f"{self._read.call} is answered without its id")
            return None if self._is(found, "gone") else found
        return self._listed(credential_id, owner)

    def _listed(self, credential_id: str, owner: str) -> Entry | None:
        return next((entry for entry in self.entries(owner) if self.id(entry) == credential_id), None)

    def lacks(self, credential_id: str, owner: str) -> bool:
        """Tell whether the list, read to its end, has no such entry: what a 404 of anybody's says, said by the issuer.

        Raises Rejected where there is no list, or it could not be read.
        """
        return self._listed(credential_id, owner) is None

    def entries(self, owner: str = "") -> Iterator[Entry]:
        """Read page after page. `owner` is whose list it is, where each has one of his own."""
        if self._list is None:
            raise Rejected("no_view", "this service lists no credentials")
        if self._list.per_owner and not owner:
            raise Rejected("needs_owner", "this service lists each owner's apart: the report must name the owner")
        for page in pages(self._service, self._list, {**self._service.given, "owner": owner}):
            for entry in page:
                if not isinstance(entry, Mapping | list) or at(entry, self._list.id) is None:
                    continue
                if not self._is(entry, "gone"):
                    yield entry

    def id(self, entry: Entry) -> str:
        return str(at(entry, self._list.id)) if self._list is not None else ""

    def owner(self, entry: Entry, asked: str = "") -> str:
        """Return the owner: whose list it was, or "" where the service names none. The whole account is then one."""
        path = self._field("owner")
        return asked if path is None else str(at(entry, path) or "")

    def marker(self, entry: Entry) -> str | None:
        found = None if (path := self._field("marker")) is None else at(entry, path)
        return None if found is None else str(found)

    def suspended(self, entry: Entry) -> bool:
        return self._is(entry, "suspended")

    def kept(self, entry: Entry) -> dict[str, str]:
        """Return the fields that the playbook wants as evidence, and the two times under our names for them."""
        wanted = {path for call in self._calls for path in call.keep}
        kept = {path: str(value) for path in sorted(wanted) if (value := at(entry, path)) is not None}
        return kept | self.times(entry)

    def times(self, entry: Entry) -> dict[str, str]:
        """Return when it was made and last used, where the service tells."""
        found = {}
        if (made := self._field("created_at")) and (moment := _utc(at(entry, made))):
            found["created_at"] = moment
        if used := self._field("last_used_at"):
            value = at(entry, used)
            if moment := _utc(value) or (NEVER if value is None else None):
                # Who tells the day alone tells it as its beginning, or as a number for that: it was used later.
                found["last_used_at"] = moment.removesuffix(_MIDNIGHT)
        return found

    @property
    def _calls(self) -> list[EntryFields]:
        return [call for call in (self._read, self._list) if call is not None]

    def _field(self, name: str) -> str | None:
        found: list[str] = [path for call in self._calls if (path := getattr(call, name)) is not None]
        return found[0] if found else None

    def _is(self, entry: object, name: str) -> bool:
        found: list[Conditions] = [said for call in self._calls if (said := getattr(call, name)) is not None]
        return any(_truly(entry, said) for said in found[:1])


def _truly(entry: object, said: Conditions) -> bool:
    """Tell whether the entry says it; a field that must be true may hold anything that is not empty or false."""
    if len(said) == 1:
        ((path, wanted),) = said.items()
        if wanted == (True,):
            return bool(at(entry, path))
    return holds(entry, said)


def _utc(value: object) -> str | None:
    """Return a vendor's time as ISO 8601 in UTC: seconds or milliseconds of the epoch, ISO 8601 or RFC 5322."""
    if isinstance(value, str) and value.isdigit():
        value = int(value)
    moment: datetime | None = None
    with contextlib.suppress(ValueError, OverflowError, OSError, TypeError):
        if isinstance(value, int | float) and not isinstance(value, bool):
            moment = datetime.fromtimestamp(value / 1000 if value > _MILLISECONDS else value, UTC)
        elif isinstance(value, str):
            moment = parsedate_to_datetime(value) if "," in value else datetime.fromisoformat(value)
    if moment is None:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC).isoformat()
