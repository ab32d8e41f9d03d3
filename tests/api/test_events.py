"""What is committed is told live: all of it, once, to whoever may read it, and to nobody for longer than he may."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import threading

import pytest
from sqlalchemy import insert

from rotator.api import app, following
from rotator.api.following import Following
from rotator.api.heads import LINE
from rotator.api.v1 import events
from rotator.api.v1.events import EventStream
from rotator.flow.approval import Role
from rotator.flow.playbook_words import Strategy
from rotator.ledger import service, tables
from tests.api.calling import V1, api
from tests.fakes.company import founded
from tests.fakes.deployment import sqlite

KIND = "acme_api_token"
OF_ONE = f"{V1}/incidents/inc-1/events"


@pytest.fixture
def ledger(tmp_path):
    """Give a ledger with an incident at rest, and one of which nothing is approved."""
    database = sqlite(tmp_path / "ledger.db")
    company, deployment = founded(tmp_path, database=database)
    deployment.start([company.stolen(KIND)[0]], wanted=Strategy.REVOKE_ONLY)
    deployment.declare([company.stolen(KIND)[0]], wanted=Strategy.REVOKE_ONLY, incident="inc-2")
    deployment.rest()
    yield deployment
    database.close()


class Served:
    """A server of this process, and streams from it."""

    def __init__(self, found, stack):
        self.api, self._stack = found, stack
        door = app.listen("127.0.0.1", 0)
        self.port = door.getsockname()[1]
        self._server = app.server(found.parts)
        self._thread = threading.Thread(target=self._server.run, args=([door],), daemon=True)
        self._thread.start()

    def follows(self, path, token, **headers):
        """Open a stream; return the answer."""
        line = self._stack.enter_context(
            contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=60))
        )
        line.request("GET", path, headers={"Authorization": f"Bearer {token}", **headers})
        return line.getresponse()

    def stops(self):
        self._server.should_exit = True
        self._thread.join(60)
        return not self._thread.is_alive()


@pytest.fixture
def served(tmp_path, ledger):
    with contextlib.ExitStack() as stack:
        found = Served(api(tmp_path, ledger.database), stack)
        yield found
        assert found.stops()


def told(stream):
    """Yield the events of a stream, as a browser understands them, until it ends."""
    found = {}
    while line := stream.readline().decode():
        name, _, value = line.rstrip("\n").partition(":")
        if not name and value == "" and found:
            yield found
            found = {}
        elif name:
            found[name] = value.strip()


def records(stream, count):
    """Return so many records, as (chain, number), and the places behind them."""
    found = list(_until(told(stream), count))
    return [(json.loads(each["data"])["chain"], json.loads(each["data"])["seq"]) for each in found], [
        each["id"] for each in found
    ]


def _until(stream, count):
    while count:
        each = next(stream)
        if each.get("event") == "evidence":
            count -= 1
            yield each


def test_what_is_committed_is_told_and_who_comes_again_goes_on_where_he_was(served, ledger):
    viewer = served.api.token(Role.VIEWER)
    whole = ledger_of(served.api.parts.feed, "inc-1")
    stream = served.follows(OF_ONE, viewer)
    assert (stream.status, stream.headers["content-type"]) == (200, "text/event-stream; charset=utf-8")
    assert stream.headers["cache-control"] == "no-store"
    events_of = told(stream)
    begun = next(events_of)
    assert begun == {"retry": "2000", "id": served.api.parts.feed.newest()}
    counts = next(events_of)
    assert (counts["event"], "id" in counts) == ("counts", False)
    assert {name: json.loads(counts["data"])[name] for name in ("credentials", "dead", "busy")} == {
        "credentials": 1,
        "dead": 1,
        "busy": False,
    }
    ledger.stops.stop("inc-2", "ann", "another's", ())
    ledger.stops.stop("inc-1", "ann", "mine", ())
    [new] = _until(events_of, 1)
    said = json.loads(new["data"])
    assert (said["chain"], json.loads(said["body"])["reason"]) == ("inc-1", "mine")
    whole = ledger_of(served.api.parts.feed, "inc-1")
    assert said == {name: getattr(whole[-1], name) for name in ("chain", "seq", "hash", "body")}
    assert new["id"] == whole[-1].cursor
    for place in (begun["id"], whole[0].cursor, whole[-2].cursor):
        later = [(each.chain, each.seq) for each in whole if each.cursor in behind(whole, place)]
        assert records(served.follows(OF_ONE, viewer, **{"Last-Event-ID": place}), len(later))[0] == later
        assert records(served.follows(f"{OF_ONE}?after={place}", viewer), len(later))[0] == later


def ledger_of(feed, incident):
    return feed.after(None, 1000, incident)


def behind(whole, place):
    return [each.cursor for each in whole if not following.has_passed(place, each.cursor)]


def test_all_incidents_are_followed_at_once_and_the_services_own_chain_by_nobody(served, ledger):
    stream = served.follows(f"{V1}/events", served.api.token(Role.VIEWER))
    next(told(stream))
    with ledger.database.write() as connection:
        service.note(connection, {"act": "looked"})
    for each in ("inc-2", "inc-1"):
        ledger.stops.stop(each, "ann", "both", ())
    assert [chain for chain, _ in records(stream, 2)[0]] == ["inc-2", "inc-1"]


def test_what_is_merged_into_an_incident_is_told_under_it_from_then_on(served, ledger):
    stream = served.follows(OF_ONE, served.api.token(Role.VIEWER))
    next(told(stream))
    ledger.enrolment.merge("inc-2", "inc-1", by="ann")
    ledger.stops.stop("inc-2", "ann", "of its own still", ())
    assert records(stream, 4)[0][-1][0] == "inc-2"  # merged, there and here, enrolled here, stopped there


def test_a_stream_ends_with_the_token_that_opened_it(served, monkeypatch):
    monkeypatch.setattr(events, "CHECK_EVERY_S", 0.05)
    stream = served.follows(OF_ONE, served.api.token(Role.VIEWER))
    next(told(stream))
    name = served.api.parts.tokens.listed()[0].name
    served.api.parts.tokens.revoke(name, "ann", "stolen")
    assert [each for each in told(stream) if each.get("event") == "evidence"] == []


def test_streams_keep_nobody_from_stopping_the_service(served):
    stream = served.follows(OF_ONE, served.api.token(Role.VIEWER))
    next(told(stream))
    assert served.stops()
    assert [each["event"] for each in told(stream)] in ([], ["counts"])


def test_nobody_opens_streams_without_end(served, monkeypatch):
    monkeypatch.setattr(following, "MOST_OF_ONE", 1)
    one, other = (served.api.token(Role.VIEWER) for _ in range(2))
    first = served.follows(OF_ONE, one)
    assert first.status == 200
    refused = served.follows(OF_ONE, one)
    assert (refused.status, json.load(refused)["reason"]) == (429, "too_many_streams")
    assert served.follows(OF_ONE, other).status == 200


def test_what_cannot_be_followed_is_a_problem(served):
    viewer = served.api.token(Role.VIEWER)
    for path, reason in (
        (f"{V1}/incidents/inc-none/events", "no_such_incident"),
        (f"{OF_ONE}?after=nonsense", "no_such_cursor"),
        (f"{V1}/events?after=1.2", "no_such_cursor"),
    ):
        answer = served.follows(path, viewer)
        assert (answer.status, json.load(answer)["reason"]) == (404, reason)


class Busy:
    """A feed in which something is committed before each look and after it, as often as it lasts."""

    def __init__(self, database, feed, times, chain="inc-1.r9"):
        self._database, self._feed, self._chain = database, feed, chain
        self.left, self.written = times, 0
        self._one_at_a_time = threading.Lock()  # two threads look, and what is numbered first is committed first

    def __getattr__(self, name):
        def asked(*given):
            self._commit()
            answer = getattr(self._feed, name)(*given)
            self._commit()
            return answer

        return asked

    def _commit(self):
        with self._one_at_a_time:
            if not self.left:
                return
            self.left, self.written = self.left - 1, self.written + 1
            row = {"chain": self._chain, "seq": self.written, "hash": "", "body": "{}"}
            with self._database.write() as connection:
                connection.execute(insert(tables.evidence), [row])


class Line:
    """Who reads a stream in this process; from some event on he may read no more."""

    def __init__(self, until, reads=None, begins=b"id:"):
        self._until, self._reads, self._begins = until, reads, begins
        self.begun = asyncio.Event()
        self.sent, self._gone = b"", asyncio.Event()
        self.is_cut = False

    async def send(self, message):
        if self._reads is not None and self.sent.count(b"\n\n") >= self._reads:
            await asyncio.Event().wait()
        self.sent += message.get("body", b"")
        if self._begins in self.sent:
            self.begun.set()
        if self._until(self.sent):
            self._gone.set()

    async def receive(self):
        await self._gone.wait()
        return {"type": "http.disconnect"}

    def abort(self):
        self.is_cut = True
        self._gone.set()

    async def reads(self, stream):
        scope = {"type": "http", "headers": [], "path": "/", "extensions": {LINE: self}}
        async with asyncio.timeout(60):
            await stream(scope, self.receive, self.send)


@pytest.fixture
def parts(tmp_path, ledger, monkeypatch):
    monkeypatch.setattr(following, "LOOK_EVERY_S", 0.0)
    return api(tmp_path, ledger.database).parts


def test_whatever_is_committed_while_a_stream_begins_is_told_once(parts, ledger, monkeypatch):
    feed = parts.feed

    async def read(place, times, chain):
        line = Line(lambda sent: sent.count(chain.encode()) >= times)
        await line.reads(EventStream(parts.feed, Following(parts), None, "ann", "inc-1", place))
        return line.sent.decode()

    for at_once in (1, 3, 500):
        for module in (following, events):
            monkeypatch.setattr(module, "AT_ONCE", at_once)
        for times in (1, 2, 3, 4, 5, 6, 7, 8, 9, 14, 40):
            place, chain = feed.newest(), f"inc-1.{at_once}.{times}"
            parts.__dict__["feed"] = Busy(ledger.database, feed, times, chain)
            found = [
                json.loads(each[6:]) for each in asyncio.run(read(place, times, chain)).splitlines() if _is_record(each)
            ]
            assert [(each["chain"], each["seq"]) for each in found] == [(chain, number + 1) for number in range(times)]


def _is_record(line):
    return line.startswith('data: {"chain')


def test_who_reads_too_slowly_is_cut_off_and_keeps_nobody_waiting(parts, ledger, monkeypatch):
    monkeypatch.setattr(following, "WAITING", 3)
    parts.__dict__["feed"] = Busy(ledger.database, parts.feed, 10)

    async def read():
        hub = Following(parts)
        slow, quick = Line(lambda _: False, reads=1), Line(lambda sent: sent.count(b'"inc-1.r9"') >= 8)
        place = parts.feed.newest()
        streams = (EventStream(parts.feed, hub, None, name, "inc-1", at) for name, at in (("a", None), ("b", place)))
        await asyncio.gather(*(line.reads(each) for line, each in zip((slow, quick), streams, strict=True)))
        return slow.is_cut, quick.is_cut

    assert asyncio.run(read()) == (True, False)


def test_however_many_follow_the_ledger_is_asked_once(parts, ledger):
    asked = []
    feed = parts.feed

    class Counting:
        def __getattr__(self, name):
            def ask(*given):
                asked.append((name, *given))
                return getattr(feed, name)(*given)

            return ask

    parts.__dict__["feed"] = Counting()

    async def read():
        hub = Following(parts)
        lines = [Line(lambda sent: b"everybody" in sent) for _ in range(8)]
        streams = [EventStream(parts.feed, hub, None, "ann", "inc-1", None) for _ in lines]
        reading = [asyncio.create_task(line.reads(each)) for line, each in zip(lines, streams, strict=True)]
        for line in lines:
            await line.begun.wait()
        await asyncio.to_thread(ledger.stops.stop, "inc-1", "ann", "everybody", ())
        await asyncio.gather(*reading)

    asyncio.run(read())
    looked = [given for given in asked if given[0] == "after"]
    assert len({at for _, at, *_ in looked}) < 3
    assert all(len(given) == 3 for given in looked)


def test_who_is_further_than_the_reading_for_all_is_told_nothing_twice(parts, ledger):
    feed, gate = parts.feed, threading.Event()

    class Held:
        def __getattr__(self, name):
            def ask(*given):
                if name == "after" and len(given) == 2:  # of all incidents, for everybody
                    gate.wait(60)
                return getattr(feed, name)(*given)

            return ask

    parts.__dict__["feed"] = Held()

    async def read():
        hub, first = Following(parts), Line(lambda sent: b"third" in sent)
        second = Line(lambda sent: b"third" in sent, begins=b"retry:")
        place = feed.newest()
        reading = [asyncio.create_task(first.reads(EventStream(parts.feed, hub, None, "ann", "inc-1", None)))]
        await first.begun.wait()
        await asyncio.to_thread(ledger.stops.stop, "inc-1", "ann", "first", ())
        await asyncio.to_thread(ledger.stops.lift, "inc-1", "ann", "second", ())
        reading.append(asyncio.create_task(second.reads(EventStream(parts.feed, hub, None, "bob", "inc-1", place))))
        await second.begun.wait()
        gate.set()
        await asyncio.to_thread(ledger.stops.stop, "inc-1", "ann", "third", ())
        await asyncio.gather(*reading)
        return first.sent, second.sent

    for sent in asyncio.run(read()):
        assert [sent.count(each) for each in (b"first", b"second", b"third", b"event: evidence")] == [1, 1, 1, 3]


def test_where_the_ledger_does_not_answer_streams_end(parts, ledger):
    async def read():
        line, hub = Line(lambda _: False, begins=b"counts"), Following(parts)
        reading = asyncio.create_task(line.reads(EventStream(parts.feed, hub, None, "ann", "inc-1", None)))
        await line.begun.wait()
        with ledger.database.write() as connection:
            connection.exec_driver_sql("ALTER TABLE evidence RENAME TO away")
        try:
            await reading
        finally:
            with ledger.database.write() as connection:
                connection.exec_driver_sql("ALTER TABLE away RENAME TO evidence")
        again = Line(lambda sent: b"id:" in sent)
        await again.reads(EventStream(parts.feed, hub, None, "ann", "inc-1", None))

    asyncio.run(read())
