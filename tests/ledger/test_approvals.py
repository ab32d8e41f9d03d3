"""A plan begins once enough people said so, what destroys waits for its own yes, and all of it is evidence."""

from __future__ import annotations

import json

import pytest

from rotator.errors import BadInput, NotAllowed
from rotator.flow.approval import BOTH, Person, Policy, Role, Scope
from rotator.flow.exposure import Disposition
from rotator.flow.playbook_words import Strategy
from rotator.ledger.approvals import Approvals
from rotator.ledger.enrolment import Enrolment
from rotator.ledger.reading import Reading
from rotator.report.incident import build, exit_code
from tests.fakes.deployment import SEAL, WEEK, broken_chains
from tests.ledger.test_revisions import more_of

CONTAINMENT, DESTRUCTION = frozenset({Scope.CONTAINMENT}), frozenset({Scope.DESTRUCTION})
PEOPLE = {
    "ann": Role.APPROVER,
    "bob": Role.APPROVER,
    "cyd": Role.ADMIN,
    "rex": Role.RESPONDER,
    "test": Role.APPROVER,
    "vic": Role.VIEWER,
}


def ruled(house, kind="aws_iam_access_key", **rule):
    """Declare one stolen credential, as `test`, under a rule of approval."""
    company, deployment = house
    people = {name: Person(name, frozenset({role})) for name, role in PEOPLE.items()}
    policy = Policy(people, **rule)
    deployment.enrolment = Enrolment(
        deployment.database,
        SEAL,
        deployment.world.now,
        consent=lambda *asked: deployment.approvals.consent(*asked),  # noqa: PLW0108 - they are made after it
    )
    deployment.approvals = Approvals(deployment.database, deployment.enrolment, policy, deployment.world.now)
    deployment.reading = Reading(deployment.database, policy)
    stolen, secret = company.stolen(kind)
    plan = deployment.declare([stolen], wanted=Strategy.REVOKE_ONLY)

    def say(who, scopes=CONTAINMENT, glass=""):
        return deployment.approvals.approve("inc-1", plan.digest, who, scopes, glass)

    def opens():
        return company.opens(stolen.ref, secret)

    return deployment, say, opens, plan


def gate_of(plan):
    return f"gate: destruction {plan.digest}"


def reported(deployment):
    return build(deployment.record())


def test_two_others_say_yes_and_only_then_it_begins(house):
    deployment, say, opens, _ = ruled(house, approvals=2)
    with pytest.raises(NotAllowed, match="four eyes"):
        say("test")
    with pytest.raises(NotAllowed, match="viewer"):
        say("vic")
    first = say("ann")
    assert (first.is_new, first.begins) == (True, False)
    assert "containment wants 1 more approval by bob, cyd" in str(first.wanted[0])
    assert not say("ann").is_new
    deployment.rest(patience_s=3600)
    assert opens()
    assert say("bob").begins
    deployment.rest(patience_s=3600)
    assert not opens()
    assert [each["act"] for each in deployment.evidence("inc-1")] == ["declared", "said_yes", "said_yes", "approved"]
    assert broken_chains(deployment) == []


def test_destruction_waits_for_its_own_yes_however_long_that_takes(house):
    deployment, say, opens, plan = ruled(house)
    say("ann")
    deployment.rest(patience_s=2 * WEEK)
    assert (deployment.steps()["destroy"], opens()) == ("held", False)
    report = reported(deployment)
    [entry] = report["credentials"]
    command = f"rotator approve inc-1 --digest {plan.digest} --scope destruction"
    assert ([each["command"] for each in entry["next"]], exit_code(report)) == ([command], 3)
    with pytest.raises(BadInput, match="no hand sets this gate"):
        deployment.gates.set("inc-1", f"destruction {plan.digest}", "ann", "go", is_open=True)
    with pytest.raises(BadInput, match="there is nothing to do again"):
        deployment.hands.decide("inc-1.r1", "destroy", skip=False, by="ann", reason="go on")
    with pytest.raises(NotAllowed, match="four eyes"):
        say("test", DESTRUCTION)
    assert say("ann", DESTRUCTION).destroys
    deployment.rest(patience_s=2 * WEEK)
    assert set(deployment.steps().values()) == {"done"}
    assert exit_code(reported(deployment)) == 0
    assert broken_chains(deployment) == []


