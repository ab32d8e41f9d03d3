"""A report is printed as a file to keep or as a table for spreadsheets, with the same exit code in every form."""

from __future__ import annotations

import csv
import json

from rotator.cli import compliance
from rotator.cli import written as report_file
from tests.cli.conftest import FIRST


def test_every_form_tells_the_same_credentials_and_exits_alike(filled):
    plain = filled("report", FIRST, "-o", "json")
    runs = [each["run"] for each in json.loads(plain.out)["credentials"]]
    table, page = filled("report", FIRST, "-o", "csv"), filled("report", FIRST, "-o", "html")
    assert [each["run"] for each in csv.DictReader(table.out.splitlines())] == runs
    assert page.out.startswith("<!doctype html>")
    assert all(each in page.out for each in runs)
    assert plain.code == table.code == page.code


def test_a_form_that_is_none_is_refused_with_those_that_are(filled):
    assert "html" in filled("report", FIRST, "-o", "docx").ended(2).err


def test_pdf_is_printed_as_its_bytes_are_and_never_on_a_terminal(filled, monkeypatch):
    written = []
    for module in (compliance, report_file):
        monkeypatch.setattr(module, "printed", lambda file: written.append(b"".join(file)))
    assert filled("report", FIRST, "-o", "pdf").code == filled("report", FIRST, "-o", "json").code
    filled("report", "compliance", "-o", "pdf").ended(0)
    assert [each[:5] for each in written] == [b"%PDF-"] * 2
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    for what in (("report", FIRST), ("report", "compliance"), ("incident", "show", FIRST)):
        assert "send it to a file" in filled(*what, "-o", "pdf").ended(2).err
    assert len(written) == 2


def test_the_compliance_report_tells_a_period_in_every_form(filled):
    period = ("report", "compliance", "--from", "1970-01-01", "--to", "1970-01-02T00:00:00+00:00")
    told = json.loads(filled(*period, "-o", "json").ended(0).out)
    assert (told["population"]["credentials"], told["states"]["not_approved"]) == (2, 2)
    assert told["compliance"]["to"] == "1970-01-02T00:00:00.000Z"
    table = filled(*period, "-o", "csv").ended(0)
    assert [each["of"] for each in csv.DictReader(table.out.splitlines())] == [f"{FIRST}.r1", f"{FIRST}.r2"]
    assert filled(*period, "-o", "html").ended(0).out.startswith("<!doctype html>")
    assert "2 not approved" in filled(*period).ended(0).out
    assert "0 of 0 incidents" in filled("report", "compliance").ended(0).out


def test_a_period_that_is_none_is_refused(filled):
    assert "is no day" in filled("report", "compliance", "--from", "yesterday").ended(2).err
    assert "ends before" in filled("report", "compliance", "--from", "2026-02-01", "--to", "2026-01-01").ended(2).err
    assert "leave them out" in filled("report", FIRST, "--from", "2026-02-01").ended(2).err
