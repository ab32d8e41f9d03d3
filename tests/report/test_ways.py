"""What the report tells a person to do moves it on, and the safe act stands before the accepted risk."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import insert

from rotator.credential import Leaked, Secret
from rotator.errors import Rejected
from rotator.flow.playbook_words import Strategy
from rotator.flow.scope import ConsumerAddress
from rotator.ledger import tables
from rotator.ledger.opening import BRAKE
from rotator.report.incident import build, exit_code
from rotator.report.terminal import incident_text
from tests.fakes.company import CONSUMER
from tests.report.test_shown import shown

KEY, TOKEN = "aws_iam_access_key", "acme_api_token"


def told(deployment, incident="inc-1"):
    """Return what the report says of each run of an incident."""
    return {each["run"]: each for each in build(deployment.record(incident))["credentials"]}


def text(deployment):
    return shown(incident_text(build(deployment.record())))


def commands(entry):
    return [way["command"] for one in entry["next"] for way in one["ways"] if not one["due_at"]]


def at_host(found, host):
    """Say that its consumer lives on a host."""
    return replace(found, custody=replace(found.custody, consumers=(ConsumerAddress("webhook", CONSUMER, host),)))


def reading(found, connection):
    """Say that a thief may read all of a connection with it."""
    return replace(found, custody=replace(found.custody, reads=(f"{connection}:*",)))


def truncated(company, kind=KEY):
    """Steal a key whose secret was cut short in the report."""
    stolen, secret = company.stolen(kind)
    return replace(stolen, leaked=Leaked(id=stolen.ref.id, secret=Secret(secret.reveal()[:-3])))


def test_under_a_foothold_the_host_is_isolated_first_and_the_risk_stands_last(house):
    company, deployment = house
    stolen, _ = company.stolen(KEY)
    deployment.start([at_host(stolen, "web-1")], footholds=["web-1"])
    deployment.rest(patience_s=3600)
    [waits] = told(deployment)["inc-1.r1"]["next"]
    assert waits["step"] == "issue"
    assert waits["reason"] == "leak_safe: the new secret would reach the foothold web-1"
    assert [way["command"] for way in waits["ways"]] == [
        "rotator host isolate inc-1 web-1 --reason …",
        "rotator hold release inc-1.r1 issue --reason …",
    ]
    assert waits["command"] == waits["ways"][0]["command"]
    assert "under your name" in waits["ways"][1]["means"]
    lines = text(deployment).splitlines()
    assert any("FOOTHOLD web-1" in line for line in lines[lines.index("Still open:") - 3 :])


def test_a_foothold_of_another_incident_is_isolated_there(house):
    company, deployment = house
    first, _ = company.stolen(TOKEN, owner="shop")
    deployment.start([first], footholds=["web-1"])
    second, _ = company.stolen(KEY)
    deployment.start([at_host(second, "web-1")], incident="inc-2")
    deployment.rest(patience_s=3600)
    assert commands(told(deployment, "inc-2")["inc-2.r1"])[0] == "rotator host isolate inc-1 web-1 --reason …"


def test_where_a_stop_keeps_a_thief_alive_it_is_lifted_first(house):
    company, deployment = house
    thief, _ = company.stolen(TOKEN, owner="shop", places=("kv-2",))
    waits, _ = company.stolen(KEY)
    plan = deployment.declare([reading(thief, "kv"), waits], wanted=Strategy.CONTAIN_FIRST)
    [of_thief] = [each.run.id for each in deployment.record().runs if each.run.ref == thief.ref]
    deployment.enrolment.approve("inc-1", plan.digest, by="test")
    deployment.stops.stop("acme", "ann", "their maintenance", ["acme", "aws"])
    deployment.rest(patience_s=3600)
    [entry] = [each for each in told(deployment).values() if each["run"] != of_thief]
    [held] = entry["next"]
    assert held["reason"].startswith("leak_safe: a stolen credential that may read the new secret still lives")
    assert commands(entry) == [
        "rotator continue acme --reason …",
        f"rotator hold release {entry['run']} issue --reason …",
    ]
    deployment.stops.lift("acme", "ann", "over", ["acme"])
    deployment.rest(patience_s=3600)
    assert not any(commands(each) for each in told(deployment).values())


def test_where_a_thief_could_not_be_stopped_its_own_command_stands_first(house):
    company, deployment = house
    thief, _ = company.stolen(TOKEN, owner="shop", places=("kv-2",))
    waits, _ = company.stolen(KEY)

    def refuse(phase, what, _changes):
        if (phase, company.world.about) == ("before", thief.ref.id) and what in {"issuer.suspend", "issuer.revoke"}:
            raise Rejected("access_denied")

    company.world.meet = refuse
    deployment.start([reading(thief, "kv"), waits], wanted=Strategy.CONTAIN_FIRST)
    deployment.rest(patience_s=3600)
    found = told(deployment)
    [of_thief] = [each for each in found.values() if each["id"] == thief.ref.id]
    [entry] = [each for each in found.values() if each["id"] != thief.ref.id]
    first = commands(of_thief)[0]
    assert first.startswith(f"rotator run retry {of_thief['run']} ")
    assert commands(entry) == [first, f"rotator hold release {entry['run']} issue --reason …"]


def test_what_a_knock_can_never_prove_is_not_to_be_tried_again(house):
    company, deployment = house
    deployment.start([truncated(company)], wanted=Strategy.CONTAIN_FIRST)
    deployment.rest(patience_s=3600)
    [entry] = told(deployment).values()
    assert [one["reason"][:8] for one in entry["next"]] == ["mismatch"]
    assert commands(entry) == [
        "rotator incident declare FILE --title …",
        "rotator run skip inc-1.r1 refused --reason …",
    ]


def test_after_a_proof_was_left_out_it_is_held_with_who_said_so_and_what_would_settle_it(house):
    company, deployment = house
    deployment.start([truncated(company)], wanted=Strategy.CONTAIN_FIRST)
    deployment.rest(patience_s=3600)
    deployment.hands.decide("inc-1.r1", "refused", skip=True, by="ann", reason="cut short in the mail")
    deployment.rest(patience_s=3600)
    [entry] = told(deployment).values()
    assert (entry["state"], entry["evidence"]) == ("held", "none")
    progress = deployment.reading.progress("inc-1", deployment.world.now())
    assert (progress.held, progress.settling) == (1, 0)
    [why] = entry["open"]
    assert "not proven dead (refused was skipped, said by ann: cut short in the mail)" in why
    assert commands(entry) == ["rotator incident declare FILE --title …"]
    means = "nobody knows what it would have shown"
    assert entry["skipped"] == [
        {"step": "refused", "target": None, "means": means, "why": "ann: cut short in the mail"}
    ]
    said = text(deployment).partition("Said by people:")[2]
    assert "refused was skipped" in said
    assert "ann: cut short in the mail" in said
    assert exit_code(build(deployment.record())) == 3


class Broken:
    """A consumer that refuses what it is told."""

    name = "http://broken"

    def reload(self, _notice):
        raise Rejected("access_denied")


def test_what_lives_because_of_the_brake_is_counted_and_each_says_how_to_go_on(house):
    company, deployment = house
    company.outside.consumers["http://broken"] = Broken()
    found = []
    for number in range(5):
        each, _ = company.stolen(KEY, owner=f"owner-{number}")
        custody = replace(each.custody, environment="production", criticality="low")
        if number == 0:
            worst = (ConsumerAddress("webhook", "http://broken"),)
            custody = replace(custody, criticality="critical", consumers=worst)
        found.append(replace(each, custody=custody))
    deployment.start(found, wanted=Strategy.CONTAIN_FIRST)
    deployment.rest(patience_s=3600)
    [brake] = [each for each in build(deployment.record())["incident"]["gates"] if each["name"] == BRAKE]
    alive = [each for each in told(deployment).values() if each["state"] == "pending"]
    assert brake["waiting"] == len(alive) == 4
    assert {each.name: each.waiting for each in deployment.gates.of("inc-1")}[BRAKE] == 4
    assert {*map(tuple, map(commands, alive))} == {("rotator gate open inc-1 brake --reason …",)}
    line = "BRAKE: 4 stolen credentials are alive because of the brake"
    assert text(deployment).count(line) == 2
    assert deployment.gates.set("inc-1", BRAKE, "ann", "known", is_open=True) == 4


def test_a_mint_of_a_lost_worker_is_open_while_nothing_has_settled_it(house):
    company, deployment = house
    stolen, _ = company.stolen(KEY)
    deployment.start([stolen])
    deployment.rest()
    [entry] = told(deployment).values()
    assert entry["open"] == []
    with deployment.database.write() as connection:
        connection.execute(insert(tables.late).values(run="inc-1.r1", credential="AKIALATE", at=1.0))
    [entry] = told(deployment).values()
    assert entry["open"] == ["a mint of a lost worker (AKIALATE) is not settled"]
    assert exit_code(build(deployment.record())) == 3


def test_what_only_waits_its_turn_is_not_said_to_wait_for_a_person(house):
    company, deployment = house
    stolen, _ = company.stolen(KEY)
    deployment.start([at_host(stolen, "web-1")], footholds=["web-1"])
    deployment.rest(patience_s=3600)
    progress = deployment.reading.progress("inc-1", deployment.world.now())
    assert (progress.dead, progress.being_replaced, progress.waiting, progress.asking) == (1, 0, 1, 0)


def test_under_a_legal_hold_a_destruction_is_not_said_to_come_by_itself(house):
    company, deployment = house
    stolen, _ = company.stolen(KEY)
    deployment.start([stolen], wanted=Strategy.REVOKE_ONLY)
    deployment.rest(patience_s=3600)
    assert "; earlier: rotator hold release inc-1.r1 destroy" in text(deployment)
    deployment.gates.set("inc-1", "no_legal_hold", "ann", "the prosecutor asks", is_open=False)
    said = text(deployment)
    assert "LEGAL HOLD: no scheduled destruction, by ann: the prosecutor asks" in said
    assert "; and not before no_legal_hold is open" in said
    assert "hold release" not in said


def test_before_the_approval_nothing_is_said_to_be_pending_but_that(house):
    company, deployment = house
    deployment.declare([company.stolen(KEY, owner=f"owner-{number}")[0] for number in range(3)])
    said = text(deployment)
    assert "Still open: 3 credentials, of which nothing is done before the plan is approved" in said
    assert said.count("NOT APPROVED: nothing is being done. Start it with: rotator approve inc-1 --digest") == 2
    assert "keep: pending" not in said


def test_a_plan_that_another_has_overtaken_names_no_approval_that_would_be_refused(house):
    company, deployment = house
    stolen, _ = company.stolen(KEY)
    deployment.declare([stolen], wanted=Strategy.CONTAIN_FIRST)
    assert "Start it with: rotator approve inc-1 --digest" in text(deployment)
    deployment.start([stolen], wanted=Strategy.CONTAIN_FIRST, incident="inc-2")
    deployment.rest(patience_s=3600)
    said = text(deployment)
    assert "rotator approve" not in said
    line = (
        f"its plan is stale: inc-2.r1 replaces {stolen.ref.id} since. Declare all of it again: rotator incident declare"
    )
    assert line in said


def test_each_command_is_given_as_its_reader_calls_the_program(house):
    company, deployment = house
    deployment.start([truncated(company)], wanted=Strategy.CONTAIN_FIRST, footholds=["web-1"])
    deployment.rest(patience_s=3600)
    called = "rotator --config range/rotator.toml"
    report = build(deployment.record(), called)
    [entry] = report["credentials"]
    assert all(command.startswith(f"{called} ") for command in commands(entry))
    said = shown(incident_text(report))
    assert said.count("rotator ") == said.count(f"{called} ")


def test_what_only_a_stop_keeps_waiting_goes_on_when_that_is_lifted(house):
    company, deployment = house
    stolen, _ = company.stolen(KEY)
    deployment.start([at_host(stolen, "web-1")], footholds=["web-1"])
    deployment.rest(patience_s=3600)
    deployment.stops.stop(None, "ann", "the auditors", [])
    deployment.gates.isolate("inc-1", "web-1", "ann", "unplugged")
    [entry] = told(deployment).values()
    assert entry["next"][0]["reason"].startswith("leak_safe: nobody can read the new secret any more")
    assert commands(entry) == ["rotator continue --reason …"]


def test_a_death_that_is_only_stated_is_not_called_nothing(house):
    company, deployment = house
    stolen, _ = company.stolen(KEY)
    deployment.start([replace(stolen, leaked=Leaked(id=stolen.ref.id))], wanted=Strategy.REVOKE_ONLY)
    deployment.rest(patience_s=3600)
    assert "1 is dead by its issuer's word alone" in text(deployment)
    assert [each.state for each in deployment.reading.incidents()] == ["dead, 1 only stated"]


def test_a_list_of_incidents_says_how_each_stands(house):
    company, deployment = house
    stands = {}

    def look(when):
        stands[when] = [(each.state, each.dead, each.credentials) for each in deployment.reading.incidents()]

    plan = deployment.declare([company.stolen(KEY)[0]], wanted=Strategy.REVOKE_ONLY)
    look("declared")
    deployment.enrolment.approve("inc-1", plan.digest, by="test")
    look("approved")
    deployment.stops.stop(None, "ann", "the auditors", [])
    look("stopped")
    deployment.stops.lift(None, "ann", "they left", [])
    deployment.rest(patience_s=3600)
    look("scheduled")
    deployment.start([truncated(company, TOKEN)], incident="inc-2")
    deployment.rest(patience_s=3600)
    look("held")
    assert stands == {
        "declared": [("not approved", 0, 1)],
        "approved": [("at work", 0, 1)],
        "stopped": [("stopped", 0, 1)],
        "scheduled": [("all dead", 1, 1)],
        "held": [("waits for you", 0, 1), ("all dead", 1, 1)],
    }
