"""What was merged into an incident keeps its stops, gates and reviews; the report of the one tells all of it."""

from __future__ import annotations

import pytest
from rich.console import Console

from rotator.flow.approval import Person, Policy, Role, Scope
from rotator.flow.exposure import Disposition
from rotator.flow.playbook_words import Strategy
from rotator.ledger.approvals import Approvals
from rotator.ledger.reading import Reading
from rotator.report.dismissed import exposure_rows
from rotator.report.incident import build, exit_code
from rotator.report.terminal import incident_text
from tests.ledger.test_hands import undone

KEY, TOKEN = "aws_iam_access_key", "acme_api_token"
ALONE = Strategy.REVOKE_ONLY


def shown(report):
    console = Console(width=400, record=True, file=None, quiet=False, force_terminal=False)
    with console.capture() as captured:
        console.print(incident_text(report))
    return captured.get()


@pytest.fixture
def merged(house):
    """Merge inc-2, which works and has something of everything, into inc-1, of which nothing is approved."""
    company, deployment = house
    found = [company.stolen(KEY, owner=f"o{number}")[0] for number in range(3)]
    deployment.start(found[:2], wanted=ALONE, incident="inc-2", footholds=("laptop-7",))
    deployment.dismissing.dismiss("inc-2", "inc-2.r2", Disposition.CANARY, "ann", "our bait")
    deployment.stops.stop("inc-2", "ann", "an outage", ())
    deployment.gates.set("inc-2", "no_legal_hold", "ann", "a court said so", is_open=False)
    deployment.declare(found[2:], wanted=ALONE)
    deployment.enrolment.merge("inc-2", "inc-1", by="bob")
    return deployment


def test_the_report_tells_all_of_it_each_with_the_incident_that_its_command_names(merged):
    report = build(merged.record())
    incident = report["incident"]
    by_run = {each["run"]: each for each in report["credentials"]}
    assert by_run["inc-2.r2"]["dismissed"]["reason"] == "our bait"
    assert report["totals"]["dismissed"] == 1
    assert [each["command"] for each in incident["stops"]] == ["rotator continue inc-2 --reason …"]
    shut = [each for each in incident["gates"] if each["by"]]
    assert [(each["incident"], each["command"]) for each in shut] == [
        ("inc-2", "rotator gate open inc-2 no_legal_hold --reason …")
    ]
    assert [each["command"] for each in incident["footholds"]] == ["rotator host isolate inc-2 laptop-7 --reason …"]
    text = shown(report)
    for line in (
        "says ann at",
        "STOPPED: incident inc-2",
        "LEGAL HOLD of inc-2:",
        "FOOTHOLD laptop-7 of inc-2:",
        "inc-2 revision 1",
    ):
        assert line in text


def test_what_works_is_not_told_as_not_approved_with_what_waits(merged):
    report = build(merged.record())
    assert (report["incident"]["begun"], report["incident"]["approved_at"]) == (True, "")
    text = shown(report)
    assert "nothing is being done" not in text
    assert "REVISION 1 NOT APPROVED: 1 credential is left alone till then" in text


def test_a_review_of_what_was_merged_keeps_the_one_open_and_the_list_counts_it(house):
    company, deployment = house
    policy = Policy(
        {"ann": Person("ann", frozenset({Role.APPROVER})), "rex": Person("rex", frozenset({Role.RESPONDER}))}
    )
    deployment.approvals = Approvals(deployment.database, deployment.enrolment, policy, deployment.world.now)
    deployment.reading = Reading(deployment.database, policy)
    for number in (1, 2):
        plan = deployment.declare([company.stolen(KEY, owner=f"o{number}")[0]], wanted=ALONE, incident=f"inc-{number}")
        deployment.approvals.approve(f"inc-{number}", plan.digest, "ann", frozenset({Scope.CONTAINMENT}))
    deployment.rest()
    deployment.enrolment.merge("inc-2", "inc-1", by="ann")
    deployment.approvals.approve("inc-2", plan.digest, "rex", frozenset({Scope.DESTRUCTION}), "2 am")
    report = build(deployment.record())
    assert [each["command"] for each in report["incident"]["reviews"]] == ["rotator review inc-2 --note …"]
    assert exit_code(report) == 3
    assert {each.incident.id: each.reviews for each in deployment.reading.incidents()} == {"inc-1": 1, "inc-2": 0}


