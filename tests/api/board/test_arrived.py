"""The board's list of vendors shows which advisories arrived of late, and whom they touch."""

from __future__ import annotations

import json

import pytest

from rotator import clock
from rotator.alarm import arriving
from rotator.flow.approval import Role
from rotator.report.clocks import moment
from rotator.shown.arrived import NAMED, WEEK_S, arrived
from tests.api.board.pages import page
from tests.api.calling import Api
from tests.fakes.vendors_paused import pause
from tests.shown.vendors import ADVISORY, RECORD, filled

EVIL = "<script>alert(1)</script>"


@pytest.fixture
def served(tmp_path):
    parts = filled(tmp_path)
    yield Api(parts)
    parts.database.close()


def test_what_arrived_stands_above_the_list_with_whom_it_touches(served):
    assert "Advisories that arrived" not in page(served, "/vendors").text
    at = clock.now() - 180
    arriving.take(served.parts, [RECORD], f"siem {EVIL}", at)
    pause(served.parts, "beta")
    found = page(served, "/vendors")
    assert EVIL not in found.source
    assert f'datetime="{moment(at)}"' in found.source
    acme = arrived(served.parts)[0]["touched"][0]
    assert f"acme {acme['priority']:.3g} pause now" in found.text
    assert "paused" in found.text
    assert f"A person decides: rotator vendor triage {ADVISORY}" in found.text
    assert "/vendors/acme" in found.links
    way = f"/triage?advisories={ADVISORY}"
    assert way in found.links
    assert f'name="advisories" value="{ADVISORY}"' in page(served, way, Role.RESPONDER).source


def test_what_touches_nobody_or_came_long_ago_is_not_shown(served):
    elsewhere = [{"package": {"ecosystem": "npm", "name": "chalk"}, "versions": ["5.6.1"]}]
    nobody = {"id": "GHSA-aaaa-bbbb-cccc", "affected": elsewhere}
    arriving.take(served.parts, [json.dumps(nobody)], "siem", clock.now())
    arriving.take(served.parts, [RECORD], "siem", clock.now() - WEEK_S - 1)
    assert arrived(served.parts) == []


def test_ordinary_vulnerabilities_are_counted_and_named_as_such(served):
    weak = {**json.loads(RECORD), "aliases": [], "database_specific": {"cwe_ids": ["CWE-79"]}}
    for number in range(NAMED + 1):
        arriving.take(served.parts, [json.dumps({**weak, "id": f"GHSA-aaaa-bbbb-000{number}"})], EVIL, clock.now())
    found = page(served, "/vendors")
    assert f"{NAMED + 1} ordinary vulnerabilities arrived, which touch nobody before a person says so" in found.text
    assert f"GHSA-aaaa-bbbb-000{NAMED} (an ordinary vulnerability by its cwe_ids: CWE-79)" in found.text
    assert "and 1 more" in found.text
    assert "pause now" not in found.text
    assert arrived(served.parts) == []
