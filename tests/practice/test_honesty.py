"""A report is held against the doors: what it says and a door denies is found, and nothing else."""

from __future__ import annotations

import pytest

from rotator.practice.doors import Answer, Knock
from rotator.practice.honesty import InUse, Stolen, Tried, lies, still_open, unfinished

REFUSED = Knock("aws", Answer.REFUSED, "InvalidClientTokenId")
OPENED = Knock("aws", Answer.OPENED, "GetCallerIdentity answered")
UNCLEAR = Knock("aws", Answer.UNCLEAR, "SignatureDoesNotMatch")
STATES = ("proven_dead", "stated_dead", "settling", "pending", "held", "manual", "failed", "dismissed")


def report(state: str, **fields: str) -> dict:
    entry = {"provider": "aws_iam_access_key", "id": "AKIA1", "state": state, "steps": [], **fields}
    return {"credentials": [entry], "totals": {"credentials": 1, **{each: int(each == state) for each in STATES}}}


def tried(*knocks: Knock, credential_id: str = "AKIA1") -> Tried:
    return Tried(Stolen("the key of ci", "aws_iam_access_key", credential_id, lambda: knocks), knocks)


@pytest.mark.parametrize("state", ["proven_dead", "stated_dead"])
def test_a_dead_credential_that_every_door_refuses_is_no_lie(state):
    assert lies(report(state), [tried(REFUSED, REFUSED)], []) == []


@pytest.mark.parametrize("state", ["proven_dead", "stated_dead"])
@pytest.mark.parametrize("knock", [OPENED, UNCLEAR])
def test_one_door_that_does_not_refuse_makes_a_dead_credential_a_lie(state, knock):
    [line] = lies(report(state), [tried(REFUSED, knock)], [])
    assert state in line
    assert knock.said in line


def test_an_open_credential_that_is_said_to_be_open_is_no_lie():
    said = report("held")
    assert lies(said, [tried(OPENED)], []) == []
    assert [entry["id"] for entry in still_open(said)] == ["AKIA1"]


def test_a_stolen_credential_that_the_report_leaves_out_is_a_lie():
    [line] = lies(report("proven_dead"), [tried(REFUSED, credential_id="AKIA2")], [])
    assert "AKIA2" in line


def test_totals_that_count_otherwise_than_the_entries_are_a_lie():
    said = report("proven_dead")
    said["totals"].update(proven_dead=0, stated_dead=1)
    assert len(lies(said, [], [])) == 2


def test_a_consumer_that_holds_another_id_than_the_report_says_is_a_lie():
    used = InUse("ci-runner", "AKIA1", "AKIA9", [OPENED])
    [line] = lies(report("proven_dead", replacement="AKIA2", converged_at="2026-11-22T00:00:00Z"), [], [used])
    assert "AKIA9" in line


def test_nothing_is_left_when_all_doors_refuse_and_the_consumer_works():
    used = InUse("ci-runner", "AKIA1", "AKIA2", [OPENED])
    assert unfinished(report("proven_dead"), [tried(REFUSED)], [used]) == []


@pytest.mark.parametrize("knocks", [(OPENED,), (REFUSED, OPENED), (UNCLEAR,)])
def test_a_door_that_does_not_refuse_is_left(knocks):
    assert len(unfinished(report("held"), [tried(*knocks)], [])) == 1


def test_a_refused_credential_that_the_report_does_not_call_dead_is_left():
    assert len(unfinished(report("settling"), [tried(REFUSED)], [])) == 1


@pytest.mark.parametrize(("using", "knock"), [("AKIA1", OPENED), ("AKIA2", REFUSED)])
def test_a_consumer_with_the_stolen_credential_or_one_that_does_not_work_is_left(using, knock):
    used = InUse("ci-runner", "AKIA1", using, [knock])
    [line] = unfinished(report("proven_dead"), [], [used])
    assert "ci-runner" in line


def test_a_step_that_failed_is_left():
    said = report("proven_dead")
    said["credentials"][0]["steps"] = [{"id": "reload", "state": "failed"}]
    assert unfinished(said, [], []) == ["a step of the report is failed"]
