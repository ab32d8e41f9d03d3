"""An incident is closed once nothing of it is open, or somebody says that it may be; then nothing is added to it."""

from __future__ import annotations

import pytest

from rotator.errors import BadInput, NotAllowed
from rotator.flow.approval import Person, Policy, Role
from rotator.flow.exposure import Disposition
from rotator.flow.playbook_words import Strategy
from rotator.ledger.closing import Closing
from rotator.report.closing import left
from rotator.report.incident import build, exit_code
from tests.fakes.company import founded
from tests.fakes.deployment import broken_chains
from tests.ledger.test_approvals import CONTAINMENT, DESTRUCTION, ruled
from tests.ledger.test_reading import KEY, mixed
from tests.ledger.test_revisions import added, approve

TOKEN = "acme_api_token"
ALONE = Strategy.REVOKE_ONLY
__all__ = ["mixed"]


@pytest.fixture
def house(tmp_path):
    return founded(tmp_path)


def closing_of(deployment, policy=None, look=None):
    look = look or (lambda incident: left(deployment.record(incident)))
    return Closing(deployment.database, look, policy, deployment.world.now)


def closed_at(deployment):
    return {row["id"]: row["closed_at"] for row in deployment.rows("incident")}


def told(deployment):
    return [row["event"] for row in deployment.rows("notice")]


def test_what_is_dead_is_closed_and_what_is_scheduled_still_comes(house):
    company, deployment = house
    deployment.start([company.stolen(KEY)[0]], wanted=ALONE)
    closing = closing_of(deployment)
    refused = closing.close("inc-1", "ann", "done")
    assert (refused.is_closed, refused.first) == (False, ("something of it is at work: rotator incident watch inc-1",))
    deployment.rest(patience_s=3600)
    outcome = closing.close("inc-1", "ann", "done")
    assert (outcome.is_closed, outcome.left.open, outcome.left.scheduled) == (True, (), 1)
    report = build(deployment.record())
    assert [report["incident"][name] for name in ("closed_by", "closed_reason")] == ["ann", "done"]
    assert exit_code(report) == 0
    assert [each.state for each in deployment.reading.incidents()] == ["closed"]
    deployment.rest()
    assert deployment.steps()["destroy"] == "done"
    assert deployment.evidence("inc-1")[-1]["act"] == "closed"
    assert told(deployment)[-1] == "closed"
    assert broken_chains(deployment) == []


def test_nothing_of_a_closed_one_is_added_approved_merged_or_opened_until_it_is_opened_again(house):
    company, deployment = house
    first, second, other = (company.stolen(TOKEN, owner=f"o{number}")[0] for number in range(3))
    deployment.start([first, second], wanted=ALONE)
    deployment.dismissing.dismiss("inc-1", "inc-1.r2", Disposition.CANARY, "ann", "bait")
    deployment.rest()
    deployment.declare([other], wanted=ALONE, incident="inc-2")
    closing = closing_of(deployment)
    present = deployment.enrolment.present("inc-1")
    assert present.incident == "inc-1"
    assert closing.close("inc-1", "ann", "done").is_closed
    for refused in (
        lambda: added(deployment, other),
        lambda: deployment.enrolment.merge("inc-2", "inc-1", by="ann"),
        lambda: deployment.enrolment.merge("inc-1", "inc-2", by="ann"),
        lambda: deployment.enrolment.approve("inc-1", "0" * 16, by="ann"),
        lambda: deployment.dismissing.reopen("inc-1", "inc-1.r2", "ann", "I erred"),
        lambda: closing.close("inc-1", "ann", "again"),
    ):
        if refused is not None:
            with pytest.raises(BadInput, match="rotator incident reopen inc-1"):
                refused()
    closing.reopen("inc-1", "bob", "there is more")
    with pytest.raises(BadInput, match="it is not closed"):
        closing.reopen("inc-1", "bob", "again")
    assert deployment.record().closed_by is None
    added(deployment, other)
    assert approve(deployment)
    deployment.rest()
    assert closing.close("inc-1", "ann", "done").is_closed
    acts = [each["act"] for each in deployment.evidence("inc-1")]
    assert [each for each in acts if each in {"closed", "reopened"}] == ["closed", "reopened", "closed"]


