"""Read a list page after page, in the way that its playbook names."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from urllib.parse import quote

from rotator.errors import Rejected, Unavailable
from rotator.families.http import RestService
from rotator.families.http_template import Filled, Values, at, filled, granted
from rotator.families.http_wire import Reply
from rotator.ports.connection import CALL_DEADLINE_S, CONNECT_TIMEOUT_S, READ_TIMEOUT_S
from rotator.rest_answers import Answered
from rotator.rest_calls import ListCall
from rotator.rest_pages import Pages

_LISTING_S = CALL_DEADLINE_S - CONNECT_TIMEOUT_S - READ_TIMEOUT_S
"""After so many seconds no further page is asked for, so that the last one ends within the call's deadline."""

_LINK = re.compile(r"<([^<>]*)>([^<>]*)")
_NEXT = re.compile(r'\brel\s*=\s*"?next"?\b', re.IGNORECASE)
# Sentry names a next page on the last one too, and says that it holds nothing.
_EMPTY = re.compile(r'\bresults\s*=\s*"?false"?', re.IGNORECASE)


def pages(service: RestService, call: ListCall, values: Values) -> Iterator[list[object]]:
    """Yield each page's entries: what a later page holds must not be taken for absent.

    Raises Rejected when an answer holds no list or leads in a circle, Unavailable when the whole takes longer than one
    call may.
    """
    until = time.monotonic() + _LISTING_S
    turns: set[str] = set()
    counted, before = 0, None
    page = service.read(_turned(call, values, ""))
    while True:
        answer = answered(page, call.granted)
        found = answer if call.each is None else at(answer, call.each)
        if not isinstance(found, list):
            raise Rejected("answer_without_list", f"{call.call} holds no list")
        if found and found == before:
            raise Rejected("list_leads_in_a_circle", f"{call.call} holds one page twice")
        yield found
        before = found
        counted += len(found)
        following = _following(call.pages, page, found, len(turns), counted) if call.pages is not None else None
        if following is None:
            return
        if following in turns:
            raise Rejected("list_leads_in_a_circle", f"{call.call} names one page twice")
        turns.add(following)
        if time.monotonic() > until:
            raise Unavailable("list_not_all_read", "the list is longer than one call's time allows")
        if call.pages is not None and (call.pages.next or call.pages.link_header):
            page = service.follow(page, following, _turned(call, values, ""))
        else:
            page = service.read(_turned(call, values, following))


def _following(way: Pages, page: Reply, found: list[object], turned: int, counted: int) -> str | None:
    """Return what leads to the next page, None on the last one."""
    if way.next is not None:
        address = at(page.content, way.next)
        return str(address) if address else None
    if way.link_header:
        return _linked(page.headers.get("Link", ""))
    if way.more is not None and not at(page.content, way.more):
        return None
    if way.cursor is not None:
        cursor = at(page.content, way.cursor)
        return None if cursor in (None, "", False) else str(cursor)
    number = way.first + turned
    if not found or _is_last(page, way, number, counted):
        return None
    return str(number + 1 if way.number is not None else counted)


def _is_last(page: Reply, way: Pages, number: int, counted: int) -> bool:
    """Tell whether the answer says that nothing comes after it; one that does not tell is asked for more."""
    last = None if way.last is None else at(page.content, way.last)
    total = None if way.total is None else at(page.content, way.total)
    return (isinstance(last, int) and number >= last) or (isinstance(total, int) and counted >= total)


def _turned(call: ListCall, values: Values, to: str) -> Filled:
    """Return the call for one page; the first one names none unless pages are counted."""
    way = call.pages
    request = filled(call, {**values, "cursor": to or None})
    if way is None or way.next is not None or way.link_header:
        return request
    name = way.number or way.offset or way.parameter
    if name is None or not (to or way.number):
        return request
    mark = "&" if "?" in request.path else "?"
    return replace(request, path=f"{request.path}{mark}{quote(name, safe='')}={quote(to or str(way.first), safe='')}")


def _linked(header: str) -> str | None:
    for address, parameters in _LINK.findall(header):
        if _NEXT.search(parameters):
            return None if _EMPTY.search(parameters) else str(address)
    return None


def answered(reply: Reply, yes: Sequence[Answered] | None = None) -> object:
    """Return the JSON of a read that the service granted.

    Raises Rejected when it said no, Unavailable when it said neither: what changes nothing can be asked again.
    """
    if granted(reply, yes):
        return reply.content
    refusal = reply.refusal()
    if reply.ok:
        raise Rejected("not_granted", f"http_{reply.status}, and a no in its body")
    raise refusal if isinstance(refusal, Rejected | Unavailable) else Unavailable(refusal.reason, refusal.detail)
