"""Our own uses at the command line: listed for who reads logs, and taken out where logs are read for a report."""

from __future__ import annotations

import json

import pytest

from tests.access import logs
from tests.cli.far import prepared

THIEF = {"sourceIPAddress": "203.0.113.9", "userAgent": "aws-cli/2.15"}


def killed(company, deployment):
    deployment.start([company.stolen("aws_iam_access_key")[0]])
    deployment.rest()


@pytest.fixture
def folder(tmp_path):
    """Fill the ledger of this folder with an incident whose key is dead."""
    return prepared(tmp_path, killed)


def test_our_own_uses_are_listed_and_left_out_of_a_log(called, folder):
    probes = json.loads(called("evidence", "probes", "last", "-o", "json").ended(0).out)
    knocks = [each for each in probes if each["do"] == "verify exposed"]
    assert knocks
    assert knocks[0]["id"] in called("evidence", "probes", "last").ended(0).out
    ours = [at(each["begun_at"], each["id"], userAgent="rotator") for each in knocks]
    (folder / "trail.json").write_bytes(logs.log(*ours, at("2023-11-01T00:00:00Z", knocks[0]["id"], **THIEF)))
    report = json.loads(called("report", "last", "--access", "trail.json", "-o", "json").out)
    (story,) = report["timelines"]
    assert story["suspected"]["own_left_out"] == len(knocks)
    assert "aws-cli/2.15" in story["last_use"]["says"]  # nobody said since when it is exposed
    assert "the access logs that were read" in called("report", "last", "--access", "trail.json", "-o", "html").out


def at(moment, key, **given):
    return {**logs.record(0, "GetCallerIdentity", key, **given), "eventTime": f"{moment[:19]}Z"}


def test_what_is_no_log_and_what_is_no_incident_is_refused(called, folder):
    (folder / "notes.txt").write_text("hello")
    assert "no access log" in called("report", "last", "--access", "notes.txt").ended(2).err
    assert "give one that is there" in called("report", "last", "--access", "nothing").ended(2).err
    assert "name the incident" in called("report", "compliance", "--access", "notes.txt").ended(2).err
    assert "no such incident" in called("evidence", "probes", "inc-none").ended(2).err
