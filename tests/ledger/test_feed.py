"""Whoever follows the evidence misses nothing and reads nothing twice, in whatever order writers commit."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert

from rotator.errors import BadInput
from rotator.flow.playbook_words import Strategy
from rotator.ledger import service, tables
from rotator.ledger.backup import back_up, restore
from rotator.ledger.feed import Feed, has_passed
from tests.fakes.deployment import SEAL, emptied

WRITERS = 3


class Writers:
    """Transactions that write at once, where the ledger lets them, each to a chain of its own."""

    def __init__(self, database):
        self._database = database
        self._open = {}
        self._lengths = dict.fromkeys(range(WRITERS), 0)
        self.committed = []

    def write(self, who):
        if self._database.sqlite:  # one at a time
            for other in [each for each in self._open if each != who]:
                self.end(other, keeps=True)
        if who not in self._open:
            connection = self._database.engine.connect()
            if self._database.sqlite:
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            self._open[who] = connection, [], len(self.committed)
        connection, rows, _ = self._open[who]
        rows.append((f"c{who}", self._lengths[who] + len(rows) + 1))
        row = {"chain": rows[-1][0], "seq": rows[-1][1], "hash": "", "body": "{}"}
        connection.execute(insert(tables.evidence), [row])

    def end(self, who, *, keeps):
        if who not in self._open:
            return
        connection, rows, began = self._open.pop(who)
        if keeps:
            connection.commit()
            self.committed.append((began, rows))
            self._lengths[who] += len(rows)
        else:
            connection.rollback()
        connection.close()

    def end_all(self):
        for each in list(self._open):
            self.end(each, keeps=True)


@contextlib.contextmanager
def writing(database):
    writers = Writers(emptied(database))
    try:
        yield writers
    finally:
        writers.end_all()


who = st.integers(0, WRITERS - 1)
moves = st.lists(
    st.one_of(
        st.tuples(st.just("write"), who),
        st.tuples(st.just("commit"), who),
        st.tuples(st.just("roll back"), who),
        st.tuples(st.just("read"), st.integers(1, 4)),
    ),
    max_size=30,
)


def told(records):
    return [(each.chain, each.seq) for each in records]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(moves=moves)
@example([("write", 0), ("write", 1), ("commit", 1), ("read", 4), ("commit", 0), ("read", 4)])
@example([("write", 0), ("write", 1), ("write", 0), ("roll back", 1), ("read", 1), ("commit", 0), ("write", 1)])
def test_in_whatever_order_writers_commit_a_follower_reads_all_of_it_once(migrated, moves):
    feed, at, seen, new = Feed(migrated), None, [], None
    with writing(migrated) as writers:
        for what, of in moves:
            if what == "write":
                writers.write(of)
            elif what == "read":
                records = feed.after(at, of)
                at = records[-1].cursor if records else at
                seen += records
                new = feed.newest(), len(writers.committed)
            else:
                writers.end(of, keeps=what == "commit")
    while records := feed.after(at, 2):
        at = records[-1].cursor
        seen += records
    kept = [each for _, rows in writers.committed for each in rows]
    assert sorted(told(seen)) == sorted(kept)
    order = {each: number for number, each in enumerate(told(seen))}
    for number, (_, rows) in enumerate(writers.committed):
        assert [order[each] for each in rows] == sorted(order[each] for each in rows)
        later = [each for began, others in writers.committed if began > number for each in others]
        assert all(order[one] < order[other] for one in rows for other in later)
    for number, each in enumerate(seen):
        assert feed.after(each.cursor, 1000) == seen[number + 1 :]
        assert [has_passed(each.cursor, other.cursor) for other in seen] == [i <= number for i in range(len(seen))]
    if new is not None:  # it stood behind nothing that was committed later
        cursor, before = new
        later = [each for _, rows in writers.committed[before:] for each in rows]
        assert set(later) <= set(told(feed.after(cursor, 1000)))
    assert feed.after(feed.newest(), 1000) == []


def test_who_writes_first_and_commits_last_is_read_last(migrated):
    """The trap: his row's number is the smaller one, and a reader has passed it."""
    feed = Feed(migrated)
    with writing(migrated) as writers:
        for each in (0, 1):
            writers.write(each)
        writers.end(1, keeps=True)
        before = feed.after(None, 10)
        at = before[-1].cursor if before else feed.newest()
        writers.end(0, keeps=True)
        assert sorted(told([*before, *feed.after(at, 10)])) == [("c0", 1), ("c1", 1)]


def test_an_incidents_evidence_is_its_own_and_that_of_what_was_merged_into_it(house):
    company, deployment = house
    one, other = "inc-1", "inc-2"
    deployment.start([company.stolen("acme_api_token")[0]], wanted=Strategy.REVOKE_ONLY)
    deployment.declare([company.stolen("acme_api_token")[0]], wanted=Strategy.REVOKE_ONLY, incident=other)
    deployment.rest()
    feed = Feed(deployment.database)

    def chains(incident):
        return {each.chain for each in feed.after(None, 1000, incident)}

    mine, theirs = chains(one), chains(other)
    assert one in mine
    assert any(each.startswith(f"{one}.") for each in mine)
    assert theirs == {other}
    whole = feed.after(None, 1000, one)
    for number, each in enumerate(whole):
        assert feed.after(each.cursor, 3, one) == whole[number + 1 : number + 4]
    deployment.enrolment.merge(other, one, by="ann")
    assert chains(one) == mine | {other}
    assert chains(other) == {other}
    assert feed.family(one) == {one, other}
    assert feed.after(None, 10, "inc-none") == []


def test_the_services_own_chain_is_read_by_its_name(database):
    with database.write() as connection:
        service.note(connection, {"act": "looked"})
    [record] = Feed(database).after(None, 10, service.CHAIN)
    assert (record.chain, record.seq, record.origin) == (service.CHAIN, 1, service.CHAIN)


def test_after_a_restore_every_cursor_of_before_is_read_from_the_beginning(house, tmp_path):
    company, deployment = house
    deployment.start([company.stolen("acme_api_token")[0]], wanted=Strategy.REVOKE_ONLY)
    deployment.rest()
    feed = Feed(deployment.database)
    before = feed.after(None, 1000)
    back_up(deployment.database, tmp_path / "one.db")
    deployment.stops.stop(None, "ann", "what is lost", ())
    lost = feed.newest()
    emptied(deployment.database)
    restore(deployment.database, tmp_path / "one.db", SEAL, "ann")
    whole = feed.after(None, 1000)
    assert told(whole)[: len(before)] == told(before)
    assert [each.chain for each in whole[len(before) :]] == ["inc-1", "service"]
    for cursor in (lost, *(each.cursor for each in before)):
        assert feed.after(cursor, 1000) == whole
        assert not has_passed(cursor, whole[0].cursor)
    assert feed.after(whole[-2].cursor, 1000) == whole[-1:]


@pytest.mark.parametrize("cursor", ["", "nonsense", "..", "a.1", "ab.1.-2", f"ab.1.{2**63}", "ab.1.٣", "x.1.1\n"])
def test_what_is_no_cursor_is_bad_input(database, cursor):
    with pytest.raises(BadInput, match="no place in the evidence"):
        Feed(database).after(cursor, 1)
