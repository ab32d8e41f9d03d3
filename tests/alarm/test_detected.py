"""What is detected by an advisory was detected when that arrived: a pause's clocks begin there, and so it is told."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from rotator import clock, vendors_risk
from rotator.alarm import arriving
from tests.drills.world import ground
from tests.fakes.company import founded
from tests.shown.vendors import ADVISORY, RECORD, filled
from tests.test_pausing import House

KEY = "aws_iam_access_key"


@pytest.fixture
def house(tmp_path, monkeypatch):
    here = ground(*founded(tmp_path), monkeypatch)
    yield House(here)
    here.deployment.database.close()


def test_the_clocks_of_a_pause_begin_when_its_advisory_arrived(house):
    house.holds(KEY)
    at = clock.now() - 600
    arriving.take(house.parts, [RECORD], "siem", at)
    incident, found = house.paused(notices=["MAL-2026-2144"])  # by another of its names
    assert house.parts.reading.incident(incident).incident.detected_at == pytest.approx(at, abs=0.001)
    assert any(f"detected as {ADVISORY} arrived" in line for line in found.notes)


def test_a_pause_for_anything_else_is_detected_as_it_is_made(house):
    house.holds(KEY)
    arriving.take(house.parts, [RECORD], "siem", clock.now() - 600)
    before = clock.now()
    incident, _ = house.paused(notices=["GHSA-aaaa-bbbb-cccc"])
    assert house.parts.reading.incident(incident).incident.detected_at >= before


def test_how_long_an_advisory_took_to_arrive_is_told_of_each_vendor_that_it_touches(tmp_path):
    parts = filled(tmp_path)
    now = int(clock.now())
    first = {**json.loads(RECORD), "published": datetime.fromtimestamp(now - 100, UTC).isoformat()}
    arriving.take(parts, [json.dumps(first)], "siem", now - 60)
    del first["published"]
    arriving.take(parts, [json.dumps({**first, "id": "GHSA-aaaa-bbbb-cccc", "aliases": []})], "siem", now)
    found = vendors_risk.times(parts, "acme")["acme"]["advised"]
    assert (found["n"], found["unknown"], found["mean_s"]) == (1, 1, 40.0)
    assert set(vendors_risk.times(parts)) == {"acme", "beta", "delta"}
    parts.database.close()
