"""What is resumed lives in every incident: each that counts it dead is told, and its schedule is warned of."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import update

from rotator.errors import BadInput, Unavailable
from rotator.flow.playbook_words import Strategy
from rotator.flow.proof import Evidence
from rotator.flow.run import StepState
from rotator.flow.standing import still_open
from rotator.ledger import tables
from rotator.report.incident import build
from tests.fakes.deployment import WEEK, broken_chains
from tests.ledger.test_hands import hold, undone

TOKEN = "acme_api_token"


@pytest.fixture
def twice(house):
    """Answer a token in two incidents: replaced in the first, only proven dead in the second."""
    company, deployment = house
    stolen, secret = company.stolen(TOKEN)
    hold(company, stolen, secret)
    deployment.start([stolen])
    deployment.rest(patience_s=3600)
    deployment.start([replace(stolen, custody=replace(stolen.custody, deliver=(), consumers=()))], incident="inc-2")
    deployment.rest(patience_s=3600)
    return company, deployment, stolen, secret


def run_of(deployment, incident):
    [record] = deployment.record(incident).runs
    return record


def test_what_another_incident_counts_dead_lives_again_and_both_say_so(twice):
    company, deployment, stolen, secret = twice
    # The second one found it refused already: stated, and its own destruction is scheduled.
    assert run_of(deployment, "inc-2").run.evidence is Evidence.STATED
    [destroy] = [step for step in run_of(deployment, "inc-2").steps if step.name == "destroy"]
    shown = deployment.hands.undoing("inc-1.r1", "contain")
    assert any("incident inc-2 counts it dead (inc-2.r1)" in each for each in shown.warnings)
    [strikes] = [each for each in shown.warnings if "destruction in incident inc-2" in each]
    assert "is scheduled for 20" in strikes
    assert "rotator run skip inc-2.r1 destroy --reason … calls it off" in strikes
    undone(deployment, "contain")
    found = run_of(deployment, "inc-2")
    assert (found.run.evidence, found.run.dead_at, found.run.contained_at) == (Evidence.NONE, None, None)
    [told] = [each for each in deployment.evidence("inc-2") if each["act"] == "revived"]
    assert (told["run"], told["by"], told["reason"]) == ("inc-2.r1", "ann", "the job broke")
    assert told["because"] == "inc-1.r1 was undone from contain on, which resumes it"
    assert {row["open"] for row in deployment.rows("reach")} <= {1}
    deployment.rest(patience_s=3600)
    [banner] = build(deployment.record("inc-2"))["incident"]["alive_again"]
    assert (banner["run"], banner["why"]) == ("inc-2.r1", "ann: the job broke (inc-1.r1)")
    assert banner["command"] == "rotator incident declare FILE --title …"
    assert {each.state for each in deployment.reading.incidents()} == {"alive again"}
    [entry] = build(deployment.record("inc-2"))["credentials"]
    assert any(
        each.startswith("ALIVE AGAIN: it was resumed by inc-1.r1 (ann: the job broke)") for each in entry["open"]
    )
    deployment.hands.decide("inc-2.r1", "destroy", skip=True, by="ann", reason="as I was told")
    deployment.rest(patience_s=2 * WEEK)
    assert destroy.state is StepState.HELD
    assert company.opens(stolen.ref, secret)
    assert any("not proven dead" in each for each in still_open(run_of(deployment, "inc-2").run, found.steps))
    assert broken_chains(deployment) == []


def test_nothing_is_revived_under_the_hands_of_a_worker(twice):
    _, deployment, _, _ = twice
    with deployment.database.write() as connection:
        connection.execute(update(tables.branch).where(tables.branch.c.run == "inc-2.r1").values(holder="worker-9"))
    with pytest.raises(BadInput, match=r"inc-2.r1, of the same credential: a worker is at work|a worker is at work"):
        undone(deployment, "contain")
    assert run_of(deployment, "inc-1").run.evidence is Evidence.PROVEN
    assert [each["act"] for each in deployment.evidence("inc-1")] == ["declared", "approved"]


def test_what_another_incident_comes_to_meanwhile_is_looked_at_again(twice):
    _, deployment, _, _ = twice
    shown = deployment.hands.undoing("inc-1.r1", "contain")
    deployment.hands.decide("inc-2.r1", "destroy", skip=True, by="bob", reason="no need")
    with pytest.raises(BadInput, match="moved on"):
        deployment.hands.undo("inc-1.r1", "contain", "ann", "why not", shown)


def test_another_accounts_credential_of_that_name_is_another(twice):
    _, deployment, _, _ = twice
    with deployment.database.write() as connection:
        other = update(tables.run).where(tables.run.c.id == "inc-2.r1")
        connection.execute(other.values(connection="acme-eu"))
    assert deployment.hands.undoing("inc-1.r1", "contain").elsewhere == ()
    with deployment.database.write() as connection:
        connection.execute(update(tables.branch).values(account="http/4711"))
    assert [each.run for each in deployment.hands.undoing("inc-1.r1", "contain").elsewhere] == ["inc-2.r1"]
    assert deployment.hands.undoing("inc-1.r1", "deliver").elsewhere == ()


@pytest.fixture
def stopped_elsewhere(house):
    """Deliver in one incident, stop it there before it retires the old key, and have another incident suspend that."""
    company, deployment = house
    stolen, secret = company.stolen("aws_iam_access_key")
    hold(company, stolen, secret)

    def halt(phase, what, _changes):
        if phase == "after" and what.startswith("store.promote"):
            company.world.meet = lambda *_: None
            deployment.stops.stop("inc-1", "ann", "wait", ())

    company.world.meet = halt
    deployment.start([stolen], wanted=Strategy.REPLACE_FIRST)
    deployment.rest(patience_s=3600)
    deployment.start([stolen], wanted=Strategy.REVOKE_ONLY, incident="inc-2")
    deployment.rest(patience_s=3600)
    deployment.stops.lift("inc-1", "ann", "go", ())
    return company, deployment, stolen, secret


def test_who_gives_back_what_another_incident_has_stopped_is_warned_and_the_report_says_so(stopped_elsewhere):
    company, deployment, stolen, secret = stopped_elsewhere
    shown = deployment.hands.undoing("inc-1.r1", "deliver")
    assert shown.strands
    [refused] = shown.warnings
    assert refused == (
        "consumers get back a credential that is refused: to resume it, undo the step that stopped it "
        "(in inc-2.r1, of another incident)"
    )
    undone(deployment, "deliver")
    deployment.rest(patience_s=3600)
    assert not company.opens(stolen.ref, secret)
    [entry] = build(deployment.record("inc-1"))["credentials"]
    [line] = [each for each in entry["open"] if each.startswith("consumers were given back")]
    assert line == (
        f"consumers were given back {stolen.ref.id}, which is refused: give them another, or undo the step that "
        "stopped it (in inc-2.r1)"
    )
    commands = [way["command"] for one in entry["next"] for way in one["ways"]]
    assert "rotator run undo inc-2.r1 contain --reason …" in commands
    # Once that is taken back, consumers hold what works.
    undone(deployment, "contain", "inc-2.r1")
    deployment.rest(patience_s=3600)
    assert company.opens(stolen.ref, secret)
    [entry] = build(deployment.record("inc-1"))["credentials"]
    assert not [each for each in entry["open"] if each.startswith("consumers were given back")]
    assert broken_chains(deployment) == []


@pytest.fixture
def overtaken(house):
    """Throttle the resume of an undo until another incident has stopped the credential again."""
    company, deployment = house
    stolen, secret = company.stolen(TOKEN)
    stolen = replace(stolen, custody=replace(stolen.custody, reads=("kv",)))
    deployment.start([stolen], wanted=Strategy.REVOKE_ONLY)
    deployment.rest(patience_s=3600)

    def throttle(phase, what, _changes):
        if (phase, what) == ("before", "issuer.resume"):
            raise Unavailable("throttled", "slow down", retry_after=60.0)

    company.world.meet = throttle
    undone(deployment, "contain")
    deployment.rest(patience_s=1)
    company.world.meet = lambda *_: None
    deployment.start([stolen], wanted=Strategy.REVOKE_ONLY, incident="inc-2")
    deployment.rest(patience_s=3600)
    [step] = [step for step in run_of(deployment, "inc-1").steps if step.name == "undo_contain"]
    assert (step.state, step.reason) == (
        StepState.HELD,
        "answered elsewhere: inc-2.r1 stopped it again, or is about to",
    )
    assert run_of(deployment, "inc-2").run.evidence is Evidence.STATED
    assert not company.opens(stolen.ref, secret)
    return company, deployment, lambda: company.opens(stolen.ref, secret)


def test_a_resume_that_another_incident_overtook_is_a_persons_who_then_has_it_live_everywhere(overtaken):
    _, deployment, opens = overtaken
    assert {row["open"] for row in deployment.rows("reach")} == {0}
    deployment.hands.decide("inc-1.r1", "undo_contain", skip=False, by="ann", reason="the job matters more")
    found = run_of(deployment, "inc-2")
    assert (found.run.evidence, found.run.dead_at, found.run.contained_at) == (Evidence.NONE, None, None)
    assert {row["open"] for row in deployment.rows("reach")} == {tables.LIVES}
    [told] = [each for each in deployment.evidence("inc-2") if each["act"] == "revived"]
    assert (told["by"], told["because"]) == ("ann", "inc-1.r1 undo_contain resumes it all the same")
    deployment.rest(patience_s=3600)
    assert opens()
    assert any("not proven dead" in each for each in still_open(found.run, found.steps))
    assert broken_chains(deployment) == []


def test_a_resume_that_another_incident_overtook_is_called_off_and_its_death_stands(overtaken):
    _, deployment, opens = overtaken
    deployment.hands.decide("inc-1.r1", "undo_contain", skip=True, by="ann", reason="it was stopped again")
    deployment.rest(patience_s=3600)
    assert not opens()
    assert run_of(deployment, "inc-2").run.evidence is Evidence.STATED
    assert run_of(deployment, "inc-1").run.evidence is Evidence.STATED  # its own knock saw it too


def test_nobody_resumes_it_all_the_same_under_the_hands_of_a_worker(overtaken):
    _, deployment, _ = overtaken
    with deployment.database.write() as connection:
        connection.execute(update(tables.branch).where(tables.branch.c.run == "inc-2.r1").values(holder="worker-9"))
    with pytest.raises(BadInput, match="a worker is at work"):
        deployment.hands.decide("inc-1.r1", "undo_contain", skip=False, by="ann", reason="the job matters more")
    assert run_of(deployment, "inc-2").run.evidence is Evidence.STATED
