"""Follow an incident live: its evidence as it is committed, and its counts, as a stream of server-sent events."""

from __future__ import annotations

import asyncio
import logging
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from rotator.api.callers import Callers
from rotator.api.following import AT_ONCE, Following, told
from rotator.api.following import Reader as Stream
from rotator.api.heads import LINE
from rotator.api.v1.access import Reader, check
from rotator.api.v1.evidence import behind
from rotator.api.v1.reading import Incident, known
from rotator.bootstrap import Rotator
from rotator.flow.roles import Act
from rotator.ledger.database import LedgerFailed
from rotator.ledger.feed import Feed, has_passed

log = logging.getLogger("rotator")

HEARTBEAT_S = 15.0
CHECK_EVERY_S = 10.0
"""How soon a stream ends whose token or session does, or whose role."""
LASTS_S = 3600.0
"""How long a stream lasts before its reader has to come again, with his place."""
ENDS_WITHIN_S = 1.0
"""How long its last byte may take: who does not read is cut off."""
COME_AGAIN = b"retry: 2000\n"

After = Annotated[str | None, Query(max_length=64, description="Go on behind this record's cursor: that of an `id`.")]
LastEventId = Annotated[
    str | None, Header(max_length=64, description="The same, as a browser sends it; it goes first.")
]


class EventStream(Response):
    """What is followed by one reader, until he goes, may no more, reads too slowly, or the service ends."""

    media_type = "text/event-stream"

    def __init__(  # noqa: PLR0917 - who reads what from where
        self, feed: Feed, following: Following, callers: Callers, caller: str, incident: str | None, after: str | None
    ) -> None:
        self.status_code, self.background = HTTPStatus.OK, None
        self._feed, self._following, self._callers = feed, following, callers
        self._caller, self._incident, self._after = caller, incident, after
        self.init_headers({"X-Accel-Buffering": "no"})  # a proxy that gathers it would make it anything but live

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        stream = self._following.enter(self._caller, self._incident)
        try:
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            await _first_of(
                self._write(stream, send),
                _gone(receive),
                stream.ended.wait(),
                self._may_no_more(Request(scope)),
                asyncio.sleep(LASTS_S),
            )
        except LedgerFailed as error:  # he comes again, and is told then
            log.warning("stream_ends: %s", type(error).__name__)
        finally:
            self._following.leave(stream)
        try:
            async with asyncio.timeout(0.0 if stream.is_slow else ENDS_WITHIN_S):
                await send({"type": "http.response.body", "body": b""})
        except TimeoutError:
            scope["extensions"][LINE].abort()
            await _gone(receive)

    async def _write(self, stream: Stream, send: Send) -> None:
        at = None
        if self._after is not None:
            at = await self._catch_up(stream, send, self._after, None)
        began = await self._following.feed(stream)
        # What was committed while it was taken in stands between; who is new goes on from here, if the line breaks.
        at = await self._catch_up(stream, send, at, began) if at is not None else began
        await _say(send, COME_AGAIN + f"id: {at}\n\n".encode())
        while True:
            try:
                async with asyncio.timeout(HEARTBEAT_S):
                    data = await stream.take(at)
            except TimeoutError:
                data = b":\n\n"
            if data:
                await _say(send, data)

    async def _catch_up(self, stream: Stream, send: Send, at: str, until: str | None) -> str:
        """Send what stands behind a place, up to another if one is named; return the last that was read."""
        if self._incident is not None:
            stream.family = await self._following.ask(self._feed.family, self._incident)
        while True:
            records = await self._following.ask(self._feed.after, at, AT_ONCE, self._incident)
            mine = [each for each in records if until is None or has_passed(until, each.cursor)]
            if mine:
                at = mine[-1].cursor
                await _say(send, b"".join(told(each) for each in mine if stream.wants(each)))
            if len(mine) < AT_ONCE:
                return at

    async def _may_no_more(self, request: Request) -> None:
        """Return when nobody can say any more that this caller may read."""
        while True:
            await asyncio.sleep(CHECK_EVERY_S)
            try:
                check(await run_in_threadpool(self._callers.of, request), Act.READ)
            except Exception:  # noqa: BLE001 - whatever it is: he comes again, and is told
                return


def routes(parts: Rotator, callers: Callers, following: Following) -> APIRouter:
    """Return what may be followed of this ledger."""
    router = APIRouter(tags=["incidents"], default_response_class=EventStream)

    @router.get("/incidents/{incident}/events", status_code=HTTPStatus.OK)
    def follow(caller: Reader, incident: Incident, after: After = None, last_event_id: LastEventId = None) -> Any:
        """Follow an incident and what was merged into it, from now on or from behind a record.

        `evidence` is a record of a chain as it is committed, as the list of evidence has it; its `id` is a cursor, and
        who comes again with it misses nothing and reads nothing twice. `counts`, without an `id`, is how many
        credentials stand how, at first and when that changed. A comment comes at least every fifteen seconds.
        """
        place = behind(last_event_id or after)
        return EventStream(parts.feed, following, callers, caller.name, known(parts, incident), place)

    @router.get("/events", status_code=HTTPStatus.OK)
    def follow_all(caller: Reader, after: After = None, last_event_id: LastEventId = None) -> Any:
        """Follow the evidence of all incidents in the same way, without counts."""
        return EventStream(parts.feed, following, callers, caller.name, None, behind(last_event_id or after))

    return router


async def _say(send: Send, data: bytes) -> None:
    await send({"type": "http.response.body", "body": data, "more_body": True})


async def _gone(receive: Receive) -> None:
    """Return when the line is gone."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def _first_of(*given: Any) -> None:
    """Return when the first of these ends, and raise what it raises; the others are given up."""
    tasks = [asyncio.ensure_future(each) for each in given]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()
