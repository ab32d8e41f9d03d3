"""Two incidents are not told as one where that would hide what lives, or what a person has to look at."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rotator.cli import hands
from rotator.errors import BadInput
from rotator.flow.exposure import Disposition
from rotator.flow.playbook_words import Strategy
from rotator.flow.scope import Unresolved
from rotator.report.incident import build
from rotator.report.revisions import once
from tests.ledger.test_approvals import CONTAINMENT, ruled

KEY, TOKEN = "aws_iam_access_key", "acme_api_token"
ALONE = Strategy.REVOKE_ONLY


def refused(deployment, why):
    before = {name: deployment.rows(name) for name in ("run", "plan", "incident", "evidence", "dismissal")}
    with pytest.raises(BadInput, match=why):
        deployment.enrolment.merge("inc-2", "inc-1", by="ann")
    assert before == {name: deployment.rows(name) for name in before}


@pytest.mark.parametrize("dismissed_in", ["inc-1", "inc-2"])
@pytest.mark.parametrize("approved", [False, True])
def test_what_one_of_them_dismissed_hides_nothing_of_the_other(house, dismissed_in, approved):
    company, deployment = house
    stolen, _ = company.stolen(TOKEN)
    for incident in ("inc-1", "inc-2"):
        (deployment.start if approved else deployment.declare)([stolen], wanted=ALONE, incident=incident)
    run = f"{dismissed_in}.r1"
    deployment.dismissing.dismiss(dismissed_in, run, Disposition.FALSE_POSITIVE, "mal", "noise")
    refused(deployment, r"one of inc-2\.r1 and inc-1\.r1 is dismissed, the other is not .*dismiss the other too")


def test_an_open_review_comes_before_the_merge(house):
    _, deployment = house
    _, say, _, _ = ruled(house, approvals=2)
    assert say("rex", CONTAINMENT, glass="2 am").begins
    company, _ = house
    deployment.declare([company.stolen(TOKEN)[0]], wanted=ALONE, incident="inc-2")
    refused(deployment, "inc-1.*it has an open review")
    deployment.approvals.review("inc-1", "ann", "looked")
    deployment.enrolment.merge("inc-2", "inc-1", by="ann")


def test_no_owner_is_left_without_the_replacement_that_a_run_leaned_on(house):
    company, deployment = house
    first, _ = company.stolen(KEY)
    ref, secret = company.plant(KEY, first.ref.owner)
    second = replace(first, ref=ref, leaked=replace(first.leaked, id=ref.id, secret=secret))
    deployment.declare([first], wanted=ALONE)
    deployment.declare([first, second], incident="inc-2")
    refused(deployment, r"inc-2\.r1 would be taken back, whose replacement inc-2\.r2 leans on, for inc-1\.r1")


def test_what_was_dismissed_before_the_approval_of_the_rest_stays_where_it_can_be_opened_again(house):
    company, deployment = house
    found = [company.stolen(TOKEN, owner=name)[0] for name in "abc"]
    deployment.declare(found[:2], wanted=ALONE, incident="inc-2")
    deployment.dismissing.dismiss("inc-2", "inc-2.r1", Disposition.FALSE_POSITIVE, "ann", "noise")
    deployment.enrolment.approve("inc-2", deployment.record("inc-2").plan_digest, by="bob")
    deployment.start(found[2:], wanted=ALONE)
    refused(deployment, "it was dismissed before its approval")


def test_of_two_runs_of_a_credential_the_report_begins_with_the_one_that_nobody_dismissed():
    named = {"provider": "p", "connection": "c", "owner": "o", "id": "k", "stopped": [], "settled_by": ""}
    dismissed = {**named, "run": "inc-1.r1", "state": "dismissed", "open": []}
    pending = {**named, "run": "inc-2.r1", "state": "pending", "open": ["not proven dead"]}
    [told] = once([dismissed, pending])
    assert (told["run"], told["also"], told["open"]) == ("inc-2.r1", ["inc-1.r1"], ["not proven dead"])


def test_what_was_merged_has_stops_of_its_own_and_the_command_says_so(house):
    company, deployment = house
    for number in (1, 2):
        deployment.start([company.stolen(TOKEN, owner=f"o{number}")[0]], incident=f"inc-{number}")
    assert not hands.apart({"apart": deployment.stops.apart("inc-1")})
    deployment.enrolment.merge("inc-2", "inc-1", by="ann")
    assert hands.apart({"apart": deployment.stops.apart("inc-1")}) == "; NOT of inc-2, merged into it: name each too"


@pytest.mark.parametrize("approved", [False, True])
def test_a_task_that_two_merged_incidents_have_is_told_once_under_the_third(house, approved):
    company, deployment = house
    task = Unresolved("stripe_secret_key", "sk_live_1", (), "no connection", "add one")
    for number, tasks in ((1, []), (2, [task]), (3, [task])):
        stolen = company.stolen(TOKEN, owner=f"o{number}")[0]
        plan = deployment.declare([stolen], tasks, wanted=ALONE, incident=f"inc-{number}")
        if approved and number == 2:  # then its task stays there
            deployment.enrolment.approve("inc-2", plan.digest, by="bob")
    deployment.enrolment.merge("inc-2", "inc-1", by="ann")
    assert deployment.enrolment.merge("inc-3", "inc-1", by="ann").same == 1
    assert build(deployment.record())["totals"]["manual"] == 1


def test_what_was_said_of_a_task_goes_on_with_the_one_that_answers_it(house):
    company, deployment = house
    task = Unresolved("stripe_secret_key", "sk_live_1", (), "no connection", "add one")
    for incident in ("inc-1", "inc-2"):
        deployment.declare([company.stolen(TOKEN, owner=incident)[0]], [task], wanted=ALONE, incident=incident)
        deployment.dismissing.dismiss(incident, f"{incident}.m1", Disposition.CANARY, "ann", incident)
    deployment.enrolment.merge("inc-2", "inc-1", by="ann")
    said = {(row["incident"], row["of"], row["reason"]) for row in deployment.rows("dismissal")}
    assert said == {("inc-1", "inc-1.m1", "inc-1"), ("inc-1", "inc-1.m1", "inc-2")}
    deployment.dismissing.reopen("inc-1", "inc-1.m1", "ann", "I erred")
    assert all(row["reopened_by"] == "ann" for row in deployment.rows("dismissal"))


def test_the_last_incident_is_the_one_under_which_it_is_told(house):
    company, deployment = house
    for incident in ("inc-1", "inc-2"):
        stolen, _ = company.stolen(TOKEN)
        deployment.declare([stolen], wanted=ALONE, incident=incident)
    newest = deployment.reading.named("last")
    other = ({"inc-1", "inc-2"} - {newest}).pop()
    deployment.enrolment.merge(newest, other, by="ann")
    assert deployment.reading.named("last") == other
    assert deployment.stops.stop("last", "ann", "wait", ())[0].name == other
