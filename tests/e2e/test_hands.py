"""A person's hand on the wheel, on the range's real systems: each command, and what the doors say afterwards."""

from __future__ import annotations

import pytest

from rotator.practice.doors import Answer
from tests.e2e.company import ACME, AWS

OPEN, SHUT = {Answer.OPENED}, {Answer.REFUSED}


def report(found, code):
    """Watch the incident to its end; return its report."""
    return found.rotator("incident", "watch", "last", "-q", "-o", "json").ended(code).report


def step_of(told, name):
    [found] = [step for step in told["credentials"][0]["steps"] if step["id"] == name]
    return found["state"]


@pytest.fixture
def answered(found_company):
    """Respond to a leaked key, up to the week before its destruction; return the company and the run."""
    found = found_company(AWS)
    told = found.rotator("respond", found.leak(), "--yes", "-q", "-o", "json").ended(0).report
    return found, told["credentials"][0]["run"]


def test_nothing_happens_while_everything_is_stopped_and_all_of_it_afterwards(found_company):
    found = found_company(ACME)
    [victim] = found.victims
    assert "everything is stopped" in found.rotator("stop", "--reason", "is this a drill?").ended(0).out
    shown = found.rotator("respond", found.leak(), "--yes").ended(3)
    assert "STOPPED: everything" in shown.out
    assert f"is this a drill?. Let it go on: rotator --config {found.rotator.config} continue --reason" in shown.out
    assert (victim.answers, victim.consumer.using) == (OPEN, victim.id)
    assert "already" in found.rotator("stop", "--reason", "twice").ended(2).one_line
    assert "connections: acme, aws" in found.rotator("stop", "nobody", "--reason", "who?").ended(2).one_line
    assert "is not stopped" in found.rotator("continue", "last", "--reason", "go").ended(2).one_line
    assert "everything goes on" in found.rotator("continue", "--reason", "it is not").ended(0).out
    assert (report(found, 0)["totals"]["proven_dead"], victim.answers) == (1, SHUT)


def test_an_undone_delivery_gives_back_what_the_place_held_and_warns_that_it_is_dead(found_company):
    found = found_company(AWS)
    [victim] = found.victims

    def by_command(settings):
        settings["credentials"][0]["consumers"] = [{"command": ["true"]}]

    found.configure(by_command)
    told = found.rotator("respond", found.leak(), "--yes", "-q", "-o", "json").ended(0).report
    run = told["credentials"][0]["run"]
    victim.consumer.reload()
    assert victim.consumer.using == told["credentials"][0]["replacement"]
    undo = ("run", "undo", run, "deliver", "--reason", "the job cannot use it")
    assert "give --yes" in found.rotator(*undo).ended(4).err.splitlines()[-1]
    done = found.rotator(*undo, "--yes").ended(0)
    assert "demote replacement → reload consumers → verify consumers → verify exposed" in done.err
    assert "consumers get back a credential that is refused" in done.err
    told = report(found, 3)
    [entry] = told["credentials"]
    assert (victim.consumer._read()["id"], victim.answers) == (victim.id, SHUT)
    assert (entry["state"], entry["replaced_at"], step_of(told, "destroy")) == ("proven_dead", "", "skipped")
    assert "taken back already" in found.rotator("run", "undo", run, "deliver", "--reason", "again").ended(2).one_line


def test_only_a_person_who_says_so_twice_resumes_a_stolen_credential(answered):
    found, run = answered
    [victim] = found.victims
    undo = ("run", "undo", run, "contain", "--reason", "the job broke")
    refused = found.rotator(*undo).ended(4)
    assert "give --yes" in refused.err.splitlines()[-1]
    assert "work again" in refused.err
    found.rotator.at_terminal(*undo, answers={f"Type `resume {run}`": "yes"}).ended(4)
    assert victim.answers == SHUT
    found.rotator.at_terminal(*undo, answers={f"Type `resume {run}`": f"resume {run}"}).ended(0)
    told = report(found, 3)
    [entry] = told["credentials"]
    assert (victim.answers, victim.consumer.using) == (OPEN, victim.id)
    assert (entry["state"], entry["evidence"], entry["proven_dead_at"]) == ("held", "none", "")
    assert "the job broke" in entry["open"][0]
    # Its replacement is gone, and nobody but the stolen one is left: a new response answers that.
    listed = found.servers.aws.iam.list_access_keys(UserName=victim.use.owner)["AccessKeyMetadata"]
    assert {key["AccessKeyId"] for key in listed} == {victim.id}
    again = found.rotator("respond", found.leak(), "--yes", "-q", "-o", "json").ended(0).report
    assert (again["credentials"][0]["state"], again["replaced"], victim.answers) == ("proven_dead", 1, SHUT)


def test_a_legal_hold_keeps_what_a_person_wants_destroyed_early(answered):
    found, run = answered
    [victim] = found.victims

    def keys():
        listed = found.servers.aws.iam.list_access_keys(UserName=victim.use.owner)["AccessKeyMetadata"]
        return {key["AccessKeyId"] for key in listed}

    found.rotator("gate", "close", "last", "no_legal_hold", "--reason", "the prosecutor asks").ended(0)
    refused = found.rotator("run", "retry", run, "destroy", "--reason", "now").ended(2).one_line
    assert f" hold release {run} destroy" in refused
    found.rotator("hold", "release", run, "destroy", "--reason", "now").ended(0)
    told = report(found, 3)
    [waits] = told["credentials"][0]["next"]
    assert (step_of(told, "destroy"), waits["command"].split()[3:5]) == ("held", ["gate", "open"])
    assert victim.id in keys()
    gates = {each["name"]: each for each in found.rotator("gate", "list", "last", "-o", "json").ended(0).report}
    held = gates["no_legal_hold"]
    assert (held["is_open"], held["waiting"], held["reason"]) == (False, 1, "the prosecutor asks")
    shown = found.rotator("report", "last").ended(3).out
    assert "LEGAL HOLD: no scheduled destruction" in shown
    assert waits["command"] in shown
    found.rotator("gate", "open", "last", "no_legal_hold", "--reason", "the trial is over").ended(0)
    assert step_of(report(found, 0), "still") == "done"
    assert victim.id not in keys()


def test_isolating_the_last_foothold_opens_its_gate(found_company):
    found = found_company(ACME)
    declared = ("incident", "declare", found.leak(), "--title", "Stolen", "--foothold", "ci-1.example.com")
    found.rotator(*declared).ended(0)
    isolate = ("host", "isolate", "last")
    assert "did you mean `ci-1" in found.rotator(*isolate, "ci1.example.com", "--reason", "off").ended(2).one_line
    assert "no known foothold is open" in found.rotator(*isolate, "ci-1.example.com", "--reason", "off").ended(0).out
    told = found.rotator("report", "last", "-o", "json").report["incident"]
    assert [(each["host"], each["state"]) for each in told["footholds"]] == [("ci-1.example.com", "isolated")]
    assert {each["name"]: each["is_open"] for each in told["gates"]}["host_isolated"]
