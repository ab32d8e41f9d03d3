"""The benchmarks measure what they say; how fast it was is no test's business."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.bound import Account, Job, bound
from benchmarks.cloud import Limits
from benchmarks.cloud_keys import OnWorld, embedded, estate, stolen, wait_until_idle
from benchmarks.order import CALLS
from rotator.ledger.sending import Sending

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def short(tmp_path_factory):
    """Return what a short run printed and what it wrote."""
    results = tmp_path_factory.mktemp("bench") / "bench.json"
    run = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--short", "--results", results],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=480,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout, json.loads(results.read_text())


def test_every_figure_has_a_name_a_value_a_unit_and_a_target(short):
    _, results = short
    assert results
    for each in results:
        assert set(each) == {"name", "value", "unit", "target", "better"}
        assert each["name"]
        assert each["unit"] in {"s", "ratio", "GB"}
        assert each["better"] in {"lower", "higher"}
        assert each["value"] > 0
        assert each["target"] > 0
    assert len({each["name"] for each in results}) == len(results)


@pytest.mark.parametrize(
    "name",
    [
        "rotator --help",
        "rotator incident list",
        "rotator report last",
        "intake of",
        "AWS keys contained and proven / bare loop",
        "calls a second with SQLite / bare loop",
        "calls a second with PostgreSQL / bare loop",
        "weighted time to proven dead",
        "last proven dead",
        "time of the next credential",
        "memory of the next credential",
        "plan of",
        "serial boto3 script",
    ],
)
def test_each_benchmark_is_among_them(short, name):
    assert name in " | ".join(each["name"] for each in short[1])


def test_only_a_rate_wants_to_be_high(short):
    high = {each["name"] for each in short[1] if each["better"] == "higher"}
    assert high == {name for name in (each["name"] for each in short[1]) if name.startswith("calls a second")}


def test_the_rotator_and_the_bare_loop_make_the_same_calls(short):
    calls = re.findall(r"CPU\), ([\d,]+) calls", short[0])
    assert len(calls) == 4
    assert len(set(calls)) == 1


def test_within_the_burst_only_latencies_and_waits_take_time():
    least = bound([Job("a", 1.0, 3)], Account(rate=1.0, burst=3, latency_s=0.1, waits_s=2.0))
    assert least.weighted_mean_s == least.makespan_s == pytest.approx(2.3)


def test_beyond_the_burst_each_call_waits_for_the_rate():
    least = bound([Job("a", 1.0, 2), Job("a", 1.0, 2)], Account(rate=2.0, burst=1, latency_s=0.0, waits_s=0.0))
    assert least.weighted_mean_s == pytest.approx((0.5 + 1.5) / 2)
    assert least.makespan_s == pytest.approx(1.5)


def test_what_weighs_more_for_its_calls_goes_first():
    light, heavy, long = Job("a", 1.0, 1), Job("a", 10.0, 1), Job("a", 12.0, 4)
    least = bound([light, long, heavy], Account(rate=1.0, burst=0, latency_s=0.0, waits_s=0.0))
    assert least.weighted_mean_s == pytest.approx((10 * 1 + 12 * 5 + 1 * 6) / 23)


def test_accounts_do_not_wait_for_each_other():
    least = bound([Job("a", 1.0, 1), Job("b", 1.0, 1)], Account(rate=1.0, burst=0, latency_s=0.0, waits_s=0.0))
    assert least.makespan_s == pytest.approx(1.0)


def test_calls_after_the_waits_need_not_be_queued_for():
    jobs, account = [Job("a", 1.0, 3), Job("a", 1.0, 3)], Account(rate=1.0, burst=0, latency_s=0.0, waits_s=5.0)
    assert bound(jobs, account, calls_after_waits=1).makespan_s == pytest.approx(4 + 5)


def test_an_account_is_charged_no_call_that_is_not_made(tmp_path, monkeypatch):
    granted = []
    take = Sending.take

    def counted(self, *given):
        found = take(self, *given)
        granted.extend(each.calls for each in found)
        return found

    monkeypatch.setattr(Sending, "take", counted)
    limits = Limits(credentials=5, accounts=1, latency_s=0.0, propagation_s=0.2, rate=1000.0, burst=100)
    with estate(tmp_path, limits, settle_s=0.2) as cloud:
        parts = OnWorld(cloud.settings(tmp_path / "rotator", 4), cloud.world())
        incident, prepared = stolen(parts, cloud.keys)
        with embedded(parts):
            parts.enrolment.approve(incident, prepared.plan.digest, by="test")
            wait_until_idle(parts, 60)
        parts.database.close()
        calls, _ = cloud.told()
    assert sum(calls.values()) == 5 * CALLS
    assert sum(granted) == 5 * CALLS