def test_people_are_told_what_to_type_for_the_yes_that_is_still_wanted(house):
    deployment, say, _, plan = ruled(house, approvals=2)
    told = lambda: json.loads(deployment.rows("notice")[-1]["facts"])  # noqa: E731
    say("ann")
    assert (told()["by"], told()["of"]) == ("ann", ["bob", "cyd"])
    assert "command" not in told()
    say("bob")
    wanted = [json.loads(each["facts"]) for each in deployment.rows("notice") if each["event"] == "approval_wanted"][-1]
    command = f"rotator approve inc-1 --digest {plan.digest} --scope destruction"
    assert (wanted["scope"], wanted["command"]) == ("destruction", command)
    assert "by" not in wanted
    say("cyd", DESTRUCTION)
    assert (told()["by"], told()["of"], told()["command"]) == ("cyd", ["ann", "bob"], command)


def test_what_can_only_be_revoked_lives_until_its_destruction_is_approved_and_the_plan_says_so(house):
    deployment, say, opens, plan = ruled(house, "vault_token")
    [told] = reported(deployment)["incident"]["approvals"]
    assert told["only_for_good"] == ["inc-1.r1"]
    say("ann")
    deployment.rest(patience_s=3600)
    assert opens()
    [held] = [reason for _, state, reason in deployment.branches() if state == "held"]
    assert held == gate_of(plan)
    say("bob", DESTRUCTION)
    deployment.rest(patience_s=3600)
    assert not opens()


def test_one_yes_to_all_is_one_to_both_and_the_second_may_come_first(house):
    deployment, say, opens, _ = ruled(house, "vault_token")
    assert not say("bob", DESTRUCTION).begins
    assert say("ann").begins
    deployment.rest(patience_s=3600)
    assert not opens()


def test_broken_glass_begins_at_once_and_stays_open_until_another_has_looked(house):
    deployment, say, opens, _ = ruled(house, approvals=2)
    with pytest.raises(NotAllowed, match="may not break the glass"):
        say("vic", glass="2 am")
    assert say("rex", BOTH, glass="2 am, nobody else is awake").begins
    deployment.rest(patience_s=2 * WEEK)
    assert not opens()
    report = reported(deployment)
    assert {each["break_glass"] for each in report["incident"]["reviews"]} == {"2 am, nobody else is awake"}
    assert exit_code(report) == 3
    assert [each.reviews for each in deployment.reading.incidents()] == [2]
    with pytest.raises(NotAllowed, match="a review is for an approver"):
        deployment.approvals.review("inc-1", "rex", "it was me")
    assert len(deployment.approvals.review("inc-1", "ann", "right: the key was in use in Minsk")) == 2
    with pytest.raises(BadInput, match="nothing of it waits for a review"):
        deployment.approvals.review("inc-1", "bob", "so do I")
    assert exit_code(reported(deployment)) == 0
    assert deployment.evidence("inc-1")[-1]["act"] == "reviewed"


def test_who_declares_and_approves_at_once_goes_by_the_same_rule(house):
    deployment, _, _, _ = ruled(house)
    company = house[0]
    stolen, _ = company.stolen("aws_iam_access_key")
    declared = len(deployment.reading.incidents())
    given = deployment.enrolment.declare

    def approved(*told, **named):
        return given(*told, **named, approved=True)

    deployment.enrolment.declare = approved
    with pytest.raises(NotAllowed, match="four eyes"):
        deployment.declare([stolen], wanted=Strategy.REVOKE_ONLY, incident="inc-2")
    assert len(deployment.reading.incidents()) == declared


def test_a_plan_that_is_not_the_one_that_was_shown_is_said_yes_to_by_nobody(house):
    deployment, _, _, _ = ruled(house, approvals=2)
    with pytest.raises(BadInput, match="the plan is"):
        deployment.approvals.approve("inc-1", "0" * 16, "ann", CONTAINMENT)
    assert deployment.rows("approval") == []


def test_with_no_rule_one_yes_is_enough_and_the_destruction_can_still_be_kept_apart(house):
    company, deployment = house
    stolen, secret = company.stolen("vault_token")
    plan = deployment.declare([stolen], wanted=Strategy.REVOKE_ONLY)
    approvals = Approvals(deployment.database, deployment.enrolment, None, deployment.world.now)
    assert approvals.approve("inc-1", plan.digest, "test", CONTAINMENT).begins
    deployment.rest(patience_s=3600)
    assert company.opens(stolen.ref, secret)
    assert approvals.approve("inc-1", plan.digest, "test").destroys
    deployment.rest(patience_s=3600)
    assert not company.opens(stolen.ref, secret)
    [told] = reported(deployment)["incident"]["approvals"]
    assert told["by_who_made_it"]


