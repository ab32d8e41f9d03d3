"""Under four eyes every line says who does what next: to who declares, to who says yes, and to programs."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from rotator.cli import watching
from rotator.cli.main import app
from rotator.practice.token_server import token_server

CONFIGURATION = """
data_dir = "data"
[[connections]]
name = "acme"
family = "http"
kinds = ["acme_api_token"]
endpoint_url = "{address}"
credential = "file:admin"
[approval]
approvals = {approvals}
[[people]]
name = "ann"
roles = ["approver"]
[[people]]
name = "bob"
roles = ["approver"]
[[people]]
name = "cyd"
roles = ["admin"]
"""


@pytest.fixture
def house(tmp_path, monkeypatch):
    """Return a function that makes a rule of so many approvals; it gives one that calls a command as somebody."""
    monkeypatch.setattr(watching, "start_workers", lambda *_: None)
    monkeypatch.chdir(tmp_path)
    with token_server() as acme:

        def rule(approvals):
            text = CONFIGURATION.format(address=acme.address, approvals=approvals)
            (tmp_path / "rotator.toml").write_text(text)
            (tmp_path / "admin").write_text(acme.admin.reveal())
            for name in ("leak.csv", "more.csv"):
                (tmp_path / name).write_text(f"provider,id,owner\nacme_api_token,{acme.plant('shop').id},shop\n")
            return call

        def call(who, *words):
            monkeypatch.setenv("LOGNAME", who)
            return CliRunner().invoke(app, ["-q", *words])

        yield rule


def test_who_declares_reads_who_begins_it_and_how_he_does_alone(house):
    call = house(1)
    refused = call("ann", "respond", "leak.csv")
    assert (refused.exit_code, refused.stdout) == (4, "")
    assert "not declared; nothing was changed (nobody is there to ask: give --yes to declare the plan" in refused.stderr
    left = call("ann", "respond", "leak.csv", "--yes")
    assert left.exit_code == 4
    [line] = left.stderr.splitlines()
    for words in ("four eyes", "one of bob, cyd starts it with: ", "you do with --break-glass --reason … behind it"):
        assert words in line
    assert "break-glass" not in call("zoe", "respond", "leak.csv", "--yes").stderr


def test_a_program_that_declares_reads_what_was_declared_and_what_begins_it(house):
    call = house(2)
    told = call("ann", "incident", "declare", "leak.csv", "--title", "Stolen", "-o", "json")
    assert told.exit_code == 0
    incident = json.loads(told.stdout)["incident"]
    [revision] = incident["approvals"]
    approve = f"approve {incident['id']} --digest {incident['plan']}"
    assert (revision["revision"], revision["plan"]) == (1, incident["plan"])
    assert [(each["scope"], each["more"], each["of"]) for each in revision["wanted"]] == [
        ("containment", 2, ["bob", "cyd"]),
        ("destruction", 2, ["bob", "cyd"]),
    ]
    assert incident["approve"].endswith(approve)
    assert [each["command"].partition(approve)[2] for each in revision["wanted"]] == ["", " --scope destruction"]
    refused = call("ann", "respond", "leak.csv", "--yes", "-o", "json")
    assert (refused.exit_code, json.loads(refused.stdout)["totals"]["pending"]) == (4, 1)


@pytest.mark.parametrize("scope", ["containment", "destruction"])
def test_the_first_yes_of_two_is_kept_exits_three_and_says_what_the_other_types(house, scope):
    call = house(2)
    declared = json.loads(call("ann", "incident", "declare", "leak.csv", "--title", "Stolen", "-o", "json").stdout)
    approve = ("approve", declared["incident"]["id"], "--digest", declared["incident"]["plan"])
    if scope == "destruction":
        assert [call(who, *approve).exit_code for who in ("bob", "cyd")] == [3, 0]
    first, again = (call("bob", *approve, "--scope", scope) for _ in range(2))
    option = " --scope destruction" if scope == "destruction" else ""
    assert (first.exit_code, again.exit_code) == (3, 3)
    kept, wanted, *_ = first.stdout.splitlines()
    assert kept == "your yes is kept"
    assert wanted.startswith(f"{scope} wants 1 more approval by cyd")
    assert wanted.endswith(f"--digest {declared['incident']['plan']}{option}")
    assert again.stdout.splitlines()[0] == "your yes was there before"
    second = call("cyd", *approve, "--scope", scope)
    assert (second.exit_code, "approved" in second.stdout) == (0, True)


def test_who_made_none_of_what_one_yes_covers_is_named_as_an_incident_grows(house):
    call = house(1)
    incident = call("ann", "incident", "declare", "leak.csv", "--title", "Stolen").stdout.split()[0]
    grown = call("bob", "incident", "add", incident, "more.csv")
    assert grown.exit_code == 0
    assert "revision 2 of its plan (it covers revision 1 too); cyd starts it with: " in grown.stdout


def test_of_what_only_people_can_answer_nobody_is_asked_for_a_yes(house, tmp_path):
    call = house(1)
    (tmp_path / "leak.csv").write_text("provider,id\naws_iam_access_key,AKIAQ4R7T2W9Z3K5M8N1\n")
    incident = call("ann", "incident", "declare", "leak.csv", "--title", "Stolen").stdout.split()[0]
    told = call("ann", "report", incident).stdout
    assert "there is nothing to approve" in told
    assert "approve inc-" not in told
    call("ann", "incident", "add", incident, "more.csv")
    assert f"approve {incident} --digest" in call("ann", "report", incident).stdout


ORDER = """
[[credentials]]
match = {owner = "shop"}
environment = "staging"
[[standing_orders]]
name = "at-once"
triggers = ["cli"]
environments = ["staging"]
approved_by = "bob"
expires = 2099-12-31
reversible = false
"""


def test_what_a_standing_order_begins_at_once_has_somebody_who_does_it(house, tmp_path, monkeypatch):
    call = house(1)
    with (tmp_path / "rotator.toml").open("a") as file:
        file.write(ORDER)
    begun = []
    monkeypatch.setattr(watching, "start_workers", lambda *_: begun.append("started"))
    told = call("ann", "incident", "declare", "leak.csv", "--title", "Stolen").stdout
    assert ("the standing order at-once begins 1 at once" in told, begun) == (True, ["started"])
    assert "NOBODY WORKS on what is due. Start it with: " in call("ann", "report", "last").stdout
