"""The dispatcher keeps few messages in flight, the most urgent first, and no fewer than workers need."""

from __future__ import annotations

from collections import Counter

import pytest
from sqlalchemy import update

from rotator.bootstrap import Rotator
from rotator.dispatcher import CHORES_EVERY_S, Dispatcher
from rotator.flow.budget import Limit
from rotator.flow.playbook_words import Strategy
from rotator.ledger import tables
from rotator.ledger.due import RESEND_S, DueWork
from rotator.settings.configuration import Settings
from tests.fakes.company import founded

WINDOW = 8
RUNS = 60


@pytest.fixture
def house(tmp_path, monkeypatch):
    """Give a deployment with 60 started runs, and the dispatcher's own clock."""
    company, deployment = founded(tmp_path)
    found = [company.stolen("aws_iam_access_key", owner=f"owner-{number}")[0] for number in range(RUNS)]
    deployment.start(found, wanted=Strategy.REVOKE_ONLY)
    clock = [0.0]
    monkeypatch.setattr("rotator.dispatcher.time.monotonic", lambda: clock[0])
    deployment.ticking = clock
    yield deployment
    deployment.database.close()


def hired(deployment, name="ann", limits=None):
    sent = []
    due = DueWork(deployment.database, deployment.world.now, limits or {})
    return sent, Dispatcher(due, lambda branch, lane: sent.append((branch, lane)), name, WINDOW)


def take(deployment, branches):
    """Do what workers do, as far as a dispatcher sees it: claim, and be through."""
    with deployment.database.write() as connection:
        ids = [branch for branch, _ in branches]
        done = update(tables.branch).where(tables.branch.c.id.in_(ids))
        connection.execute(done.values(sent_at=None, state="done", due_at=None))


def made(deployment, where, **values):
    with deployment.database.write() as connection:
        connection.execute(update(tables.branch).where(where).values(**values))


def test_no_more_is_sent_than_waits_for_workers_anyway(house):
    sent, ann = hired(house)
    assert [ann.tick() for _ in range(5)] == [WINDOW, 0, 0, 0, 0]
    take(house, sent[:3])
    assert ann.tick() == 0  # more than half of them are there yet: to look for the rest costs as much as for all
    take(house, sent[3:4])
    assert ann.tick() == 4


def test_what_becomes_urgent_goes_before_all_that_is_not_sent_yet(house):
    sent, ann = hired(house)
    ann.tick()
    urgent = tables.branch.c.id == f"inc-1.r{RUNS}.0.0"
    made(house, urgent, priority=1e6)
    take(house, sent[: WINDOW // 2])
    ann.tick()
    assert sent[WINDOW] == (f"inc-1.r{RUNS}.0.0", "contain")


def test_workers_that_run_out_between_two_ticks_get_more_and_slow_ones_less_again(house):
    sent, ann = hired(house)
    numbers = []
    for _ in range(4):
        numbers.append(ann.tick())
        take(house, sent)
    assert numbers == [WINDOW, 2 * WINDOW, 4 * WINDOW, RUNS - 7 * WINDOW]
    made(house, tables.branch.c.id.is_not(None), state="open", due_at=0.0)
    for _ in range(30):
        ann.tick()
    take(house, sent)
    made(house, tables.branch.c.id.is_not(None), state="open", due_at=0.0)
    assert ann.tick() == 2 * WINDOW


def test_a_lane_whose_workers_are_slow_does_not_hold_up_another(house):
    made(
        house, tables.branch.c.id.in_([f"inc-1.r{number}.0.0" for number in range(1, 31)]), lane="replace", account="b"
    )
    sent, ann = hired(house)
    ann.tick()
    assert Counter(lane for _, lane in sent) == {"contain": WINDOW, "replace": WINDOW}
    take(house, [each for each in sent if each[1] == "contain"])
    del sent[:]
    ann.tick()
    assert {lane for _, lane in sent} == {"contain"}


def test_a_budget_holds_over_a_change_of_leader(house):
    made(house, tables.branch.c.id.is_not(None), account="aws:1", calls=2)
    limits = {"aws:1": Limit(2.0, 4)}
    sent, ann = hired(house, "ann", limits)
    theirs, ben = hired(house, "ben", limits)
    ann.tick()
    ben.tick()
    assert (len(sent), len(theirs)) == (2, 0)
    take(house, sent)
    while not theirs:  # Ann is dead; a call a second would have been hers too
        house.ticking[0] += CHORES_EVERY_S
        ben.tick()
        house.world.wait_until(house.world.now() + 0.25)
    assert len(theirs) == 1
    take(house, theirs)
    before = len(sent)
    house.ticking[0] += CHORES_EVERY_S
    assert ann.tick() == 0  # who was frozen finds that another leads
    for _ in range(40):
        house.world.wait_until(house.world.now() + 0.25)
        ben.tick()
        take(house, theirs)
    assert len(sent) == before
    assert 9 <= len(theirs) <= 11  # ten seconds of two calls each, two for a branch


def test_what_a_kinds_issuer_publishes_is_granted_and_no_more(house, tmp_path):
    own = {"name": "linode", "family": "http", "kinds": ["linode_token"], "endpoint_url": "http://127.0.0.1:9"}
    parts = Rotator(Settings(folder=tmp_path, data_dir=tmp_path, connections=[own]))
    made(house, tables.branch.c.id.is_not(None), account=parts.account_of("linode"), calls=2)
    sent, ann = hired(house, "ann", parts.limits)
    for _ in range(40):  # ten seconds, of three calls each, and the twenty of a full bucket
        ann.tick()
        take(house, sent)
        house.world.wait_until(house.world.now() + 0.25)
    assert 24 <= len(sent) <= 26


def test_a_lost_message_is_sent_again_and_not_sooner(house):
    sent, ann = hired(house)
    ann.tick()
    first = set(sent)
    house.world.wait_until(house.world.now() + RESEND_S - 1)
    assert ann.tick() == 0
    house.world.wait_until(house.world.now() + 2)
    assert [ann.tick() for _ in range(3)] == [0, WINDOW, 0]  # looked at, then sent; nobody ran out of any
    assert set(sent[WINDOW:]) == first
