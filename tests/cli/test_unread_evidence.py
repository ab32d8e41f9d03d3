"""Evidence that could not be read is a warning of the plan: who approves it did not see the files being read."""

from __future__ import annotations

import pytest

INVENTORY = """
credentials:
  - {match: {provider: npm_token, owner: web, id: n1}, reachable_from: ["host:a"], reads: []}
  - {match: {provider: npm_token, owner: app, id: n2}, reachable_from: ["host:b"], reads: []}
"""
PACKAGE = ("--package", "litellm==1.82.7", "--evidence")


@pytest.fixture
def company(called, tmp_path):
    """Return the command line; of two hosts with the bad package and a token, each has files that nobody can read."""
    (tmp_path / "rotator.toml").write_text('data_dir = "data"\n')
    (tmp_path / "inventory.yaml").write_text(INVENTORY)
    for name in "ab":
        (tmp_path / name / "host" / name).mkdir(parents=True)
        (tmp_path / name / "host" / name / "freeze.txt").write_text("litellm==1.82.7\n")
        for number in range(5):
            (tmp_path / name / "host" / name / f"{number}.gz").write_bytes(b"\x1f\x8b\x08")
    called("inventory", "import", "inventory.yaml").ended(0)
    return called


def warned(called):
    plan = called("plan", "last", "-o", "json").ended(0).report["planned"]
    return [each for each in plan["warnings"] if "evidence" in each]


def test_what_was_not_read_is_told_in_the_plan_of_a_quiet_declaration_and_of_what_grows(company):
    said = "5 of 6 files of evidence may hide a bad package: {0}/host/{0}/0.gz: this is binary data, not a report; "
    for words, name in (("declare --title Bad", "a"), ("add last", "b")):
        company("incident", *words.split(), *PACKAGE, name, "-q").ended(0)
        [told] = warned(company)
        assert told.startswith(said.format(name))
        assert told.endswith("; and 2 more")
    again = company("incident", "add", "last", *PACKAGE, "b", "-q").ended(0)
    assert said.format("b") in again.err
    assert "nothing new" in again.out


def test_what_was_read_whole_warns_of_nothing(company, tmp_path):
    for each in tmp_path.glob("a/host/a/*.gz"):
        each.unlink()
    company("incident", "declare", "--title", "Bad", *PACKAGE, "a", "-q").ended(0)
    assert warned(company) == []
