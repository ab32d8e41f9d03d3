"""One mint per owner at a time, and nobody waits unseen for one that does not move."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from rotator.errors import BadInput, Uncertain
from rotator.flow.approval import Scope
from rotator.flow.playbook_words import Strategy
from rotator.ledger.approvals import Approvals
from rotator.ports.store import Place
from rotator.report.incident import build, exit_code
from tests.fakes.company import founded
from tests.fakes.deployment import broken_chains
from tests.ledger.test_revisions import leaked_again

KEY = "aws_iam_access_key"
OURS, THEIRS = "inc-1.r1", "inc-2.r1"
SOON = 3600.0
NO_CONNECTIONS = ()


@pytest.fixture
def house(tmp_path):
    company, deployment = founded(tmp_path)
    yield company, deployment
    deployment.database.close()


def two_stolen(company):
    """Steal both keys of one owner, each read from a place of its own."""
    first, _ = company.stolen(KEY)
    second, _ = company.stolen(KEY)
    place = Place("fake", "kv-2", "ci/other")
    company.outside.stores["kv-2"].put(place.name, json.dumps({"id": second.ref.id}))
    return first, replace(second, custody=replace(second.custody, deliver=(place,), consumers=()))


def state(deployment, run):
    [found] = [row for row in deployment.rows("branch") if row["run"] == run]
    return found["state"], found["reason"]


def test_a_legal_hold_with_a_full_quota_keeps_both_runs_visibly_held_and_nobody_polls(house):
    company, deployment = house
    first, second = two_stolen(company)
    plan = deployment.declare([first, second])
    deployment.gates.set("inc-1", "no_legal_hold", "m", "lawyers", is_open=False)
    deployment.enrolment.approve("inc-1", plan.digest, by="test")
    deployment.rest(patience_s=SOON)
    held = {("held", "gate: no_legal_hold")}
    assert {state(deployment, f"inc-1.r{number}") for number in (1, 2)} == held
    deployment.gates.set("inc-1", "no_legal_hold", "m", "all is copied", is_open=True)
    deployment.rest()
    record = deployment.record()
    assert {step.state.value for each in record.runs for step in each.steps} == {"done"}
    assert company.living(first.ref) == {each.run.replacement for each in record.runs}
    assert len(company.world.done("issuer.issue")) == 2
    assert deployment.rows("mint") == []
    assert broken_chains(deployment) == []


def test_what_replaces_a_leaked_replacement_waits_for_the_yes_that_makes_room_and_the_report_names_it(house):
    company, deployment = house
    first, _ = company.stolen(KEY)
    approvals = Approvals(deployment.database, deployment.enrolment, None, deployment.world.now)
    plan = deployment.declare([first])
    approvals.approve("inc-1", plan.digest, "test", frozenset({Scope.CONTAINMENT}))
    deployment.rest(patience_s=SOON)
    leaked, secret = leaked_again(company, deployment, OURS, first)
    plan = deployment.declare([leaked], incident="inc-2")
    approvals.approve("inc-2", plan.digest, "test", frozenset({Scope.CONTAINMENT}))
    deployment.rest(patience_s=SOON)
    assert not company.opens(leaked.ref, secret)  # to stop it waits for nothing
    assert state(deployment, THEIRS) == ("held", f"gate: destruction {plan.digest}")
    [told] = build(deployment.record("inc-2"))["credentials"]
    assert (told["state"], exit_code(build(deployment.record("inc-2")))) == ("proven_dead", 3)
    [waits] = told["next"]
    command = f"rotator approve inc-2 --digest {plan.digest} --scope destruction"
    assert (waits["step"], waits["command"]) == ("make_room", command)
    approvals.approve("inc-2", plan.digest, "test", frozenset({Scope.DESTRUCTION}))
    deployment.rest(patience_s=SOON)
    assert company.living(first.ref) == {deployment.record("inc-2").runs[0].run.replacement}


@pytest.fixture
def stopped(house):
    """Lose the answer to a mint of the first incident, stop that, and let another of the same owner come."""
    company, deployment = house
    company.aws = replace(company.aws, quota=None)
    company.outside.providers[KEY, "aws"].at = company.aws
    first, second = two_stolen(company)
    deployment.start([first], wanted=Strategy.CONTAIN_FIRST)

    def meet(phase, what, _changes):
        if (phase, what) == ("before", "issuer.issue"):
            company.world.meet = lambda *_: None
            deployment.stops.stop("inc-1", "ann", "the database is restored", NO_CONNECTIONS)
            raise Uncertain("lost")

    company.world.meet = meet
    deployment.rest(patience_s=SOON)
    deployment.start([second], wanted=Strategy.CONTAIN_FIRST, incident="inc-2")
    deployment.rest(patience_s=SOON)
    return company, deployment


def test_a_mint_that_waits_for_a_stopped_run_is_held_and_names_it(stopped):
    _, deployment = stopped
    held, reason = state(deployment, THEIRS)
    assert held == "held"
    assert OURS in reason
    assert "the database is restored" in reason
    assert deployment.steps(THEIRS)["issue"] == "held"
    assert deployment.due.wake_minting() == 0
    assert not deployment.due.busy_until(SOON)


def test_what_waits_for_a_stopped_mint_is_told_what_lets_that_go_on_and_so_is_its_undo(stopped):
    _, deployment = stopped
    [entry] = build(deployment.record("inc-2"))["credentials"]
    [waits] = entry["next"]
    assert [way["command"] for way in waits["ways"]] == [
        "rotator continue inc-1 --reason …",
        f"rotator run skip {THEIRS} issue --reason …",
    ]
    with pytest.raises(BadInput, match=r"it does not wait for its time .* \(rotator continue inc-1 --reason …\)"):
        deployment.hands.release(THEIRS, "issue", "ann", "go on")
    with pytest.raises(BadInput, match=r"issue is uncertain.*it is stopped: first rotator continue inc-1 --reason …"):
        deployment.hands.undoing(OURS, "contain")
    deployment.stops.lift("inc-1", "ann", "go on", NO_CONNECTIONS)
    with pytest.raises(BadInput, match=r"issue is uncertain.*look again in a moment"):
        deployment.hands.undoing(OURS, "contain")
    [waits] = build(deployment.record("inc-2"))["credentials"][0]["next"]
    assert waits["command"] == "rotator incident watch inc-2"


def test_it_goes_on_by_itself_when_the_other_does(stopped):
    company, deployment = stopped
    deployment.stops.lift("inc-1", "ann", "it is back", NO_CONNECTIONS)
    assert deployment.due.wake_minting() == 1
    deployment.rest()
    records = [deployment.record(name).runs[0] for name in ("inc-1", "inc-2")]
    assert {step.state.value for each in records for step in each.steps} == {"done"}
    assert company.living(records[0].run.ref) == {each.run.replacement for each in records}
    assert broken_chains(deployment) == []
