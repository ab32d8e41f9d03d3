"""A report is printed as a file to keep or as a table for spreadsheets, with the same exit code in every form."""

from __future__ import annotations

import csv
import json

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
    assert "html" in filled("report", FIRST, "-o", "pdf").ended(2).err
