"""One reading of the evidence in this process, for everybody who follows it.

However many streams are open, the ledger is asked once for what is new, and once for the counts of each incident that
somebody follows. Who reads too slowly is let go: he comes again with his place, and loses nothing.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import asdict
from functools import partial
from typing import TypeVar

from anyio import CapacityLimiter, to_thread

from rotator.api.problems import AGAIN_S, Problem
from rotator.bootstrap import Rotator
from rotator.ledger.feed import Record, has_passed
from rotator.ledger.service import CHAIN
from rotator.shown.live import live

log = logging.getLogger("rotator")

Answer = TypeVar("Answer")
MOST_OF_ONE = 20
"""Streams that one token or session may have open at once."""
WAITING = 2_000
"""Records that may wait for one reader before he counts as too slow."""
AT_ONCE = 500
"""Records that are asked of the ledger at once."""
LOOK_EVERY_S = 0.5
COUNT_EVERY_S, COUNT_ANYHOW_S = 1.0, 15.0
"""Counts are made anew when something was committed; and anyhow now and then, as time alone changes them too."""
THREADS = 4
"""That ask the ledger for streams: what acts and answers needs the others."""


class Following:
    """What is followed here, and by whom."""

    def __init__(self, parts: Rotator) -> None:
        self._parts = parts
        self._threads = CapacityLimiter(THREADS)
        self._open: set[Reader] = set()
        self._fed: set[Reader] = set()
        self._task: asyncio.Task[None] | None = None
        self._at, self._merges = "", 0
        self._counts: dict[str, _Counted] = {}
        self._is_over = False

    async def ask(self, work: Callable[..., Answer], *given: object) -> Answer:
        """Do short work beside the loop, in one of a few threads of our own."""
        return await to_thread.run_sync(partial(work, *given), limiter=self._threads, abandon_on_cancel=True)

    def enter(self, caller: str, incident: str | None) -> Reader:
        """Open a stream of a caller, not yet fed. Raises Problem where he has too many, or the service ends."""
        if self._is_over:
            raise Problem(503, "not_ready", "the service is being stopped", AGAIN_S)
        if Counter(each.caller for each in self._open)[caller] >= MOST_OF_ONE:
            raise Problem(429, "too_many_streams", f"{MOST_OF_ONE} of yours are open: close one", AGAIN_S)
        reader = Reader(caller, incident)
        self._open.add(reader)
        return reader

    async def feed(self, reader: Reader) -> str:
        """Give a reader what is committed from now on; return the cursor behind which that stands."""
        at = self._at if self._task is not None else await self.ask(self._parts.feed.newest)
        while reader.incident is not None:
            merges = self._merges
            reader.family = await self.ask(self._parts.feed.family, reader.incident)
            if merges == self._merges:
                break
        if self._task is None:
            self._at, self._task = at, asyncio.create_task(self._follow())
        self._fed.add(reader)
        if reader.incident is not None:
            reader.put_counts(self._counts.setdefault(reader.incident, _Counted()).told)
        return self._at

    def leave(self, reader: Reader) -> None:
        """Forget a stream; with the last one, look no more."""
        self._open.discard(reader)
        self._fed.discard(reader)
        followed = {each.incident for each in self._fed}
        self._counts = {name: counted for name, counted in self._counts.items() if name in followed}
        if self._task is not None and not self._fed:
            self._task.cancel()
            self._task = None

    def close(self) -> None:
        """End every stream, and open no more."""
        self._is_over = True
        self._end_all()

    def _end_all(self) -> None:
        for reader in self._open:
            reader.end()

    async def _follow(self) -> None:
        """Look as long as somebody follows; where the ledger does not answer, end what would tell nothing of that."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._look())
                group.create_task(self._count())
        except* Exception as failed:  # noqa: BLE001 - of whatever kind: nothing more would come
            log.warning("streams_end: %s", type(failed.exceptions[0]).__name__)
            self._task = None
            self._end_all()

    async def _look(self) -> None:
        """Hand out what is committed."""
        while True:
            records = await self.ask(self._parts.feed.after, self._at, AT_ONCE)
            if any('"act":"merged"' in each.body for each in records):
                self._merges += 1
                await self._find_families()
            if records:
                self._at = records[-1].cursor
                self._hand_out(records)
            if len(records) < AT_ONCE:
                await asyncio.sleep(LOOK_EVERY_S)

    async def _find_families(self) -> None:
        """Ask anew what was merged into what somebody follows."""
        for reader in list(self._fed):
            if reader.incident is not None:
                reader.family = await self.ask(self._parts.feed.family, reader.incident)

    def _hand_out(self, records: Iterable[Record]) -> None:
        for record in records:
            wanted = [each for each in self._fed if each.wants(record)]
            if wanted:
                data = told(record)
            for reader in wanted:
                reader.put(record.cursor, data)
                if reader.incident in self._counts:
                    self._counts[reader.incident].is_old = True

    async def _count(self) -> None:
        """Tell how each incident that is followed stands, when that changed."""
        while True:
            begun = time.monotonic()
            for incident, counted in list(self._counts.items()):
                if counted.is_old or begun - counted.at > COUNT_ANYHOW_S:
                    counted.is_old, counted.at = False, begun
                    await self._count_one(incident, counted)
            # A large incident is counted no more than half of the time.
            await asyncio.sleep(max(COUNT_EVERY_S, time.monotonic() - begun))

    async def _count_one(self, incident: str, counted: _Counted) -> None:
        progress = await self.ask(live(self._parts).progress, incident)
        said = {"credentials": progress.credentials, **asdict(progress)}
        event = f"event: counts\ndata: {json.dumps(said, sort_keys=True)}\n\n".encode()
        if event != counted.told:
            counted.told = event
            for reader in self._fed:
                if reader.incident == incident:
                    reader.put_counts(event)


class _Counted:
    """How an incident stands, as it was told last. `at` is monotonic."""

    def __init__(self) -> None:
        self.told, self.is_old, self.at = b"", True, 0.0


class Reader:
    """One stream: of one incident, or of all; and what waits to be sent in it."""

    def __init__(self, caller: str, incident: str | None) -> None:
        self.caller, self.incident = caller, incident
        self.family: frozenset[str] = frozenset()
        self.ended, self.is_slow = asyncio.Event(), False
        self._something = asyncio.Event()
        self._records: list[tuple[str, bytes]] = []
        self._counts = b""

    def wants(self, record: Record) -> bool:
        """Tell whether a record is of what he follows: what is the service's own is not."""
        return record.origin in self.family if self.incident is not None else record.chain != CHAIN

    def put(self, cursor: str, event: bytes) -> None:
        """Let a record wait for him, or let him go where too many do."""
        if len(self._records) >= WAITING:
            self.is_slow = True
            self.end()
            return
        self._records.append((cursor, event))
        self._something.set()

    def put_counts(self, event: bytes) -> None:
        """Let counts wait for him in place of those before."""
        self._counts = event or self._counts
        if self._counts:
            self._something.set()

    def end(self) -> None:
        """Let the stream end."""
        self.ended.set()

    async def take(self, at: str) -> bytes:
        """Wait for something; return what is behind his place, and then the counts."""
        await self._something.wait()
        self._something.clear()
        records, self._records = self._records, []
        counts, self._counts = self._counts, b""
        return b"".join([event for cursor, event in records if not has_passed(at, cursor)]) + counts


def told(record: Record) -> bytes:
    """Return a record as it is sent."""
    data = {"chain": record.chain, "seq": record.seq, "hash": record.hash, "body": record.body}
    return f"event: evidence\nid: {record.cursor}\ndata: {json.dumps(data)}\n\n".encode()
