"""What has moved on elsewhere, lives again, or is tried by itself: the report says so, and what a person does next."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from sqlalchemy import update

from rotator.credential import Leaked
from rotator.errors import BadInput, Unavailable
from rotator.flow.outcome import ATTEMPTS
from rotator.flow.playbook_words import Strategy
from rotator.flow.scope import ConsumerAddress
from rotator.flow.standing import LANDS_AFTER
from rotator.flow.step import LOST_AT
from rotator.flow.way_back import LOST_S
from rotator.ledger import tables
from rotator.report.clocks import moment
from rotator.report.incident import build
from rotator.report.terminal import incident_text
from tests.fakes.company import CONSUMER
from tests.ledger.test_hands import hold
from tests.report.test_shown import shown
from tests.report.test_ways import KEY, TOKEN, commands, text, told, truncated

HOUR = 3600


def undone(deployment, step="contain", run="inc-1.r1"):
    """Take back a run from a step on, and let that come to rest."""
    deployment.hands.undo(run, step, "ann", "the job broke", deployment.hands.undoing(run, step))
    deployment.rest(patience_s=HOUR)


def by_id(found):
    """Say of a stolen credential that a list named it: nobody has its secret."""
    return replace(found, leaked=Leaked(id=found.ref.id))


def test_an_open_item_that_another_incident_settled_says_which_and_what_comes_of_skipping_it(house):
    company, deployment = house
    stolen = truncated(company)
    deployment.start([stolen], wanted=Strategy.CONTAIN_FIRST)
    deployment.rest(patience_s=HOUR)
    [before] = told(deployment).values()
    assert before["settled_by"] == ""
    assert (
        "; and 7 days later it is destroyed for good (destroy); its death stays unproven"
        in before["next"][0]["ways"][1]["means"]
    )
    deployment.start([by_id(stolen)], wanted=Strategy.REVOKE_ONLY, incident="inc-2")
    deployment.rest(patience_s=HOUR)
    [entry] = told(deployment).values()
    assert entry["settled_by"] == "inc-2.r1"
    assert "; settled by inc-2.r1: stated dead there since 20" in entry["open"][0]
    assert commands(entry) == ["rotator report inc-2", "rotator run skip inc-1.r1 refused --reason …"]
    [shows, skips] = entry["next"][0]["ways"]
    assert shows["means"] == "shows that death; then skip it here"
    assert skips["means"].startswith("goes on: cut_again, issue, works, deliver, reload, converged")
    assert "7 days later it is destroyed for good (destroy)" in skips["means"]
    assert "see inc-2.r1" in text(deployment)
    deployment.hands.decide("inc-1.r1", "refused", skip=True, by="ann", reason="settled")
    deployment.rest(patience_s=HOUR)
    [after] = told(deployment).values()
    assert after["open"][0].startswith("settled by inc-2.r1: stated dead there since 20")
    assert commands(after) == ["rotator report inc-2"]


def test_what_lives_again_stands_on_top_with_what_stops_it_until_another_run_has(house):
    company, deployment = house
    stolen, secret = company.stolen(KEY)
    deployment.start([stolen], wanted=Strategy.REVOKE_ONLY)
    deployment.rest(patience_s=HOUR)
    assert build(deployment.record())["incident"]["alive_again"] == []
    undone(deployment)
    assert company.opens(stolen.ref, secret)
    assert [each.state for each in deployment.reading.incidents()] == ["alive again"]
    lines = text(deployment).splitlines()
    banner = (
        f"ALIVE AGAIN: {KEY} {stolen.ref.id} (inc-1.r1) was resumed by ann: the job broke; whoever has it can use it"
    )
    assert lines[1].startswith(banner)
    assert "Stop it again: rotator incident declare FILE --title …, and approve that" in lines[1]
    [entry] = told(deployment).values()
    [way] = entry["next"][0]["ways"]
    assert way["means"].startswith("stops it again once that is approved: FILE is the report, or a list")
    assert f"`{KEY},{stolen.ref.id}`" in way["means"]
    deployment.start([stolen], wanted=Strategy.REVOKE_ONLY, incident="inc-2")
    deployment.rest(patience_s=HOUR)
    assert not company.opens(stolen.ref, secret)
    assert [each.state for each in deployment.reading.incidents()] == ["all dead", "dead, 1 settled elsewhere"]
    [entry] = told(deployment).values()
    assert build(deployment.record())["incident"]["alive_again"] == []
    assert entry["open"][0].startswith("settled by inc-2.r1: proven dead there since 20")
    assert entry["next"][0]["ways"] == [
        {"command": "rotator report inc-2", "means": "shows that death; nothing is left to do here for its death"}
    ]


def test_what_is_to_be_resumed_is_not_called_alive_and_can_be_called_off(house):
    company, deployment = house
    stolen, secret = company.stolen(KEY)
    deployment.start([stolen], wanted=Strategy.REVOKE_ONLY)
    deployment.rest(patience_s=HOUR)
    deployment.stops.stop("inc-1", "bob", "wait", ())
    undone(deployment)
    [banner] = [line for line in text(deployment).splitlines() if "NOT YET ALIVE" in line][:1]
    assert banner.endswith(
        "(inc-1.r1) will be resumed by ann: the job broke (undo_contain, once nothing is stopped); to call it off: "
        "rotator run skip inc-1.r1 undo_contain --reason …"
    )
    assert "ALIVE AGAIN" not in text(deployment)
    deployment.hands.decide("inc-1.r1", "undo_contain", skip=True, by="ann", reason="no need")
    deployment.stops.lift("inc-1", "bob", "go on", ())
    deployment.rest(patience_s=HOUR)
    assert not company.opens(stolen.ref, secret)
    assert build(deployment.record())["incident"]["to_be_resumed"] == []


def test_who_ends_the_wait_for_a_lost_call_is_told_what_may_land_after_it(house):
    company, deployment = house
    stolen, _ = company.stolen(KEY)
    deployment.start([stolen], wanted=Strategy.REVOKE_ONLY)
    deployment.rest(patience_s=HOUR)
    with deployment.database.write() as connection:
        lost = update(tables.step).where(tables.step.c.name == "contain")
        connection.execute(lost.values(facts=json.dumps({LOST_AT: company.world.now()})))
    deployment.hands.undo("inc-1.r1", "contain", "ann", "it broke", deployment.hands.undoing("inc-1.r1", "contain"))
    deployment.rest(patience_s=1)
    [one] = build(deployment.record())["incident"]["to_be_resumed"]
    assert (one["at"], one["when"]) == (moment(company.world.now() + LOST_S), f"at {one['at']}")
    assert f"undo_contain --reason … (does it now; {LANDS_AFTER})" in text(deployment)
    assert LANDS_AFTER in deployment.hands.release("inc-1.r1", "undo_contain", "ann", "it must work now")


def test_a_death_from_before_it_was_seen_alive_settles_nothing(house):
    company, deployment = house
    stolen, secret = company.stolen(KEY)
    deployment.start([stolen], wanted=Strategy.REVOKE_ONLY)
    deployment.rest(patience_s=HOUR)
    company.outside.provider(stolen.ref).resume(stolen.ref)  # somebody else, at the issuer
    deployment.world.wait_until(deployment.world.now() + HOUR)
    assert company.opens(stolen.ref, secret)
    deployment.start([truncated_again(stolen)], wanted=Strategy.REVOKE_ONLY, incident="inc-2")
    deployment.rest(patience_s=HOUR)
    [entry] = told(deployment, "inc-2").values()
    assert entry["open"]
    assert entry["settled_by"] == ""


def truncated_again(found):
    """Have another report of it, in which its secret was cut short."""
    whole = found.leaked.secret
    return replace(found, leaked=Leaked(id=found.ref.id, secret=type(whole)(whole.reveal()[:-3])))


class Silent:
    """A consumer that nobody can reach."""

    name = "http://silent"

    def reload(self, _notice):
        raise Unavailable("consumer_unreachable")


def test_what_is_tried_by_itself_says_until_when_where_and_what_one_can_do_then(house):
    company, deployment = house
    company.outside.consumers["http://silent"] = Silent()
    stolen, _ = company.stolen(TOKEN)
    custody = replace(stolen.custody, consumers=(ConsumerAddress("webhook", "http://silent"),))
    deployment.start([replace(stolen, custody=custody)], wanted=Strategy.CONTAIN_FIRST)
    deployment.rest(patience_s=300)
    [entry] = told(deployment).values()
    [one] = entry["trying"]
    [step] = [each for each in entry["steps"] if each["id"] == "reload"]
    assert (one["step"], step["state"]) == ("reload", "pending")
    said = text(deployment)
    assert "reload: pending (consumer_unreachable" in said
    until = f"it is tried again by itself until {one['until'][11:19]}Z, at http://silent, as the plan has it"
    assert f"{until} (a change of the configuration does not reach it); then it waits for you" in said
    assert "then it waits for you: rotator run skip inc-1.r1 reload --reason …" in said


def test_until_when_it_is_tried_counts_what_the_issuer_asked_for_and_how_often_it_was_and_a_stop(house):
    company, deployment = house
    stolen, _ = company.stolen(KEY)

    def meet(phase, what, _changes):
        if (phase, what) == ("before", "issuer.issue"):
            raise Unavailable("throttled", retry_after=HOUR)

    company.world.meet = meet
    deployment.start([stolen], wanted=Strategy.CONTAIN_FIRST)
    for attempts in range(1, ATTEMPTS):
        deployment.rest(patience_s=HOUR / 2)
        [entry] = told(deployment).values()
        [one] = entry["trying"]
        [due] = [each["due_at"] for each in deployment.rows("branch") if each["state"] == "open"]
        assert one["until"] == moment(due)
        assert one["told"] == f"and 4 times at least ({attempts} so far)"
        assert f"Z, {one['told']}; then it waits for you: {one['then']}" in text(deployment)
        deployment.stops.stop(None, "ann", "look first", ())
        [entry] = told(deployment).values()
        assert entry["trying"] == []
        with pytest.raises(BadInput, match="it is stopped: first rotator continue --reason …"):
            deployment.hands.decide("inc-1.r1", "issue", skip=True, by="ann", reason="go on")
        deployment.stops.lift(None, "ann", "go on", ())
        deployment.world.wait_until(due)
    deployment.rest(patience_s=HOUR / 2)
    assert deployment.steps()["issue"] == "failed"
    [entry] = told(deployment).values()
    assert entry["trying"] == []
    assert deployment.hands.decide("inc-1.r1", "issue", skip=True, by="ann", reason="go on") == 1


def test_a_destruction_that_was_left_out_is_not_said_to_have_shown_nothing(house):
    company, deployment = house
    deployment.start([company.stolen(KEY)[0]], wanted=Strategy.REVOKE_ONLY)
    deployment.rest(patience_s=HOUR)
    deployment.hands.decide("inc-1.r1", "destroy", skip=True, by="ann", reason="the police want it")
    deployment.rest(patience_s=HOUR)
    said = text(deployment).partition("Said by people:")[2]
    assert (
        "destroy was skipped: it is not destroyed: whoever has the rights can resume what is only suspended; ann"
        in said
    )
    assert "shown" not in said


def test_where_nothing_runs_that_would_destroy_it_the_report_says_what_must(house):
    company, deployment = house
    deployment.start([company.stolen(KEY)[0]], wanted=Strategy.REVOKE_ONLY)
    assert deployment.reading.scheduled() == (0, None)
    deployment.rest(patience_s=HOUR)
    count, first = deployment.reading.scheduled()
    assert (count, round((first - deployment.world.now()) / 86400)) == (1, 7)
    line = "keep this running, or start it then: rotator up"
    alone = build(deployment.record(), unattended=True)
    assert shown(incident_text(alone)).partition("Scheduled:")[2].count(line) == 1
    assert line not in text(deployment)


def test_consumers_with_a_value_that_is_refused_are_helped_by_the_undo_that_is_named(house):
    company, deployment = house
    stolen, secret = company.stolen(KEY)
    deployment.start([stolen], wanted=Strategy.CONTAIN_FIRST)
    deployment.rest(patience_s=HOUR)
    undone(deployment, "deliver")
    [entry] = told(deployment).values()
    assert any(each.startswith("consumers were given back what has no name here") for each in entry["open"])
    declare, *undoes = commands(entry)
    assert declare == "rotator incident declare FILE --title …"
    assert undoes == [f"rotator run undo inc-1.r1 {step} --reason …" for step in ("contain", "issue")]
    assert entry["next"][0]["ways"][2]["means"] == f"takes {entry['replacement']} away again, which nobody holds"
    undone(deployment)
    assert company.opens(stolen.ref, secret)


def test_who_was_given_back_a_refused_value_is_given_another_first_and_no_stolen_one_once_he_has_it(house):
    company, deployment = house
    stolen, secret = company.stolen(KEY)
    hold(company, stolen, secret)
    deployment.start([stolen], wanted=Strategy.CONTAIN_FIRST)
    deployment.rest(patience_s=HOUR)
    undone(deployment, "deliver")
    [entry] = told(deployment).values()
    first, second, *_ = [way for one in entry["next"] for way in one["ways"]]
    assert first["command"] == "rotator incident declare FILE --title …"
    assert first["means"].startswith("gives them another once that is approved: FILE is the report, or a list")
    assert second["command"] == "rotator run undo inc-1.r1 contain --reason …"
    deployment.start([by_id(stolen)], wanted=Strategy.CONTAIN_FIRST, incident="inc-2")
    deployment.rest(patience_s=HOUR)
    assert company.holders()[CONSUMER] == told(deployment, "inc-2")["inc-2.r1"]["replacement"]
    [entry] = told(deployment).values()
    assert not any("contain" in each for each in commands(entry))
    assert any(each.endswith("; inc-2.r1 has delivered there since") for each in entry["open"])


def test_a_replacement_that_an_undo_leaves_alive_is_named_before_and_after_that_is_through(house):
    company, deployment = house
    stolen, secret = company.stolen(KEY)
    hold(company, stolen, secret)
    deployment.start([stolen], wanted=Strategy.CONTAIN_FIRST)
    deployment.rest(patience_s=HOUR)
    deployment.stops.stop("inc-1", "bob", "wait", ())
    undone(deployment, "deliver")
    [entry] = told(deployment).values()
    made = entry["replacement"]
    assert f"its replacement {made} lives; it can be revoked once the undo is through" in entry["open"]
    deployment.stops.lift("inc-1", "bob", "go on", ())
    deployment.rest(patience_s=HOUR)
    [entry] = told(deployment).values()
    assert any(f"{made} was issued and nobody holds it" in each for each in entry["open"])
    assert commands(entry)[-1] == "rotator run undo inc-1.r1 issue --reason …"