def test_what_is_open_keeps_it_open_unless_somebody_takes_that_upon_himself(house):
    company, deployment = house
    deployment.declare([company.stolen(TOKEN)[0]], wanted=ALONE)
    closing = closing_of(deployment)
    refused = closing.close("inc-1", "ann", "a mistake")
    assert not refused.is_closed
    assert refused.left.open[0][0] == "inc-1.r1"
    assert set(closed_at(deployment).values()) == {None}
    assert closing.close("inc-1", "ann", "a mistake", accept_open=True).is_closed
    assert deployment.evidence("inc-1")[-1]["open"] == ["inc-1.r1"]
    assert [each.state for each in deployment.reading.incidents()] == ["closed, not approved"]
    assert exit_code(build(deployment.record())) == 3


def test_a_destruction_that_nobody_may_approve_any_more_keeps_it_open(house):
    deployment, say, _, plan = ruled(house)
    say("ann")
    deployment.rest(patience_s=3600)
    closing = closing_of(deployment)
    [(run, line)] = closing.close("inc-1", "ann", "done").left.open
    assert run == "inc-1.r1"
    assert f"rotator approve inc-1 --digest {plan.digest} --scope destruction" in line
    say("ann", DESTRUCTION)
    assert closing.close("inc-1", "ann", "done").is_closed
    with pytest.raises(BadInput, match="it is closed"):
        say("bob", DESTRUCTION)


def test_a_review_comes_before_it_whatever_is_accepted(house):
    deployment, say, _, _ = ruled(house)
    say("rex", CONTAINMENT, glass="2 am")
    deployment.rest(patience_s=3600)
    outcome = closing_of(deployment).close("inc-1", "ann", "done", accept_open=True)
    assert (outcome.is_closed, len(outcome.first)) == (False, 1)
    assert "rotator review inc-1 --note" in outcome.first[0]


def test_who_may_approve_nothing_closes_nothing(house):
    company, deployment = house
    deployment.start([company.stolen(TOKEN)[0]], wanted=ALONE)
    deployment.rest()
    people = {"ann": Role.APPROVER, "rex": Role.RESPONDER}
    policy = Policy({name: Person(name, frozenset({role})) for name, role in people.items()})
    closing = closing_of(deployment, policy)
    for who in ("rex", "eve"):
        with pytest.raises(NotAllowed, match=f"{who} may approve nothing here"):
            closing.close("inc-1", who, "done")
    assert closing.close("inc-1", "ann", "done").is_closed


def test_what_was_merged_into_it_is_closed_and_opened_with_it_and_never_alone(house):
    company, deployment = house
    for number in (1, 2):
        deployment.start([company.stolen(TOKEN, owner=f"o{number}")[0]], wanted=ALONE, incident=f"inc-{number}")
    deployment.rest()
    deployment.enrolment.merge("inc-2", "inc-1", by="ann")
    closing = closing_of(deployment)
    for act in (closing.close, closing.reopen):
        with pytest.raises(BadInput, match="merged into inc-1"):
            act("inc-2", "ann", "done")
    assert closing.close("inc-1", "ann", "done").is_closed
    assert None not in closed_at(deployment).values()
    assert deployment.evidence("inc-2")[-1] | {"act": "closed", "with": "inc-1"} == deployment.evidence("inc-2")[-1]
    closing.reopen("inc-1", "ann", "more")
    assert set(closed_at(deployment).values()) == {None}
    assert broken_chains(deployment) == []


def test_what_moves_while_it_is_looked_at_is_not_closed_unseen(house):
    company, deployment = house
    first, more = (company.stolen(TOKEN, owner=f"o{number}")[0] for number in range(2))
    deployment.start([first], wanted=ALONE)
    deployment.rest()

    def look(incident):
        seen = left(deployment.record(incident))
        added(deployment, more)
        return seen

    with pytest.raises(BadInput, match="it moved on"):
        closing_of(deployment, look=look).close("inc-1", "ann", "done")
    assert set(closed_at(deployment).values()) == {None}


def test_it_is_closed_without_more_where_the_exit_code_says_that_nothing_is_open_and_nowhere_else(mixed):
    _, deployment, plan = mixed
    assert left(deployment.record()).open
    deployment.enrolment.approve("inc-1", plan.digest, by="ann")
    worker = deployment.engine()
    for _ in range(400):
        sent = deployment.due.take_due(1)
        for branch, _lane in sent:
            worker.advance(branch)
            record = deployment.record()
            of = {run for run, _ in left(record).open}
            open_ones = {each["run"] for each in build(record)["credentials"] if each["state"] != "proven_dead"}
            assert open_ones <= of
            assert (exit_code(build(record)) == 0) == (not of)
        if not sent:
            deployment.world.wait_until(deployment.world.now() + 5)
