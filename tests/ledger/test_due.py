"""What is due is sent, sent again when nobody took it, and taken from workers that are gone; one dispatcher leads."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier

import pytest
from sqlalchemy import update

from rotator.claims import LEAK_SAFE, Draft
from rotator.dispatcher import LEADER, Dispatcher
from rotator.flow.playbook_words import Strategy
from rotator.flow.step import LEASE_S
from rotator.ledger import tables
from rotator.ledger.due import RESEND_S, DueWork
from rotator.ledger.plan_rows import KEEP_MATERIAL_S
from rotator.ledger.working import WorkingLedger
from tests.fakes.deployment import SEAL

KEY = "aws_iam_access_key"


@pytest.fixture
def started(house):
    """Start three runs of unlike risk."""
    company, deployment = house
    found = []
    for number, criticality in enumerate(("low", "critical", "high")):
        each, _ = company.stolen(KEY, owner=f"owner-{number}")
        found.append(replace(each, custody=replace(each.custody, criticality=criticality)))
    deployment.start(found, wanted=Strategy.REVOKE_ONLY)
    return deployment


def held(deployment, **values):
    with deployment.database.write() as connection:
        connection.execute(update(tables.branch).values(**values))


def owners(deployment, sent):
    of = {record.run.id: record.run.ref.owner for record in deployment.record().runs}
    return [of[branch.rpartition(".")[0].rpartition(".")[0]] for branch, _ in sent]


def test_the_most_urgent_is_sent_first_and_as_many_as_are_asked_for(started):
    assert owners(started, started.due.take_due(2)) == ["owner-1", "owner-2"]
    assert owners(started, started.due.take_due(2)) == ["owner-0"]
    assert started.due.take_due(2) == []


def test_containment_is_sent_before_replacement_whatever_its_priority(started):
    with started.database.write() as connection:
        most = tables.branch.c.id == "inc-1.r1.0.0"
        connection.execute(update(tables.branch).where(most).values(lane="replace", priority=1e6))
    assert [lane for _, lane in started.due.take_due(10)] == ["contain", "contain", "replace"]


def test_what_is_due_later_is_sent_later(started):
    held(started, due_at=started.world.now() + 10)
    assert started.due.take_due(10) == []
    started.world.wait_until(started.world.now() + 10)
    assert len(started.due.take_due(10)) == 3


@pytest.mark.parametrize(("state", "due"), [("waiting", True), ("failed", True), ("done", True), ("held", False)])
def test_what_waits_for_something_else_is_not_sent(started, state, due):
    held(started, state=state, due_at=started.world.now() if due else None)
    assert started.due.take_due(10) == []


def test_a_message_that_nobody_took_is_sent_again_but_not_at_once(started):
    first = started.due.take_due(10)
    started.world.wait_until(started.world.now() + RESEND_S)
    assert started.due.take_due(10) == []
    started.world.wait_until(started.world.now() + 1)
    assert started.due.take_due(10) == first


def test_what_a_clock_ahead_of_all_others_sent_is_sent_again_at_once(started):
    ahead = DueWork(started.database, lambda: started.world.now() + 3600.0)
    first = ahead.take_due(10)
    assert started.due.unclaimed()[1]
    assert started.due.take_due(10) == first
    assert started.due.take_due(10) == []
    assert not started.due.unclaimed()[1]


def test_what_a_worker_holds_is_not_sent_again(started):
    sent = started.due.take_due(10)
    ledger = WorkingLedger(started.database, SEAL, started.world.now)
    assert ledger.claim(sent[0][0], "ann")
    started.world.wait_until(started.world.now() + 2 * RESEND_S)
    assert started.due.take_due(10) == sent[1:]


def test_a_claim_whose_heart_beats_is_not_freed(started):
    [(branch, _lane), *_] = started.due.take_due(10)
    ledger = WorkingLedger(started.database, SEAL, started.world.now)
    work = ledger.claim(branch, "ann")
    [claim] = started.due.claims()
    ledger.commit(work, Draft(records=[{"step": "keep"}]))
    assert not started.due.free(claim)
    [claim] = started.due.claims()
    assert started.due.free(claim)
    assert not started.due.free(claim)
    assert started.due.claims() == []
    assert (branch, "contain") in started.due.take_due(10)


def dispatching(deployment, clock, monkeypatch, *names):
    """Return dispatchers, and where each message went; `clock` is their monotonic one."""
    monkeypatch.setattr("rotator.dispatcher.time.monotonic", lambda: clock[0])
    sent = {name: [] for name in names}
    return sent, [
        Dispatcher(deployment.due, lambda branch, _, name=name: sent[name].append(branch), name) for name in names
    ]


def test_one_dispatcher_leads_until_it_was_silent_for_a_lease(started, monkeypatch):
    clock = [0.0]
    sent, (ann, ben) = dispatching(started, clock, monkeypatch, "ann", "ben")
    ann.tick()
    ben.tick()
    assert (len(sent["ann"]), len(sent["ben"])) == (3, 0)
    started.world.wait_until(started.world.now() + RESEND_S + 1)
    while clock[0] < 3 * LEASE_S:
        clock[0] += 10
        ann.tick()
        assert ben.tick() == 0
    last_beat = clock[0]
    while not ben.tick():
        started.world.wait_until(started.world.now() + RESEND_S + 1)
        clock[0] += 10
        assert clock[0] < last_beat + 2 * LEASE_S
    assert clock[0] >= last_beat + LEASE_S
    clock[0] += 10
    assert ann.tick() == 0  # the old leader finds that she leads no more


def test_a_dead_workers_claim_is_freed_after_a_lease_and_a_living_ones_never(started, monkeypatch):
    clock = [0.0]
    sent, (ann,) = dispatching(started, clock, monkeypatch, "ann")
    ann.tick()
    ledger = WorkingLedger(started.database, SEAL, started.world.now)
    works = [ledger.claim(branch, "worker") for branch in sent["ann"][:2]]
    while clock[0] < 2 * LEASE_S:
        clock[0] += 5
        works[0] = ledger.commit(works[0], Draft(records=[{"at": clock[0]}]))
        ann.tick()
    assert [claim.branch for claim in started.due.claims()] == [works[0].branch.id]


def test_of_many_dispatchers_that_begin_together_one_leads(house):
    _, deployment = house
    barrier = Barrier(8)

    def lead(name):
        barrier.wait()
        return deployment.due.lead(LEADER, name, None)[0]

    with ThreadPoolExecutor(8) as pool:
        told = list(pool.map(lead, [f"d{number}" for number in range(8)]))
    [row] = deployment.rows("leader")
    assert set(told) <= {row["holder"], ""}
    assert told.count(row["holder"]) >= 1


def test_a_leader_that_still_beats_is_not_taken_over(house):
    _, deployment = house
    lead = deployment.due.lead
    seen = lead(LEADER, "ann", None)
    assert seen == ("ann", 1)
    assert lead(LEADER, "ben", None) == seen
    assert lead(LEADER, "ann", None) == ("ann", 2)
    assert lead(LEADER, "ben", seen) == ("ann", 2)
    assert lead(LEADER, "ben", ("ann", 2)) == ("ben", 3)
    assert lead(LEADER, "ann", None) == ("ben", 3)


def test_a_runtime_that_is_alone_takes_over_at_once(started):
    sent = started.due.take_due(10)
    assert WorkingLedger(started.database, SEAL, started.world.now).claim(sent[0][0], "gone")
    assert started.due.lead(LEADER, "gone", None)[0] == "gone"
    Dispatcher(started.due, lambda *_: None, "ann").take_over_alone()
    assert started.due.claims() == []
    assert started.rows("leader")[0]["holder"] == "ann"
    assert sent[0] in started.due.take_due(10)


def test_a_mint_that_waits_for_a_reader_is_woken_when_the_last_is_contained(house):
    company, deployment = house
    reader, _ = company.stolen("vault_token", owner="reader")
    mint, _ = company.stolen(KEY, owner="writer")
    reading = replace(reader, custody=replace(reader.custody, reads=("kv:all",)))
    deployment.start([reading, mint], wanted=Strategy.CONTAIN_FIRST)
    runs = {record.run.ref.owner: record.run.id for record in deployment.record().runs}
    worker = deployment.engine()
    for _ in range(50):  # the writer's run alone
        for branch, _lane in deployment.due.take_due(10):
            if branch.startswith(runs["writer"]):
                worker.advance(branch)
        deployment.world.wait_until(deployment.world.now() + 1)
    waits = (f"{runs['writer']}.0.0", "held", LEAK_SAFE)
    assert waits in deployment.branches()
    assert deployment.due.wake_leak_safe() == 0
    assert company.world.done("issuer.issue") == []
    deployment.rest()
    assert {step.state.value for record in deployment.record().runs for step in record.steps} == {"done"}


def test_a_secret_is_destroyed_when_its_time_is_over_whatever_became_of_it(started):
    assert len(started.rows("sealed")) == 3
    started.due.forget_expired()
    assert len(started.rows("sealed")) == 3
    started.world.wait_until(started.world.now() + KEEP_MATERIAL_S + 1)
    started.due.forget_expired()
    assert started.rows("sealed") == []


def test_idle_means_that_nothing_is_at_work_or_due_soon(started):
    assert started.due.busy_until(1.0)
    held(started, state="held", due_at=None)
    assert not started.due.busy_until(1.0)
    held(started, state="held", due_at=started.world.now() + 100)
    assert not started.due.busy_until(60.0)
    assert started.due.busy_until(120.0)
    held(started, state="done", due_at=None)
    assert not started.due.busy_until(1e9)
    held(started, state="done", holder="ann")
    assert started.due.busy_until(0.0)