def test_exposures_of_what_was_merged_are_listed_and_found_under_the_one(merged):
    seen = {run: of for each in ("inc-1", "inc-2") for run, of in merged.dismissing.exposures(each).items()}
    rows = {each["run"]: each for each in exposure_rows(merged.record(), seen)}
    assert {name: each["disposition"] for name, each in rows.items()} == {
        "inc-1.r1": "open",
        "inc-2.r1": "open",
        "inc-2.r2": "canary",
    }
    assert all(each["seen"] for each in rows.values())
    assert merged.reading.holding("inc-1", "inc-2.r2") == "inc-2"
    assert merged.reading.holding("inc-1", "inc-1.r1") == "inc-1"
    assert merged.reading.holding("inc-1", "nobody") == "inc-1"


STATES = ("settling", "pending", "held", "manual", "failed", "dismissed", "let_in_again")


def test_the_live_display_counts_what_both_had_once_as_the_report_does(house):
    company, deployment = house
    both, mine, theirs = (company.stolen(TOKEN, owner=f"o{number}")[0] for number in range(3))
    deployment.start([both, mine], wanted=ALONE)
    deployment.start([both, theirs], wanted=ALONE, incident="inc-2")
    deployment.enrolment.merge("inc-2", "inc-1", by="ann")
    pending = []
    for moment in ("at once", "at rest"):
        progress = deployment.reading.progress("inc-1", deployment.world.now())
        told = {state: getattr(progress, state) for state in STATES}
        told |= {"proven_dead": progress.dead, "stated_dead": progress.stated, "credentials": progress.credentials}
        report = build(deployment.record())
        assert (moment, told) == (moment, report["totals"])
        assert told["credentials"] == 3
        [listed] = [each for each in deployment.reading.incidents() if not each.merged_into]
        assert (listed.credentials, listed.dead) == (3, told["proven_dead"])
        pending.append(told["pending"])
        deployment.rest()
    assert pending == [3, 0]
    [twice] = [each for each in report["credentials"] if each["also"]]
    assert [each["steps"] != [] for each in twice["others"]] == [True]


def test_a_plan_that_stops_again_what_an_undo_let_live_waits_on_after_the_merge(house):
    company, deployment = house
    stolen, secret = company.stolen(KEY)
    deployment.start([stolen], wanted=ALONE)
    deployment.rest(patience_s=3600)
    undone(deployment, "contain")
    deployment.rest()
    deployment.declare([stolen], wanted=ALONE, incident="inc-2")
    found = deployment.enrolment.merge("inc-2", "inc-1", by="ann")
    report = build(deployment.record())
    assert report["incident"]["approve"] == f"rotator approve inc-1 --digest {found.revision.digest}"
    [told] = report["credentials"]
    assert (told["run"], told["also"], found.same) == ("inc-1.r1", ["inc-2.r1"], 0)
    deployment.enrolment.approve("inc-1", found.revision.digest, by="ann")
    deployment.rest()
    assert not company.opens(stolen.ref, secret)
    report = build(deployment.record())
    [told] = report["credentials"]
    assert (told["run"], told["also"], told["open"]) == ("inc-2.r1", ["inc-1.r1"], [])
    assert (report["totals"]["proven_dead"], exit_code(report)) == (1, 0)
    progress = deployment.reading.progress("inc-1", deployment.world.now())
    assert (progress.dead, progress.credentials) == (1, 1)
    assert {each.state for each in deployment.reading.incidents()} == {"all dead", "merged into inc-1"}
