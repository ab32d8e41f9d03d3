"""Dismissing on the command line: what nobody must answer is said with a reason, asked of its issuer, and kept."""

from __future__ import annotations

import contextlib
import sqlite3

import pytest

SETTINGS = """\
data_dir = "data"
[[connections]]
name = "aws"
family = "aws"
region = "eu-central-1"
endpoint_url = "http://127.0.0.1:9"
[[credentials]]
match = {provider = "npm_token", id = "npm-bait"}
canary = true
"""
LIST = "provider,id\nnobody_knows_this,k1\nnpm_token,npm-bait\n"


@pytest.fixture
def declared(rotator, data_dir):
    """Declare an incident with a task and a canary; give a run of another to it, as a reachable issuer would have."""
    rotator.is_ready = True
    (rotator.folder / "rotator.toml").write_text(SETTINGS)
    (rotator.folder / "list.csv").write_text(LIST)
    said = rotator("incident", "declare", "list.csv", "--title", "Stolen").ended(0)
    incident = said.out.split()[0]
    with contextlib.closing(sqlite3.connect(data_dir / "ledger.db")) as ledger:
        ledger.execute(
            "INSERT INTO run (id, incident, provider, connection, owner, credential, generation, kind, strategy, why, "
            "priority, deliver, consumers, evidence) VALUES (?, ?, 'aws_iam_access_key', 'aws', 'ci', 'AKIA7', 0, "
            "'aws_iam_access_key', 'revoke_only', '', 1.0, '[]', '[]', 'none')",
            (f"{incident}.r1", incident),
        )
        ledger.commit()
    return incident, said.err


def exposures(rotator):
    found = rotator("exposure", "list", "last", "-o", "json").ended(0).report
    return {each["id"]: (each["disposition"], each["certainty"]) for each in found}


def test_our_own_bait_is_dismissed_by_itself_and_is_a_sign_of_where_the_thief_was(rotator, declared):
    _, plan = declared
    assert "npm-bait is our canary: whoever took it was where it lay" in plan
    assert exposures(rotator)["npm-bait"] == ("canary", "seen")
    shown = rotator("report", "last").ended(3).out
    assert "our canary: whoever took it was where it lay, and has what else lay there, says the inventory" in shown


def test_a_task_is_dismissed_and_opened_again_and_the_report_keeps_both(rotator, declared):
    incident, _ = declared
    act = ("exposure", "dismiss", "last", "k1", "--reason", "it was a sample")
    assert "`sample` is nothing that it can be dismissed as" in rotator(*act, "--as", "sample").ended(2).one_line
    assert "is dismissed as false_positive" in rotator(*act, "--as", "false_positive").ended(0).out
    assert exposures(rotator)["k1"] == ("false_positive", "seen")
    again = rotator("exposure", "reopen", "last", "k1", "--reason", "it opens a door").ended(0).out
    assert "(" + incident + ".m1) is open again: it is a task for a person" in again
    report = rotator("report", "last", "-o", "json").ended(3).report
    assert (report["totals"]["dismissed"], report["totals"]["manual"]) == (1, 1)
    assert [each["reopened_reason"] for each in report["taken_back"]] == ["it opens a door"]
    assert "has no such credential" in rotator("exposure", "reopen", "last", "k9", "--reason", "x").ended(2).one_line


@pytest.mark.usefixtures("declared")
def test_that_a_credential_is_dead_already_is_believed_of_its_issuer_alone(rotator):
    act = ("exposure", "dismiss", "last", "AKIA7", "--reason", "I deleted it")
    line = rotator(*act, "--as", "already_dead").ended(2).one_line
    assert "aws cannot be asked" in line
    assert "only it can say that" in line
    assert exposures(rotator)["AKIA7"][0] == "open"
    rotator(*act, "--as", "false_positive").ended(0)
    assert exposures(rotator)["AKIA7"][0] == "false_positive"
