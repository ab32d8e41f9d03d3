"""What /metrics tells is what the ledger holds: what lives, since when, what waits and for whom."""

from __future__ import annotations

from sqlalchemy import insert

from rotator.flow.planned import Lane
from rotator.flow.playbook_words import Strategy
from rotator.ledger import tables
from rotator.ledger.measures import BUCKETS_S, measure
from tests.fakes.company import KINDS
from tests.fakes.world import START


def measured(deployment):
    with deployment.database.read() as connection:
        return measure(connection, deployment.world.now())


def test_what_lives_is_counted_until_it_is_contained_and_its_time_is_told_once_it_is_proven_dead(house):
    company, deployment = house
    stolen, _ = company.stolen(KINDS[0])
    deployment.start([stolen], wanted=Strategy.CONTAIN_FIRST)
    found = measured(deployment)
    assert (found.live_exposed, found.oldest_live, found.revoked_total) == ({KINDS[0]: 1}, START, 0)
    assert found.due[Lane.CONTAIN] == 1
    deployment.rest(patience_s=3600)
    found = measured(deployment)
    assert (found.live_exposed, found.oldest_live) == ({}, None)
    [run] = deployment.record().runs
    assert found.revoked_s == run.run.dead_at - START
    assert (found.revoked, found.revoked_total) == ((1,) * len(BUCKETS_S), 1)
    assert sum(found.due.values()) == found.lost == 0


def test_what_nobody_takes_or_somebody_lost_is_told(house):
    company, deployment = house
    stolen, _ = company.stolen(KINDS[0])
    deployment.start([stolen], wanted=Strategy.REPLACE_FIRST)
    assert measured(deployment).oldest_sent == {}
    [(branch, lane)] = deployment.due.take_due(1)
    assert measured(deployment).oldest_sent == {lane: START}

    def die(phase, what, _changes):
        if (phase, what) == ("after", "issuer.issue"):
            company.world.meet = lambda *_: None
            raise KeyboardInterrupt

    company.world.meet = die
    worker = deployment.engine()
    try:
        worker.advance(branch)
        deployment.rest(worker)
    except KeyboardInterrupt:
        worker = deployment.recover()
    for again, _lane in deployment.due.take_due(10):
        worker.advance(again)
    assert measured(deployment).lost == 1


def test_an_open_breaker_and_a_message_that_is_not_delivered_are_told(house):
    _, deployment = house
    account = {"name": "aws/1", "tokens": 0.0, "filled_at": 0.0, "failures": 99}
    message = {"id": "m1", "channel": "ops", "incident": "inc-1", "made_at": START, "state": "waiting", "attempts": 1}
    with deployment.database.write() as connection:
        connection.execute(insert(tables.account).values(account))
        connection.execute(insert(tables.message).values(message))
    found = measured(deployment)
    assert (found.breakers_open, found.messages_waiting, found.oldest_message) == (1, 1, START)
