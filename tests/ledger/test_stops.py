"""What a person stops starts no call any more, moves nothing by itself, says so, and goes on where it was."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rotator.errors import BadInput
from rotator.flow.playbook_words import Strategy
from rotator.flow.scope import ConsumerAddress
from rotator.report.incident import build, exit_code
from tests.fakes.company import CONSUMER
from tests.fakes.consumer import FakeConsumer
from tests.fakes.deployment import broken_chains

KEY, TOKEN = "aws_iam_access_key", "acme_api_token"
CONNECTIONS = ("aws", "acme", "vault")


def stop(deployment, name=None, reason="the wrong plan"):
    return deployment.stops.stop(name, "ann", reason, CONNECTIONS)


def lift(deployment, name=None):
    return deployment.stops.lift(name, "ben", "it was the right one", CONNECTIONS)


def started(house):
    company, deployment = house
    found = [company.stolen(kind)[0] for kind in (KEY, TOKEN)]
    deployment.start(found, wanted=Strategy.REVOKE_ONLY)
    return company, deployment


def is_busy(deployment):
    return deployment.reading.progress("inc-1", deployment.world.now()).busy


def changed(company):
    with company.world.open() as state:
        return [entry["what"] for entry in state["log"]]


def states(deployment):
    return {step.state.value for run in deployment.record().runs for step in run.steps}


@pytest.mark.parametrize("name", [None, "inc-1", "last"])
def test_what_is_stopped_asks_nothing_of_anybody_until_it_goes_on_by_itself(house, name):
    company, deployment = started(house)
    stopped, waiting = stop(deployment, name)
    assert (waiting, stopped.by, is_busy(deployment)) == (2, "ann", False)
    deployment.rest()
    assert changed(company) == []
    assert states(deployment) == {"pending"}
    assert deployment.due.busy_until(60.0) is False
    report = build(deployment.record())
    assert exit_code(report) == 3
    assert {line for each in report["credentials"] for line in each["stopped"]} == {str(stopped)}
    assert report["incident"]["stops"][0]["command"].startswith("rotator continue")
    lift(deployment, name)
    assert is_busy(deployment)
    deployment.rest()
    assert states(deployment) == {"done"}
    assert [record["act"] for record in deployment.evidence("inc-1")] == [
        "declared",
        "approved",
        "stopped",
        "continued",
    ]
    assert broken_chains(deployment) == []


def test_a_stop_takes_hold_between_two_calls(house):
    company, deployment = started(house)
    seen = []

    def stop_once(phase, what, _changes):
        if phase == "before" and what.startswith("issuer."):
            seen.append(what)
            if len(seen) == 3:
                stop(deployment)

    company.world.meet = stop_once
    deployment.rest()
    assert len(seen) == 3  # the call that was on its way is the last one
    company.world.meet = lambda *_: None
    lift(deployment)
    deployment.rest()
    assert states(deployment) == {"done"}
    assert broken_chains(deployment) == []


@pytest.mark.parametrize("what", ["store.stage", "store.promote", "consumer.reload", "consumer.holding"])
def test_a_stopped_store_gets_nothing_more_between_two_calls_of_one_step(house, what):
    company, deployment = house
    second = f"{CONSUMER}-2"
    company.outside.consumers[second] = FakeConsumer(company.world, second)
    stolen, _ = company.stolen(KEY, places=("kv", "kv-2"))
    consumers = tuple(ConsumerAddress("fake", each) for each in (CONSUMER, second))
    deployment.start([replace(stolen, custody=replace(stolen.custody, consumers=consumers))])
    seen = []

    def stop_once(phase, this, _changes):
        if (phase, this) == ("after", what):
            seen.append(company.world.about)
            if len(seen) == 1:
                deployment.stops.stop("kv", "ann", "it is being restored", ["aws", "kv"])

    company.world.meet = stop_once
    deployment.rest(patience_s=3600)
    assert len(seen) == 1
    deployment.stops.lift("kv", "ann", "it is back", ["aws", "kv"])
    deployment.rest()
    assert states(deployment) == {"done"}
    assert len(set(seen)) == 2
    assert company.living(stolen.ref) == {deployment.record().runs[0].run.replacement}
    assert broken_chains(deployment) == []


def test_one_connection_is_stopped_and_the_others_go_on(house):
    company, deployment = started(house)
    assert stop(deployment, "acme")[1] == 1
    deployment.rest(patience_s=3600)
    by_kind = {run.run.kind: {step.state.value for step in run.steps} for run in deployment.record().runs}
    assert by_kind[TOKEN] == {"pending"}
    assert "done" in by_kind[KEY]
    assert not is_busy(deployment)
    report = {each["provider"]: each["stopped"] for each in build(deployment.record())["credentials"]}
    assert (report[KEY], len(report[TOKEN])) == ([], 1)
    assert "issuer.revoke" not in changed(company)


def test_what_is_scheduled_does_not_come_while_it_is_stopped(house):
    company, deployment = started(house)
    deployment.rest(patience_s=3600)
    stop(deployment)
    deployment.world.wait_until(deployment.world.now() + 8 * 86400)
    assert not is_busy(deployment)
    assert not deployment.due.busy_until(60.0)
    deployment.rest()
    assert "issuer.revoke" not in changed(company)
    assert exit_code(build(deployment.record())) == 3
    lift(deployment)
    deployment.rest()
    assert changed(company).count("issuer.revoke") == 2


def test_a_finished_incident_is_stopped_by_nothing(house):
    _, deployment = started(house)
    deployment.rest()
    stop(deployment)
    report = build(deployment.record())
    assert (exit_code(report), report["incident"]["stops"]) == (0, [])
    assert [record["act"] for record in deployment.evidence("inc-1")] == ["declared", "approved"]


def test_a_run_that_is_stopped_can_be_taken_back_and_waits_too(house):
    company, deployment = house
    deployment.start([company.stolen(KEY)[0]], wanted=Strategy.REVOKE_ONLY)
    deployment.rest(patience_s=3600)
    stop(deployment)
    run = "inc-1.r1"
    deployment.hands.undo(run, "contain", "ann", "the job broke", deployment.hands.undoing(run, "contain"))
    deployment.rest()
    assert "issuer.resume" not in changed(company)
    lift(deployment)
    deployment.rest()
    assert changed(company).count("issuer.resume") == 1


@pytest.mark.parametrize(
    ("act", "name", "said"),
    [
        (
            stop,
            None,
            r"everything is stopped by ann: the wrong plan \(already\) \(rotator continue --reason … lets it go",
        ),
        (stop, "inc--1", "did you mean `inc-1`"),
        (stop, "acm", "did you mean `acme`"),
        (stop, "zzz", "connections: acme, aws, vault"),
        (lift, "inc-1", "not stopped under this name .everything is stopped by ann: the wrong plan: rotator continue"),
        (lift, "zzz", "no incident or connection is called so"),
    ],
)
def test_what_cannot_be_stopped_or_let_go_on_is_told_in_one_line(house, act, name, said):
    _, deployment = started(house)
    stop(deployment)
    with pytest.raises(BadInput, match=said) as told:
        act(deployment, name)
    assert "\n" not in str(told.value)
    assert len(deployment.rows("stop")) == 1


def test_nothing_goes_on_that_was_not_stopped(house):
    _, deployment = started(house)
    with pytest.raises(BadInput, match="nothing is stopped"):
        lift(deployment)


def test_two_stops_hold_until_both_are_lifted(house):
    _, deployment = started(house)
    stop(deployment)
    stop(deployment, "aws")
    _, left = lift(deployment)
    assert [each.what for each in left] == ["connection aws"]
    assert [each.name for each in deployment.stops.in_force()] == ["aws"]
    deployment.rest(patience_s=3600)
    by_kind = {run.run.kind: {step.state.value for step in run.steps} for run in deployment.record().runs}
    assert by_kind[KEY] == {"pending"}
    assert "done" in by_kind[TOKEN]


def test_a_run_that_a_merge_moved_is_asked_about_where_it_is_now(house):
    company, deployment = house
    deployment.start([company.stolen(KEY)[0]])
    deployment.declare([company.stolen(TOKEN, owner="app")[0]], incident="inc-2")
    deployment.enrolment.merge("inc-2", "inc-1", by="ann")
    deployment.enrolment.approve("inc-1", deployment.record().plan_digest, by="bob")
    stop(deployment, "inc-1")
    [told] = deployment.stops.over("inc-2", "inc-2.r1")
    assert told.lifted_by == "rotator continue inc-1 --reason …"


def test_what_was_stopped_before_it_was_approved_says_so_and_how_it_goes_on(house):
    company, deployment = house
    deployment.declare([company.stolen(KEY)[0]], wanted=Strategy.REVOKE_ONLY)
    stopped, _ = stop(deployment, "inc-1")
    [told] = build(deployment.record())["incident"]["stops"]
    assert (told["what"], told["command"]) == (stopped.what, stopped.lifted_by)
    lift(deployment, "inc-1")
    assert build(deployment.record())["incident"]["stops"] == []
