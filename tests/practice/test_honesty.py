"""A report is held against the doors: what it says and a door denies is found, and nothing else."""

from __future__ import annotations

import pytest

from rotator.practice.doors import Answer, Knock
from rotator.practice.honesty import InUse, Stolen, lies, still_open

REFUSED = Knock("aws", Answer.REFUSED, "InvalidClientTokenId")
OPENED = Knock("aws", Answer.OPENED, "GetCallerIdentity answered")
UNCLEAR = Knock("aws", Answer.UNCLEAR, "SignatureDoesNotMatch")
STATES = ("proven_dead", "stated_dead", "settling", "pending", "held", "manual", "failed", "dismissed")


def report(state: str, **fields: str) -> dict:
    entry = {"provider": "aws_iam_access_key", "id": "AKIA1", "state": state, **fields}
    return {"credentials": [entry], "totals": {"credentials": 1, **{each: int(each == state) for each in STATES}}}


def stolen(credential_id: str = "AKIA1") -> Stolen:
    return Stolen("the key of ci", "aws_iam_access_key", credential_id, lambda: ())


@pytest.mark.parametrize("state", ["proven_dead", "stated_dead"])
def test_a_dead_credential_that_every_door_refuses_is_no_lie(state):
    assert lies(report(state), [(stolen(), [REFUSED, REFUSED])], []) == []


@pytest.mark.parametrize("state", ["proven_dead", "stated_dead"])
@pytest.mark.parametrize("knock", [OPENED, UNCLEAR])
def test_one_door_that_does_not_refuse_makes_a_dead_credential_a_lie(state, knock):
    [line] = lies(report(state), [(stolen(), [REFUSED, knock])], [])
    assert state in line
    assert knock.said in line


def test_an_open_credential_that_is_said_to_be_open_is_no_lie():
    said = report("held")
    assert lies(said, [(stolen(), [OPENED])], []) == []
    assert [entry["id"] for entry in still_open(said)] == ["AKIA1"]


def test_a_stolen_credential_that_the_report_leaves_out_is_a_lie():
    [line] = lies(report("proven_dead"), [(stolen("AKIA2"), [REFUSED])], [])
    assert "AKIA2" in line


def test_totals_that_count_otherwise_than_the_entries_are_a_lie():
    said = report("proven_dead")
    said["totals"].update(proven_dead=0, stated_dead=1)
    assert len(lies(said, [], [])) == 2


def test_a_consumer_that_holds_another_id_than_the_report_says_is_a_lie():
    used = InUse("ci-runner", "AKIA1", "AKIA9", [OPENED])
    [line] = lies(report("proven_dead", replacement="AKIA2"), [], [used])
    assert "AKIA9" in line


def test_a_consumer_whose_door_stays_shut_is_a_lie():
    used = InUse("ci-runner", "AKIA1", "AKIA2", [REFUSED])
    [line] = lies(report("proven_dead", replacement="AKIA2"), [], [used])
    assert "ci-runner" in line
