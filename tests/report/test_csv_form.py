"""The table for spreadsheets: a row for each credential, and nothing in it that a spreadsheet would compute."""

from __future__ import annotations

import csv

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotator.flow.playbook_words import Strategy
from rotator.report import csv_form
from rotator.report.incident import build

KEY = "aws_iam_access_key"


def rows(report):
    return list(csv.DictReader(csv_form.text(report)))


def test_each_credential_is_a_row_with_its_times(house):
    company, deployment = house
    deployment.start([company.stolen(KEY, owner=f"o{number}")[0] for number in range(2)], wanted=Strategy.REVOKE_ONLY)
    deployment.rest()
    report = build(deployment.record())
    found = rows(report)
    assert [each["run"] for each in found] == [each["run"] for each in report["credentials"]]
    assert {each["state"] for each in found} == {"proven_dead"}
    seconds = sorted(float(each["time_to_revoke_s"]) for each in found)
    assert seconds[-1] == pytest.approx(report["time_to_revoke"]["max_s"], abs=0.002)
    assert [*found[0]][:9] == [
        "incident", "run", "provider", "connection", "owner", "id", "state", "evidence", "strategy",
    ]  # fmt: skip


def test_a_name_that_is_a_formula_is_text(house):
    company, deployment = house
    deployment.start([company.stolen(KEY, owner='=HYPERLINK("http://evil")')[0]])
    assert rows(build(deployment.record()))[0]["owner"] == '\'=HYPERLINK("http://evil")'


@given(st.text())
def test_no_cell_begins_as_a_formula_or_breaks_its_line(text):
    cell = csv_form.safe(text)
    assert not cell.lstrip().startswith(("=", "+", "-", "@", "\N{FULLWIDTH EQUALS SIGN}"))
    assert "\n" not in cell
    assert "\r" not in cell
