"""A run that waits for its owner goes on by itself at the deadline, counted from when the owner was told; or before."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from rotator.flow.incident import Incident, Severity
from rotator.flow.ownership import Ownership, ask_owners
from rotator.flow.plan import make
from rotator.flow.run import SCHEDULED
from tests.fakes.company import founded
from tests.fakes.deployment import PLAYBOOKS
from tests.ledger.test_revisions import more_of

DEADLINE_S = 1800.0


@pytest.fixture
def waiting(tmp_path):
    """Declare, and not yet approve, a shared key whose owners have half an hour."""
    company, deployment = founded(tmp_path)
    found, secret = company.stolen("aws_iam_access_key")
    found = replace(found, custody=replace(found.custody, shared=True, contact="a@acme.test, b@acme.test"))
    plan = ask_owners(make([found], (), PLAYBOOKS, {}), [found], Ownership(DEADLINE_S), severity=Severity.HIGH)
    now = company.world.now()
    incident = Incident("inc-1", "shared", Severity.HIGH, detected_at=now, declared_at=now)
    deployment.enrolment.declare(incident, plan, {found.ref: secret}, {found.ref: found.exposures}, by="test")
    return company, deployment, found, secret, plan, now


def test_nothing_is_stopped_before_the_deadline_and_all_is_done_after_it(waiting):
    company, deployment, found, secret, plan, told_at = waiting
    company.world.wait_until(told_at + DEADLINE_S / 3)  # a person took some time to say yes
    deployment.enrolment.approve("inc-1", plan.digest, by="test")
    deployment.rest(patience_s=DEADLINE_S / 3)
    assert company.opens(found.ref, secret)
    [branch] = deployment.rows("branch")
    assert (branch["state"], branch["reason"], branch["due_at"]) == ("held", SCHEDULED, told_at + DEADLINE_S)
    assert deployment.steps()["keep"] == "done"  # what harms nobody did not wait
    [run] = deployment.record().runs
    [held] = [step for step in run.steps if step.waits_for_owner]
    assert (held.name, held.waits_for_owner) == ("contain", "shared; a@acme.test, b@acme.test")
    deployment.rest()
    assert not company.opens(found.ref, secret)
    [run] = deployment.record().runs
    assert run.run.dead_at is not None
    stop = next(step for step in run.steps if step.name == "contain")
    assert stop.intended_at == told_at + DEADLINE_S
    assert run.run.replaced_at is not None


def test_who_approves_after_the_deadline_waits_for_nobody(waiting):
    company, deployment, found, secret, plan, told_at = waiting
    company.world.wait_until(told_at + DEADLINE_S + 1)
    deployment.enrolment.approve("inc-1", plan.digest, by="test")
    deployment.rest(patience_s=60.0)
    assert not company.opens(found.ref, secret)


def test_a_person_lets_it_go_on_before(waiting):
    company, deployment, found, secret, plan, _ = waiting
    deployment.enrolment.approve("inc-1", plan.digest, by="test")
    deployment.rest(patience_s=60.0)
    assert company.opens(found.ref, secret)
    deployment.hands.release("inc-1.r1", "contain", "jo", "both owners said yes")
    deployment.rest(patience_s=60.0)
    assert not company.opens(found.ref, secret)


def test_the_owners_are_told_with_the_plan_and_until_when(waiting):
    _, deployment, _, _, _, told_at = waiting
    [told] = [each for each in deployment.rows("notice") if each["event"] == "owner_asked"]
    facts = json.loads(told["facts"])
    assert (told["at"], facts["deadline"], facts["credentials"]) == (told_at, told_at + DEADLINE_S, 1)
    assert facts["owners"] == ["shared; a@acme.test, b@acme.test"]


def raised(deployment, severity):
    present = deployment.enrolment.present("inc-1")
    nothing = replace(more_of(deployment, present, ()), severity=severity)
    return deployment.enrolment.add(present, nothing, by="ann")


def test_once_the_incident_is_critical_what_is_approved_waits_for_nobody_and_a_lower_one_changes_nothing(waiting):
    company, deployment, found, secret, plan, _ = waiting
    deployment.enrolment.approve("inc-1", plan.digest, by="test")
    deployment.rest(patience_s=DEADLINE_S / 3)
    assert company.opens(found.ref, secret)
    for lower in (Severity.LOW, Severity.HIGH, None):
        assert raised(deployment, lower).is_nothing
    assert raised(deployment, Severity.CRITICAL).freed == ("inc-1.r1",)
    deployment.rest(patience_s=60.0)
    assert not company.opens(found.ref, secret)
    assert deployment.record().incident.severity is Severity.CRITICAL
    told = [each for each in deployment.evidence("inc-1") if each["act"] == "raised"]
    assert [(each["was"], each["severity"], each["released"]) for each in told] == [("high", "critical", ["inc-1.r1"])]
    assert [row["event"] for row in deployment.rows("notice")].count("raised") == 1


def test_a_run_that_has_not_come_to_its_wait_yet_does_not_wait_either(waiting):
    company, deployment, found, secret, plan, _ = waiting
    deployment.enrolment.approve("inc-1", plan.digest, by="test")
    assert raised(deployment, Severity.CRITICAL).freed == ("inc-1.r1",)
    deployment.rest(patience_s=60.0)
    assert not company.opens(found.ref, secret)


def test_what_nobody_approved_waits_as_it_was_shown(waiting):
    company, deployment, found, secret, plan, _ = waiting
    assert raised(deployment, Severity.CRITICAL).freed == ()
    deployment.enrolment.approve("inc-1", plan.digest, by="test")
    deployment.rest(patience_s=DEADLINE_S / 3)
    assert company.opens(found.ref, secret)


def test_what_is_merged_into_one_makes_it_no_less_severe(waiting):
    company, deployment, *_ = waiting
    other = company.stolen("acme_api_token")[0]
    deployment.declare([other], incident="inc-2")
    raised(deployment, Severity.CRITICAL)
    deployment.enrolment.merge("inc-1", "inc-2", by="ann")
    assert deployment.record("inc-2").incident.severity is Severity.CRITICAL
