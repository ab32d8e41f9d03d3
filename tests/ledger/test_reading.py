"""What people read of the ledger is one truth: the live display, the report and the world agree at every moment."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rotator.credential import Leaked, Secret
from rotator.errors import BadInput, Rejected
from rotator.flow.playbook_words import Strategy
from rotator.flow.scope import Unresolved
from rotator.report.incident import build
from tests.fakes.company import KINDS
from tests.fakes.deployment import broken_chains

KEY = "aws_iam_access_key"
STATES = ("settling", "pending", "held", "manual", "failed", "dismissed", "let_in_again")


def counted(deployment, incident="inc-1"):
    progress = deployment.reading.progress(incident, deployment.world.now())
    told = {state: getattr(progress, state) for state in STATES}
    return {**told, "proven_dead": progress.dead, "stated_dead": progress.stated, "credentials": progress.credentials}


def reported(deployment, incident="inc-1"):
    return build(deployment.record(incident))["totals"]


@pytest.fixture
def mixed(house):
    """Declare an incident in which everything happens: whole, truncated and missing secrets, refusals, a manual one."""
    company, deployment = house
    found = []
    for number, kind in enumerate((*KINDS, KEY, KEY, KEY)):
        each, secret = company.stolen(kind, owner=f"owner-{number}")
        told = {4: Secret(secret.reveal()[:-3]), 5: None}.get(number, secret)
        found.append(replace(each, leaked=Leaked(id=each.ref.id, secret=told)))
    stubborn = found[6].ref.id

    def refuse(phase, what, _changes):
        if (phase, what, company.world.about) == ("before", "issuer.suspend", stubborn):
            raise Rejected("access_denied")

    company.world.meet = refuse
    manual = Unresolved(None, "fp:1", found[0].exposures, "no playbook", "write one")
    plan = deployment.declare(found, [manual], wanted=Strategy.CONTAIN_FIRST)
    return company, deployment, plan


def test_the_live_display_and_the_report_count_alike_at_every_moment(mixed):
    _, deployment, plan = mixed
    assert counted(deployment) == reported(deployment)
    deployment.enrolment.approve("inc-1", plan.digest, by="ann")
    worker = deployment.engine()
    seen = set()
    for _ in range(400):
        sent = deployment.due.take_due(1)
        for branch, _lane in sent:
            worker.advance(branch)
            totals = reported(deployment)
            assert counted(deployment) == totals
            assert sum(totals.values()) == 2 * totals["credentials"]
            seen |= {state for state, count in totals.items() if count}
        if not sent:
            deployment.world.wait_until(deployment.world.now() + 5)
    assert seen == {"credentials", "pending", "settling", "proven_dead", "stated_dead", "held", "failed", "manual"}
    assert broken_chains(deployment) == []


def test_nothing_is_busy_once_all_that_is_left_waits_for_a_person_or_a_day(mixed):
    _, deployment, plan = mixed
    deployment.enrolment.approve("inc-1", plan.digest, by="ann")
    assert deployment.reading.progress("inc-1", deployment.world.now()).busy
    deployment.rest(patience_s=3600)
    assert not deployment.reading.progress("inc-1", deployment.world.now()).busy
    totals = reported(deployment)
    assert (totals["proven_dead"], totals["stated_dead"], totals["held"]) == (4, 1, 1)
    assert (totals["failed"], totals["manual"]) == (1, 1)


def test_every_credential_is_in_the_record_with_where_it_was_seen(mixed):
    _, deployment, plan = mixed
    record = deployment.record()
    assert {each.run.ref for each in record.runs} == {run.ref for run in plan.runs}
    assert [each.exposures for each in record.runs] == [1] * len(plan.runs)
    assert [task.exposures for task in record.manual] == [1]
    assert [each.run.priority for each in record.runs] == sorted((run.priority for run in plan.runs), reverse=True)
    assert record.plan_digest == plan.digest


def test_an_incident_is_found_by_its_name_or_as_the_last(house):
    company, deployment = house
    with pytest.raises(BadInput, match="no incident yet"):
        deployment.reading.named("last")
    for number in (1, 2):
        stolen, _ = company.stolen(KEY, owner=f"owner-{number}")
        deployment.declare([stolen], incident=f"inc-{number}")
        company.world.wait_until(company.world.now() + 1)
    assert deployment.reading.named("last") == "inc-2"
    assert deployment.reading.named("inc-1") == "inc-1"
    assert [each.incident.id for each in deployment.reading.incidents()] == ["inc-2", "inc-1"]
    for call in (deployment.reading.named, deployment.reading.incident):
        with pytest.raises(BadInput, match="no such incident"):
            call("inc-3")


def test_what_an_earlier_run_replaces_is_known_by_its_whole_name(house):
    """The same id in two accounts is two credentials: the one must not hide the other."""
    company, deployment = house
    stolen, _ = company.stolen(KEY)
    places = stolen.custody.deliver
    elsewhere = replace(stolen.ref, connection="another-account")
    asked = ({stolen.ref: places, elsewhere: places}, {elsewhere: places, stolen.ref: places})
    assert [deployment.reading.answered(each) for each in asked] == [{}, {}]
    deployment.start([stolen], wanted=Strategy.CONTAIN_FIRST)
    assert [deployment.reading.answered(each) for each in asked] == [{stolen.ref: "inc-1.r1"}] * 2
    deployment.rest()
    assert [deployment.reading.answered(each) for each in asked] == [{stolen.ref: "inc-1.r1"}] * 2


def test_what_was_only_revoked_was_not_replaced(house):
    company, deployment = house
    stolen, _ = company.stolen(KEY)
    deployment.start([stolen], wanted=Strategy.REVOKE_ONLY)
    deployment.rest()
    assert deployment.reading.answered({stolen.ref: stolen.custody.deliver}) == {}


def test_totals_count_over_all_incidents(house):
    company, deployment = house
    for number in (1, 2):
        stolen, _ = company.stolen(KEY, owner=f"owner-{number}")
        deployment.start([stolen], incident=f"inc-{number}")
    deployment.rest(patience_s=3600)
    assert deployment.reading.totals() == [(KEY, "proven", 2)]
