"""Accounts: what workers meet there is all counted, and the dispatcher that leads goes by it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import insert, select, update
from structlog.testing import capture_logs

from rotator.flow.budget import FAILURES, FIRST_PROBE_S, GIVEN_BACK, Limit
from rotator.flow.playbook_words import Strategy
from rotator.ledger import accounts, tables
from rotator.ledger.due import RESEND_S, DueWork
from rotator.ledger.working import WorkingLedger
from tests.fakes.deployment import SEAL

KEY = "aws_iam_access_key"
A, B = "aws:1", "aws:2"
ME = ("dispatcher", "ann")


@pytest.fixture
def started(house):
    """Start eight runs, each of whose next stretches costs four calls: six on one account, two on another."""
    company, deployment = house
    found = [company.stolen(KEY, owner=f"owner-{number}")[0] for number in range(8)]
    deployment.start(found, wanted=Strategy.REVOKE_ONLY)
    with deployment.database.write() as connection:
        connection.execute(update(tables.branch).values(account=A, calls=4))
        theirs = tables.branch.c.id.in_(["inc-1.r7.0.0", "inc-1.r8.0.0"])
        connection.execute(update(tables.branch).where(theirs).values(account=B))
    return deployment


def dispatching(deployment, **limits):
    return DueWork(deployment.database, deployment.world.now, {A: Limit(**limits)} if limits else {})


def sent(due, leader=ME, room=100):
    return [branch.split(".")[1] for branch, _ in due.take_due(room, leader)]


def later(deployment, seconds):
    deployment.world.wait_until(deployment.world.now() + seconds)


def account(deployment, name=A):
    return next((row for row in deployment.rows("account") if row["name"] == name), None)


def branch(deployment, run):
    return next(row for row in deployment.rows("branch") if row["id"] == f"inc-1.{run}.0.0")


def claimed(deployment, *runs):
    ledger = WorkingLedger(deployment.database, SEAL, deployment.world.now)
    return [ledger.claim(f"inc-1.{run}.0.0", "worker") for run in runs]


def met(deployment, name=A, *, failed=False, throttled=False, retry_after=None):
    ledger = WorkingLedger(deployment.database, SEAL, deployment.world.now)
    ledger.met(name, failed=failed, throttled=throttled, retry_after=retry_after)


def test_what_fits_the_bucket_is_granted_and_the_rest_waits_for_it_to_fill(started):
    due = dispatching(started, calls_per_second=8.0, burst=8)
    assert sorted(sent(due)) == ["r1", "r2", "r7", "r8"]
    assert {branch(started, run)["granted"] for run in ("r1", "r2")} == {4}
    assert {branch(started, run)["granted"] for run in ("r7", "r8")} == {None}
    claimed(started, "r1", "r2")
    assert sent(due) == []
    later(started, 0.5)
    assert sent(due) == ["r3"]
    assert account(started)["tokens"] == pytest.approx(0.0)


def test_the_engine_is_told_what_was_granted(started):
    sent(dispatching(started, calls_per_second=8.0, burst=8))
    mine, theirs = claimed(started, "r1", "r7")
    assert (mine.branch.granted, mine.branch.account) == (4, A)
    assert (theirs.branch.granted, theirs.branch.account) == (None, B)


def test_a_new_leader_goes_on_with_the_same_bucket(started):
    ann = dispatching(started, calls_per_second=8.0, burst=8)
    assert sorted(sent(ann)) == ["r1", "r2", "r7", "r8"]
    claimed(started, "r1", "r2", "r7", "r8")
    ben = DueWork(started.database, lambda: started.world.now() + 3600.0, {A: Limit(8.0, 8)})
    assert sent(ben, ("dispatcher", "ben")) == []  # an hour by another clock has filled nothing
    later(started, 0.5)
    assert sent(ben, ("dispatcher", "ben")) == ["r3"]


def test_who_leads_no_more_sends_nothing(started):
    due = dispatching(started, calls_per_second=8.0, burst=8)
    with started.database.write() as connection:
        connection.execute(insert(tables.leader).values(name="dispatcher", holder="ben", beat=1))
    assert sent(due) == []
    assert sorted(sent(due, ("dispatcher", "ben"))) == ["r1", "r2", "r7", "r8"]


def test_two_who_both_believe_to_lead_grant_no_call_twice(started):
    def send(name):
        return sent(dispatching(started, calls_per_second=1.0, burst=8), ("dispatcher", name))

    with ThreadPoolExecutor(4) as pool:
        told = [each for found in pool.map(send, ["ann", "ben", "eve", "joe"]) for each in found]
    assert sorted(told) == ["r1", "r2", "r7", "r8"]
    assert account(started)["tokens"] == pytest.approx(0.0, abs=0.1)


def test_calls_of_a_message_that_nobody_took_are_charged_once(started):
    due = dispatching(started, calls_per_second=0.001, burst=8)
    assert len(sent(due)) == 4
    later(started, RESEND_S + 1)
    assert len(sent(due)) == 4
    assert account(started)["tokens"] == pytest.approx(0.0, abs=0.1)


def test_of_what_nobody_takes_no_more_calls_wait_than_the_bucket_holds(started):
    due = dispatching(started, calls_per_second=8.0, burst=8)
    sent(due)
    later(started, 10.0)
    assert sent(due) == []
    claimed(started, "r1")
    assert sent(due) == ["r3"]


def test_a_throttled_account_is_left_alone_as_long_as_it_says_then_given_half(started):
    due = dispatching(started, calls_per_second=8.0, burst=8)
    sent(due)
    claimed(started, "r1", "r2")
    met(started, throttled=True, retry_after=20.0)
    met(started, throttled=True, retry_after=5.0)
    later(started, 1.0)
    assert sent(due) == []
    noted = account(started)
    assert (noted["share"], noted["throttled"], noted["pause_s"]) == (0.5, 0, None)
    assert noted["pause_until"] == started.world.now() + 20.0
    later(started, 20.5)
    assert sent(due) == []
    later(started, 0.5)
    assert sent(due) == ["r3"]
    assert account(started)["share"] == pytest.approx(0.5 + GIVEN_BACK, abs=0.01)


def test_an_account_without_a_budget_is_limited_for_a_while_once_it_is_throttled(started):
    due = dispatching(started)
    assert sorted(sent(due, room=2)) == ["r1", "r2"]
    met(started, throttled=True)
    claimed(started, "r1", "r2")
    assert sent(due) == ["r7", "r8"]
    assert account(started)["learned"] == 8.0
    later(started, 1.2)
    assert sent(due) == []
    later(started, 0.8)
    assert sent(due) == ["r3"]
    assert branch(started, "r3")["granted"] == 4
    later(started, 100.0)
    assert sorted(sent(due)) == ["r3", "r4", "r5", "r6", "r7", "r8"]
    assert account(started)["learned"] is None


def test_an_account_that_fails_is_probed_and_everything_else_goes_on(started):
    due = dispatching(started)
    [first] = sent(due, room=1)  # equals among equals: any of the account's
    for _ in range(FAILURES):
        met(started, failed=True)
    claimed(started, first)
    assert sorted(sent(due)) == ["r7", "r8"]
    later(started, FIRST_PROBE_S)
    [second] = sent(due)
    assert branch(started, second)["probe"] == 1
    [probe] = claimed(started, second)
    assert probe.branch.probe
    assert sent(due) == []
    met(started)
    others = {"r1", "r2", "r3", "r4", "r5", "r6"} - {first, second}
    assert set(sent(due)) == others
    assert {branch(started, each)["probe"] for each in others} == {0}


def test_a_probe_is_who_waits_longest_so_that_nobody_more_urgent_keeps_it_for_ever(started):
    due = dispatching(started)
    for _ in range(FAILURES):
        met(started, failed=True)
    sent(due)
    later(started, FIRST_PROBE_S)
    last = tables.branch.c.id == "inc-1.r6.0.0"
    with started.database.write() as connection:
        connection.execute(update(tables.branch).where(tables.branch.c.account == A).values(due_at=2.0))
        connection.execute(update(tables.branch).where(last).values(due_at=1.0, priority=0.0, lane="hygiene"))
    assert sent(due) == ["r6"]
    claimed(started, "r6")
    met(started)
    with started.database.write() as connection:
        connection.execute(update(tables.branch).where(tables.branch.c.id == "inc-1.r5.0.0").values(priority=1e9))
    assert sent(due, room=1) == ["r5"]


def test_what_many_workers_meet_at_once_is_all_counted(database):
    with ThreadPoolExecutor(8) as pool:
        for answer in [
            pool.submit(accounts.note, database, A, 5.0, failed=True, throttled=True, retry_after=float(number))
            for number in range(40)
        ]:
            answer.result()
    with database.read() as connection:
        row = connection.execute(select(tables.account)).mappings().one()
    assert (row["failures"], row["throttled"], row["pause_s"]) == (40, 40, 39.0)
    accounts.note(database, A, 6.0, failed=False, throttled=False, retry_after=None)
    with database.read() as connection:
        row = connection.execute(select(tables.account)).mappings().one()
    assert (row["failures"], row["throttled"], row["pause_s"]) == (0, 40, 39.0)


@pytest.mark.parametrize(
    ("given", "name"),
    [
        (("aws", "123", "prod"), "aws:123"),
        (("aws", "123", "audit"), "aws:123"),
        (("aws", None, "prod"), "aws:prod"),
        (("vault", "123", "prod"), "vault:123"),
    ],
)
def test_connections_of_one_family_and_account_share_a_budget(given, name):
    assert accounts.named(*given) == name


def test_a_name_is_no_longer_than_its_column():
    assert len(accounts.named("aws", "x" * 500, "prod")) == tables.account.c.name.type.length


def test_a_stopped_incident_is_not_sent_and_goes_on_when_it_is_let(started):
    due = dispatching(started)
    stop = {"scope": "incident", "name": "inc-1", "at": 0.0, "by": "ann", "reason": "wait"}
    with started.database.write() as connection:
        connection.execute(insert(tables.stop).values(**stop))
    assert sent(due) == []
    assert not due.busy_until(1e9)
    with started.database.write() as connection:
        connection.execute(update(tables.stop).values(lifted_at=1.0))
    assert len(sent(due)) == 8
    assert due.busy_until(0.0)


def test_a_scheduled_step_of_a_stopped_incident_rests_where_it_is(started):
    due = dispatching(started)
    with started.database.write() as connection:
        connection.execute(update(tables.branch).values(state="held", due_at=started.world.now()))
        stop = {"scope": "all", "name": "", "at": 0.0, "by": "ann", "reason": "wait"}
        connection.execute(insert(tables.stop).values(**stop))
    assert sent(due) == []
    assert {row["state"] for row in started.rows("branch") if row["due_at"] is not None} == {"held"}


@pytest.mark.parametrize("ahead", [-6.0, 61.0])
def test_a_worker_whose_clock_disagrees_takes_nothing_and_says_so(started, ahead):
    [run] = sent(dispatching(started), room=1)
    wrong = WorkingLedger(started.database, SEAL, lambda: started.world.now() + ahead)
    with capture_logs() as told:
        assert wrong.claim(f"inc-1.{run}.0.0", "worker") is None
    assert [(each["event"], each["seconds_since_sent"]) for each in told] == [("clocks_disagree", ahead)]
    with capture_logs() as told:
        assert claimed(started, run) != [None]
        assert wrong.claim(f"inc-1.{run}.0.0", "worker") is None  # another has it: that is no matter of clocks
    assert told == []
