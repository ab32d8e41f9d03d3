"""What an account answers reaches the dispatcher that grants its calls, and its work goes on by itself afterwards."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from rotator.errors import THROTTLED, Unavailable, Uncertain
from rotator.flow.budget import FAILURES, FIRST_PROBE_S, Limit
from rotator.flow.playbook_words import Strategy
from rotator.flow.proof import Evidence
from rotator.ledger.due import DueWork
from rotator.ledger.enrolment import Enrolment
from rotator.ledger.working import WorkingLedger
from rotator.ports.store import Place
from tests.fakes.company import founded
from tests.fakes.deployment import SEAL, WEEK

KEY = "aws_iam_access_key"
A = "aws:1"
RETRY_AFTER_S = 40.0


@pytest.fixture
def house(tmp_path):
    """Give a company all of whose connections are of one account."""
    company, deployment = founded(tmp_path)
    deployment.enrolment = Enrolment(deployment.database, SEAL, company.world.now, account_of=lambda _: A)
    yield company, deployment
    deployment.database.close()


def failing(company, what, error, times=1):
    """Let calls of that name, or of all that begin so, fail so many times before they are carried out."""
    left = [times]

    def meet(phase, this, _changes):
        if phase == "before" and this.startswith(what) and left[0]:
            left[0] -= 1
            raise error

    company.world.meet = meet


def started(company, deployment, runs=1, wanted=Strategy.REVOKE_ONLY):
    found = [company.stolen(KEY, owner=f"owner-{number}")[0] for number in range(runs)]
    deployment.start(found, wanted=wanted)


def once(deployment):
    """Send once, and let a worker do what was sent."""
    worker = deployment.engine()
    sent = deployment.due.take_due(1)
    for branch, _ in sent:
        worker.advance(branch)
    return [branch.split(".")[1] for branch, _ in sent]


def worked(company, deployment, seconds):
    """Send and take messages for so long."""
    until = company.world.now() + seconds
    while company.world.now() < until:
        for branch, _lane in deployment.due.take_due(100):
            deployment.engine().advance(branch)
        company.world.wait_until(company.world.now() + 0.25)


def broken(deployment):
    """Open the account's breaker, and let the time of its first probe come."""
    ledger = WorkingLedger(deployment.database, SEAL, deployment.world.now)
    for _ in range(FAILURES):
        ledger.met(A, failed=True, throttled=False, retry_after=None)
    worked_for = deployment.world.now() + FIRST_PROBE_S
    deployment.due.take_due(0)
    deployment.world.wait_until(worked_for)


def account(deployment):
    return next(iter(deployment.rows("account")), None)


def test_a_throttled_call_holds_up_the_whole_account_for_as_long_as_it_says(house):
    company, deployment = house
    started(company, deployment, runs=2)
    failing(company, "issuer.suspend", Unavailable(THROTTLED, retry_after=RETRY_AFTER_S))
    assert once(deployment) == ["r1"]
    assert once(deployment) == []
    assert account(deployment)["pause_until"] == deployment.world.now() + RETRY_AFTER_S
    deployment.world.wait_until(deployment.world.now() + RETRY_AFTER_S - 1)
    assert once(deployment) == []
    deployment.world.wait_until(deployment.world.now() + 5)
    assert once(deployment) != []


def test_a_budget_delays_an_incident_and_never_stops_it(house):
    company, deployment = house
    deployment.due = DueWork(deployment.database, company.world.now, {A: Limit(2.0, 2)})
    began = company.world.now()
    started(company, deployment, runs=6, wanted=Strategy.CONTAIN_FIRST)
    worked(company, deployment, seconds=60)
    company.world.wait_until(company.world.now() + WEEK)
    worked(company, deployment, seconds=60)
    found = deployment.record().runs
    assert {each.run.evidence for each in found} == {Evidence.PROVEN}
    assert {step.state.value for each in found for step in each.steps} == {"done"}
    dead = sorted(each.run.dead_at - began for each in found)
    # Six stretches of four calls until containment, two calls a second, a full bucket at the start.
    assert dead[-1] >= (6 * 4 - 2 - 4) / 2.0


def test_an_account_that_is_down_is_probed_until_it_answers_and_then_all_goes_on(house):
    company, deployment = house
    started(company, deployment, runs=FAILURES + 2)
    failing(company, "issuer.", Unavailable("unreachable"), times=FAILURES + 1)
    for _ in range(FAILURES):
        once(deployment)
    assert account(deployment)["failures"] == FAILURES
    company.world.wait_until(company.world.now() + 0.4)
    assert once(deployment) == []
    worked(company, deployment, seconds=300)
    assert account(deployment)["failures"] == 0
    assert {each.run.evidence for each in deployment.record().runs} == {Evidence.PROVEN}


