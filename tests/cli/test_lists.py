"""Each list fits the terminal with every name whole, and is one JSON document or a line for each entry."""

from __future__ import annotations

import json
import sys

import pytest

from tests.cli.conftest import FIRST, SECOND

LONG = "arn:aws:iam::123456789012:user/engineering/continuous-integration/deployer"
MATCHED = f"""\
[[credentials]]
match = {{provider = "aws_iam_access_key", owner = "{LONG}"}}
reachable_from = ["repository:acme/a-repository-with-a-long-name", "host:ci-7.build.internal.example.com"]
[[notices]]
name = "oncall"
slack = "env:NOT_SET"
[[siem]]
name = "splunk"
url = "https://splunk.example:8088/services/collector/raw"
"""
LISTS = [
    (("incident", "list"), (FIRST, SECOND)),
    (("gate", "list", FIRST), ()),
    (("exposure", "list", FIRST), (f"{FIRST}.r1", "AKIAQ4R7T2W9Z3K5M8N1")),
    (("inventory", "list"), (LONG, "repository:acme/a-repository-with-a-long-name")),
    (("trigger", "list"), ()),
    (("token", "list"), ()),
    (("notice", "list"), ("oncall",)),
    (("siem", "status"), ("splunk",)),
    (("playbook", "list"), ("aws_service_specific_credential",)),
    (("provider", "list"), ("aws_service_specific_credential",)),
    (("config", "show", "--origin"), (LONG, "rotator.toml:7")),
]


@pytest.fixture
def listed(filled, tmp_path):
    with (tmp_path / "rotator.toml").open("a") as file:
        file.write(MATCHED)
    return filled


@pytest.mark.parametrize(("words", "names"), LISTS, ids=lambda each: " ".join(each[:3]))
def test_a_list_fits_the_terminal_with_every_name_whole(listed, monkeypatch, words, names):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setenv("LINES", "50")
    for width in (80, 100, 200):
        monkeypatch.setenv("COLUMNS", str(width))
        out = listed(*words).ended(0).out
        assert [name for name in names if name not in out] == [], f"at {width}"
        long = [line for line in out.splitlines() if len(line.rstrip()) > width]
        assert [line for line in long if max(map(len, line.split())) < width - 10] == [], f"at {width}"


@pytest.mark.parametrize("words", [*(words for words, _ in LISTS), ("playbook", "lint"), ("doctor",)], ids=" ".join)
def test_a_list_is_one_document_or_a_line_for_each_entry(listed, monkeypatch, words):
    monkeypatch.setattr("rotator.examining.doctor.reach", lambda _: [])
    done = listed(*words, "-o", "json")
    entries = json.loads(done.out)
    lines = listed(*words, "-o", "jsonl").ended(done.code).out.splitlines()
    assert isinstance(entries, list)
    assert [json.loads(line) for line in lines] == entries
