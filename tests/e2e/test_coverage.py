"""Coverage tells what is unused, and never calls what it lists with unused: an emulator keeps no last use."""

from __future__ import annotations

import json

from tests.e2e.company import AWS


def test_the_rotators_own_key_is_named_as_that_and_not_as_unused(found_company):
    found = found_company(AWS)
    own = json.loads((found.folder / "rotator-credentials" / "aws.json").read_text())["aws_access_key_id"]
    done = found.rotator("inventory", "coverage", "aws", "-o", "json").ended(3)
    [listed] = [each for each in done.report["uncovered"] if each["id"] == own]
    assert (listed["own"], listed["unused"]) == (True, "")
    assert "the rotator's own" in " ".join(found.rotator("inventory", "coverage", "aws").ended(3).out.split())