def test_a_time_that_is_asked_for_holds_up_the_account_whatever_the_reason(house):
    company, deployment = house
    started(company, deployment)
    failing(company, "issuer.suspend", Unavailable("busy", retry_after=RETRY_AFTER_S))
    once(deployment)
    assert account(deployment)["pause_s"] == RETRY_AFTER_S


def test_a_probe_that_is_told_to_come_later_is_no_success(house):
    company, deployment = house
    started(company, deployment, runs=FAILURES + 1)
    failing(company, "issuer.", Unavailable("unreachable"), times=FAILURES)
    for _ in range(FAILURES):
        once(deployment)
    once(deployment)
    company.world.wait_until(company.world.now() + 1.5)
    failing(company, "issuer.", Unavailable("busy", retry_after=RETRY_AFTER_S))
    assert once(deployment) != []
    assert account(deployment)["failures"] > FAILURES


def test_a_throttled_mint_holds_up_the_account_too(house):
    company, deployment = house
    started(company, deployment, wanted=Strategy.CONTAIN_FIRST)
    failing(company, "issuer.issue", Unavailable(THROTTLED, retry_after=RETRY_AFTER_S))
    worked(company, deployment, seconds=60)
    assert account(deployment)["cut_at"] is not None


def test_a_probe_whose_answer_is_lost_is_no_success(house):
    company, deployment = house
    started(company, deployment, runs=FAILURES + 1)
    failing(company, "issuer.", Unavailable("unreachable"), times=FAILURES)
    for _ in range(FAILURES):
        once(deployment)
    assert account(deployment)["failures"] == FAILURES
    once(deployment)
    company.world.wait_until(company.world.now() + 1.5)
    failing(company, "issuer.", Uncertain("answer_lost"))
    assert once(deployment) != []
    assert account(deployment)["failures"] >= FAILURES


def test_a_probe_that_meets_nobody_at_the_account_is_given_back_for_another(house):
    company, deployment = house
    started(company, deployment, wanted=Strategy.CONTAIN_FIRST)
    failing(company, "store.promote", Unavailable("unreachable"), times=1000)
    worked(company, deployment, seconds=60)
    assert deployment.steps()["deliver"] == "pending"
    broken(deployment)
    company.world.wait_until(company.world.now() + WEEK)
    assert once(deployment) == ["r1"]
    assert (account(deployment)["probes"], account(deployment)["failures"]) == (0, FAILURES)
    other, _ = company.stolen(KEY, owner="somebody-else")
    deployment.start([other], wanted=Strategy.REVOKE_ONLY, incident="inc-2")
    assert [branch for branch, _ in deployment.due.take_due(1)] == ["inc-2.r1.0.0"]


def test_a_probe_that_meets_somebody_is_not_given_back_whatever_it_does_afterwards(house):
    company, deployment = house
    started(company, deployment)
    broken(deployment)
    failing(company, "issuer.", Unavailable("unreachable"))
    assert once(deployment) == ["r1"]
    assert (account(deployment)["probes"], account(deployment)["failures"]) == (1, FAILURES + 1)


def test_who_waits_for_anothers_mint_does_not_keep_the_probe_from_the_one_that_is_at_it(house):
    company, deployment = house
    company.outside.providers[KEY, "aws"].at = replace(company.aws, quota=None)
    first, second = (company.stolen(KEY)[0] for _ in range(2))
    place = Place("fake", "kv-2", "ci/other")
    company.outside.stores["kv-2"].put(place.name, json.dumps({"id": second.ref.id}))
    theirs = replace(second.custody, deliver=(place,), consumers=(), criticality="critical")
    failing(company, "issuer.issue", Uncertain("answer_lost"))
    deployment.start([first], wanted=Strategy.CONTAIN_FIRST)
    worked(company, deployment, seconds=15)
    assert deployment.steps()["issue"] == "uncertain"
    failing(company, "issuer.siblings", Unavailable("unreachable"), times=1000)
    deployment.start([replace(second, custody=theirs)], wanted=Strategy.CONTAIN_FIRST, incident="inc-2")
    worked(company, deployment, seconds=30)
    assert deployment.steps("inc-2.r1")["issue"] == "pending"
    broken(deployment)
    failing(company, "issuer.", Unavailable("unreachable"), times=0)
    worked(company, deployment, seconds=120)
    assert account(deployment)["failures"] == 0
    assert {deployment.steps(f"inc-{number}.r1")["issue"] for number in (1, 2)} == {"done"}