def later(deployment, stolen, by):
    """Add another credential to the incident; return the digest that is to be approved then."""
    present = deployment.enrolment.present("inc-1")
    more = more_of(deployment, present, [stolen], Strategy.REVOKE_ONLY)
    return deployment.enrolment.add(present, more, by=by).revision.digest


def two_tokens(house, **rule):
    """Declare a token as `test`; return what adds another one that can only be revoked, and what tells who opens."""
    deployment, _, opens, plan = ruled(house, "vault_token", **rule)
    stolen, secret = house[0].stolen("vault_token", owner="later")

    def approve(digest, who, scopes=CONTAINMENT, glass=""):
        return deployment.approvals.approve("inc-1", digest, who, scopes, glass)

    def alive():
        deployment.rest(patience_s=3600)
        deployment.world.wait_until(deployment.world.now() + 1)
        return opens(), house[0].opens(stolen.ref, secret)

    return deployment, plan, approve, lambda by="rex": later(deployment, stolen, by), alive


def test_a_yes_does_not_count_for_what_was_added_after_it(house):
    _, plan, approve, add, alive = two_tokens(house, approvals=2)
    approve(plan.digest, "cyd", BOTH)
    newest = add("cyd")
    with pytest.raises(NotAllowed, match="four eyes"):
        approve(newest, "cyd")
    assert not approve(newest, "bob", BOTH).begins
    assert alive() == (True, True)
    assert approve(newest, "ann", BOTH).destroys
    assert alive() == (False, False)


@pytest.mark.parametrize(("who", "glass"), [("ann", ""), ("rex", "2 am")])
def test_a_destruction_that_was_approved_before_more_was_added_is_approved_anew(house, who, glass):
    deployment, plan, approve, add, alive = two_tokens(house)
    approve(plan.digest, who, DESTRUCTION, glass)
    newest = add()
    found = approve(newest, "bob")
    assert (found.begins, found.destroys) == (True, False)
    assert alive() == (True, True)
    reviews = reported(deployment)["incident"]["reviews"]
    assert [each["break_glass"] for each in reviews] == ([glass] if glass else [])
    assert approve(newest, "bob", DESTRUCTION).destroys
    assert alive() == (False, False)


def test_the_gate_of_what_was_added_later_opens_for_no_older_digest(house):
    deployment, plan, approve, add, alive = two_tokens(house, approvals=2)
    newest = add()
    approve(newest, "ann")
    assert approve(newest, "bob").begins
    assert alive() == (True, True)
    approve(plan.digest, "ann", DESTRUCTION)
    assert not approve(newest, "bob", DESTRUCTION).destroys
    assert alive() == (False, True)
    still = [[each["more"] for each in one["wanted"]] for one in reported(deployment)["incident"]["approvals"]]
    assert still == [[], [1]]
    assert approve(newest, "ann", DESTRUCTION).destroys
    assert alive() == (False, False)


def test_a_yes_to_what_was_shown_as_dismissed_is_none_once_it_is_opened_again(house):
    deployment, plan, approve, _, alive = two_tokens(house, approvals=2)
    deployment.dismissing.dismiss("inc-1", "inc-1.r1", Disposition.FALSE_POSITIVE, "rex", "a test")
    approve(plan.digest, "ann", BOTH)
    told = deployment.dismissing.reopen("inc-1", "inc-1.r1", "rex", "it is real")
    assert not approve(told.digest, "bob", BOTH).begins
    assert alive() == (True, True)


def test_who_merges_an_incident_makes_nothing_of_its_plan_his_own(house):
    deployment, say, _, _ = ruled(house)
    say("ann")
    stolen, _ = house[0].stolen("vault_token", owner="later")
    deployment.declare([stolen], wanted=Strategy.REVOKE_ONLY, incident="inc-2")
    moved = deployment.enrolment.merge("inc-2", "inc-1", by="rex").revision
    with pytest.raises(NotAllowed, match="test made this plan"):
        deployment.approvals.approve("inc-1", moved.digest, "test", CONTAINMENT)
    assert deployment.approvals.approve("inc-1", moved.digest, "bob", CONTAINMENT).begins
