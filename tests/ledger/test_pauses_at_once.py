"""Between asking whether its vendor is paused and the commit of what begins, no pause is committed, on both ledgers."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from sqlalchemy import text

from rotator.claims import PAUSED, Draft
from rotator.flow.playbook_words import Strategy
from rotator.flow.run import StepState
from rotator.flow.standing import lets_in
from rotator.flow.step import Move, apply
from rotator.ledger import pauses
from rotator.ledger.pauses import Pause, Pauses
from rotator.ledger.working import WorkingLedger
from tests.fakes.deployment import SEAL
from tests.ledger.test_pauses import TASK, held, registered

LONG_S = 30


@pytest.fixture
def intent(house):
    """Have a run come to what would make something for its vendor; give the ledger, the claim, and its intent."""
    company, deployment = house
    registered(deployment, "acme")
    deployment.declare([], [TASK], incident="inc-9")
    deployment.start([held(company)], wanted=Strategy.REPLACE_FIRST)
    ledger = WorkingLedger(deployment.database, SEAL, deployment.world.now)
    [(branch, _)] = deployment.due.take_due(10)
    work = ledger.claim(branch, "ann")
    first = next(at for at, each in enumerate(work.steps) if lets_in(each))
    before = [replace(each, state=StepState.SKIPPED) for each in work.steps[:first]]
    work = replace(work, steps=(*before, *work.steps[first:]))
    step = work.next_step
    running = apply(step, Move(StepState.RUNNING), 1.0)
    return ledger, work, Draft(steps={step.id: running}, records=[{"step": step.name, "state": "running"}])


def pausing(deployment, connection):
    given = Pause("acme", 0, "inc-9", deployment.world.now(), "ana", "breached", "[]")
    return pauses.begin(connection, given, {})


def waits(database, other):
    """Tell, as soon as it is so, whether what another does waits for a lock; SQLite lets one write at a time."""
    query = text(
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    )
    while not (database.sqlite or other.done()):
        with database.read() as connection:
            if connection.execute(query).scalar():
                return True
    return not other.done()


def test_a_pause_is_not_committed_between_asking_for_it_and_the_commit_of_what_asked(house, intent):
    _, deployment = house
    ledger, work, draft = intent
    database = deployment.database

    def pause():
        with database.write() as connection:
            return pausing(deployment, connection)

    with ThreadPoolExecutor(1) as pool:
        with database.write() as connection:
            begun = ledger._committing(work, draft)(connection)
            other = pool.submit(pause)
            assert waits(database, other)
        assert begun.branch.stopped is None
        assert other.result(LONG_S).number == 1
    assert Pauses(database).paused() == {"acme"}


def test_what_asks_while_a_pause_is_written_begins_nothing_once_that_is_committed(house, intent):
    _, deployment = house
    ledger, work, draft = intent
    with ThreadPoolExecutor(1) as pool:
        with deployment.database.write() as connection:
            pausing(deployment, connection)
            other = pool.submit(ledger.commit, work, draft)
            assert waits(deployment.database, other)
        assert other.result(LONG_S).branch.stopped == f"{PAUSED}acme"
