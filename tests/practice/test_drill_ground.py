"""One command, with nothing configured: a range of its own, a drill at each of its issuers, and nothing left."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from tests.e2e.commands import CommandLine


def test_without_any_configuration_a_drill_is_held_in_a_range_of_its_own(tmp_path):
    before = set(Path(tempfile.gettempdir()).glob("rotator-drill-*"))
    found = json.loads(CommandLine(tmp_path)("drill", "run", "-o", "json").ended(0).out)
    assert {each["providers"][0]: each["trigger"] for each in found} == {
        "aws_iam_access_key": "scanner",
        "vault_token": "manual",
        "acme_api_token": "alarm",
    }
    for each in found:
        [canary] = each["canaries"]
        assert (each["outcome"], each["slow"]) == ("proven", [])
        assert all(seconds is not None for seconds in canary["seconds"].values())
    assert set(Path(tempfile.gettempdir()).glob("rotator-drill-*")) <= before
    assert list(tmp_path.iterdir()) == []
