"""Writers that share a transaction keep what each was promised: durable on return, and nobody else's failure."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, event, insert, select

from rotator.ledger.database import Database
from rotator.ledger.group_commit import _Job

metadata = MetaData()
kept = Table("kept", metadata, Column("number", Integer, primary_key=True))


class Refused(Exception):  # noqa: N818 - stands for LostClaim
    """What a fence raises."""


@pytest.fixture
def database(tmp_path):
    made = Database(f"sqlite:///{tmp_path}/ledger.db")
    metadata.create_all(made.engine)
    yield made
    made.close()


def numbers(database):
    with database.read() as connection:
        return set(connection.execute(select(kept.c.number)).scalars())


def keep(number):
    return lambda connection: connection.execute(insert(kept), {"number": number}).rowcount


def held_up(database, works):
    """Run the works at once, all of them waiting while another writes; return their futures."""
    begun, go = threading.Event(), threading.Event()

    def slow(connection):
        begun.set()
        go.wait(30)
        return keep(0)(connection)

    with ThreadPoolExecutor(len(works) + 1) as pool:
        first = pool.submit(database.commit, slow)
        assert begun.wait(30)
        futures = [pool.submit(database.commit, work) for work in works]
        while len(database._group._queue) <= len(works):
            pass
        go.set()
    first.result()
    return futures


def commits(database):
    """Count the commits from now on."""
    seen = []
    event.listen(database.engine, "commit", seen.append)
    return seen


def test_writers_that_wait_for_each_other_share_one_commit(database):
    seen = commits(database)
    futures = held_up(database, [keep(number) for number in range(1, 9)])
    assert [each.result() for each in futures] == [1] * 8
    assert numbers(database) == set(range(9))
    assert len(seen) == 2


def test_one_that_fails_is_told_so_and_takes_nobody_down(database):
    def refused(connection):
        keep(100)(connection)
        raise Refused

    futures = held_up(database, [keep(1), refused, keep(2), keep(1), keep(3)])
    assert isinstance(futures[1].exception(), Refused)
    assert sum(each.exception() is None for each in futures) == 3
    assert numbers(database) == {0, 1, 2, 3}


def test_what_returned_is_seen_by_every_other_connection(database):
    def write(number):
        database.commit(keep(number))
        return number in numbers(database)

    with ThreadPoolExecutor(16) as pool:
        assert all(pool.map(write, range(200)))


def test_a_writer_that_is_stopped_leaves_the_others_work_to_the_next(database):
    def interrupted(_connection):
        raise KeyboardInterrupt

    waiting = _Job(keep(5))
    database._group._queue.append(waiting)
    with pytest.raises(KeyboardInterrupt):
        database.commit(interrupted)
    assert (waiting.done, numbers(database)) == (False, set())
    assert database.commit(keep(6)) == 1
    assert (waiting.done, numbers(database)) == (True, {5, 6})
    assert not database._group._queue
