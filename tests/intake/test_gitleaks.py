from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.serialization import load_ssh_private_key

from rotator.errors import BadInput


def test_a_real_report_is_read_whole(sample, exposures):
    found = exposures(sample("gitleaks.json"))
    assert Counter(each.rule for each in found) == Counter(
        each["RuleID"] for each in json.loads(sample("gitleaks.json"))
    )
    assert all(each.path.startswith("home/") and each.line for each in found)


def test_its_aws_finding_is_the_id_alone(sample, exposures):
    keys = [each.leaked for each in exposures(sample("gitleaks.json")) if each.rule == "aws-access-token"]
    assert {each.id for each in keys} == {"AKIAUJZDEGXDNCF32EPF", "AKIAH2KVJ72CEUVW75EF"}
    assert {each.secret for each in keys} == {None}


def test_one_key_written_in_three_ways_is_one_material(sample, exposures):
    keys = [each for each in exposures(sample("gitleaks.json")) if each.rule == "private-key"]
    assert len({each.path for each in keys}) == 3
    (material,) = {each.leaked.secret for each in keys}
    assert load_ssh_private_key(material.reveal().encode(), None)


def test_a_commit_has_its_time(exposures):
    finding = {"RuleID": "x", "Secret": "y", "File": "f", "Commit": "abc", "Date": "2026-01-02T02:04:05Z"}
    (found,) = exposures(json.dumps([finding]).encode())
    assert (found.commit, found.seen_at) == ("abc", datetime(2026, 1, 2, 2, 4, 5, tzinfo=UTC))


def test_a_line_that_no_file_has_is_none(exposures):
    for number, line in ((7, 7), (0, None), (1 << 31, None), (10**30, None)):
        finding = {"RuleID": "x", "Secret": "y", "File": "f", "StartLine": number}
        assert exposures(json.dumps([finding]).encode())[0].line == line


def test_a_truncated_key_stays_truncated(exposures):
    cut = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAA"
    (found,) = exposures(json.dumps([{"RuleID": "private-key", "Secret": cut}]).encode())
    assert found.leaked.secret.reveal() == cut + "\n"


def test_an_empty_array_is_a_scan_that_found_nothing(exposures):
    assert exposures(b"[]") == []
    assert exposures(b" [ \n ] \n") == []


def test_a_redacted_report_is_refused(exposures):
    with pytest.raises(BadInput, match="redacted"):
        exposures(json.dumps([{"RuleID": "x", "Secret": "REDACTED"}]).encode())
