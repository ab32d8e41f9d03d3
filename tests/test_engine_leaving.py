"""A worker that is told to end does the call in hand, writes what it found, and leaves the rest to others at once."""

from __future__ import annotations

import itertools
from types import SimpleNamespace

import pytest
from celery import Celery
from celery.signals import worker_shutting_down
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rotator.dispatcher import Dispatcher
from rotator.flow.playbook_words import Strategy
from tests.fakes.company import KINDS, founded
from tests.fakes.deployment import broken_chains, emptied, sqlite
from workers import app as workers


@pytest.fixture(scope="module")
def spare(tmp_path_factory):
    database = sqlite(tmp_path_factory.mktemp("spare") / "ledger.db")
    yield database
    database.close()


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(kind=st.sampled_from(KINDS[:3]), at=st.integers(0, 40))
def test_whenever_it_is_told_nothing_is_held_or_uncertain_and_another_ends_it_right(spare, tmp_path, kind, at):
    company, deployment = founded(tmp_path, database=emptied(spare))
    stolen, _ = company.stolen(kind)
    deployment.start([stolen], wanted=Strategy.REPLACE_FIRST)
    leaving, number = deployment.engine(), itertools.count()

    def tell(_phase, _what, _changes):
        if next(number) == at:
            leaving.leave()

    company.world.meet = tell
    for branch, _lane in deployment.due.take_due(10):
        leaving.advance(branch)
    company.world.meet = lambda *_: None
    leaving.leave()
    assert [row for row in deployment.rows("branch") if row["holder"]] == []
    assert {row["state"] for row in deployment.rows("step")} <= {"pending", "done", "held"}
    deployment.rest(patience_s=3600)
    [run] = deployment.record().runs
    assert len(company.world.done("issuer.issue")) == 1
    assert company.living(run.run.ref) - {run.run.ref.id} == {run.run.replacement}
    assert broken_chains(deployment) == []


def test_what_it_takes_after_that_is_due_at_once_for_another_and_no_call_is_made(tmp_path):
    company, deployment = founded(tmp_path)
    stolen, _ = company.stolen(KINDS[0])
    deployment.start([stolen], wanted=Strategy.REPLACE_FIRST)
    leaving = deployment.engine()
    leaving.leave()
    asked = []
    company.world.meet = lambda _phase, what, _changes: asked.append(what)
    [(branch, _)] = deployment.due.take_due(1)
    leaving.advance(branch)
    assert {each.partition(".")[0] for each in asked} == {"ledger"}
    assert [again for again, _ in deployment.due.take_due(1)] == [branch]


def test_a_process_that_is_asked_to_end_tells_its_engine():
    left = []
    app = Celery("test", broker="memory://localhost", set_as_current=False)
    app.rotator = SimpleNamespace(
        engine=SimpleNamespace(leave=lambda: left.append(True)), settings=SimpleNamespace(concurrency=1)
    )
    workers.quietly(app, ("contain",), lambda: None)
    assert left == []
    worker_shutting_down.send(sender="test", sig="TERM", how="Warm", exitcode=0)
    assert left == [True]


def test_a_dispatcher_that_ends_lets_another_lead_at_its_next_tick(tmp_path):
    _, deployment = founded(tmp_path)
    first, second = (Dispatcher(deployment.due, lambda *_: None, name) for name in ("first", "second"))
    first.tick()
    second.tick()
    assert (first.leads(), second.leads()) == (True, False)
    second.resign()
    first.resign()
    second._chores_at = float("-inf")  # a second has passed
    second.tick()
    assert (first.leads(), second.leads()) == (False, True)
