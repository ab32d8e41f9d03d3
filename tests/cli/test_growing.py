"""An incident grows on the command line: what is new is planned alone, what is there only seen once more."""

from __future__ import annotations

import pytest

LIST = "provider,id\n"


@pytest.fixture
def grown(data_dir, rotator):
    """Return the command line, where an incident has one key for a person's hand and a task."""
    assert data_dir
    rotator.is_ready = True
    (rotator.folder / "a.csv").write_text(LIST + "tls_private_key,k1\nnpm_token,npm-1\n")
    (rotator.folder / "b.csv").write_text(LIST + "tls_private_key,k1\ntls_private_key,k2\nnpm_token,npm-2\n")
    return rotator


def declared(rotator, file, title):
    return rotator("incident", "declare", file, "--title", title, "-q").ended(0).out.split()[0]


def test_what_is_new_is_a_revision_of_its_own_and_what_is_there_was_only_seen_elsewhere(grown):
    name = declared(grown, "a.csv", "Stolen")
    added = grown("incident", "add", name, "b.csv").ended(0)
    assert f"{name}: 1 credential that it has was seen in 1 more place" in added.out
    assert "k2" in added.err
    assert "k1," not in added.err
    shown = grown("plan", name, "-o", "json").ended(0).report
    assert (shown["planned"]["revision"], shown["planned"]["covers"]) == (2, [1])
    assert [each["id"] for each in shown["planned"]["credentials"]] == ["k2"]
    assert f"approve {name} --digest {shown['planned']['digest']}" in added.out
    assert {each["run"].rpartition(".")[2]: each["exposures"] for each in shown["credentials"]} == {
        "r1": 2,
        "m1": 1,
        "r2": 1,
        "m2": 1,
    }
    again = grown("incident", "add", name, "b.csv", "a.csv").ended(0)
    assert again.out.strip() == f"nothing new: {name} has all of that already"
    assert grown("plan", name, "-o", "json").report["planned"] == shown["planned"]


def test_a_foothold_alone_needs_no_approval_and_says_what_it_holds_up(grown):
    name = declared(grown, "a.csv", "Stolen")
    said = grown("incident", "add", name, "--foothold", "web-1").ended(0).out
    assert "foothold web-1, once anything of it is approved: none of its runs delivers there" in said
    shown = grown("plan", name, "-o", "json").report
    assert "revision" not in shown["planned"]
    assert [each["host"] for each in shown["incident"]["footholds"]] == ["web-1"]


def test_two_incidents_become_one_and_what_both_have_is_one(grown):
    first, second = declared(grown, "a.csv", "First"), declared(grown, "b.csv", "Second")
    assert "merged into itself" in grown("incident", "merge", first, first).ended(2).one_line
    said = grown("incident", "merge", second, first).ended(0).out
    assert f"1 of its credentials were in {first} already" in said
    report = grown("report", first, "-o", "json").report
    assert sorted(each["id"] for each in report["credentials"]) == ["k1", "k2", "npm-1", "npm-2"]
    assert report["totals"]["credentials"] == 4
    assert report["incident"]["plan"] in said
    other = grown("report", second, "-o", "json").report
    assert other["incident"]["merged_into"] == first
    assert other["totals"]["credentials"] == 0
    assert f"merged into {first}" in grown("incident", "add", second, "a.csv").ended(2).one_line
    listed = {each["id"]: each for each in grown("incident", "list", "-o", "json").report}
    assert (listed[second]["state"], listed[second]["credentials"]) == (f"merged into {first}", 0)
    assert listed[first]["credentials"] == 4


def test_a_report_that_names_nothing_makes_no_revision(grown):
    (grown.folder / "empty.csv").write_text(LIST)
    name = declared(grown, "a.csv", "Stolen")
    assert grown("incident", "add", name, "empty.csv").ended(2).one_line
    assert "no such incident" in grown("incident", "add", "inc-x", "a.csv").ended(2).one_line


def test_its_severity_is_raised_by_itself_and_never_lowered(called, data_dir):
    assert data_dir
    said = called("incident", "add", "last", "--severity", "critical").ended(0).out
    assert "its severity is raised" in said
    assert "nothing new" in called("incident", "add", "last", "--severity", "low").ended(0).out
    assert called("report", "last", "-o", "json").report["incident"]["severity"] == "critical"
