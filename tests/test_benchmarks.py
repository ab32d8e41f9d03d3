"""The benchmarks measure what they say; how fast it was is no test's business."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

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
        timeout=240,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout, json.loads(results.read_text())


def test_every_figure_has_a_name_a_value_a_unit_and_a_target(short):
    _, results = short
    assert results
    for each in results:
        assert set(each) == {"name", "value", "unit", "target"}
        assert each["name"]
        assert each["unit"] in {"s", "ratio"}
        assert each["value"] > 0
        assert each["target"] > 0
    assert len({each["name"] for each in results}) == len(results)


def test_help_intake_and_response_are_among_them(short):
    names = " | ".join(each["name"] for each in short[1])
    for name in ("rotator --help", "intake of", "AWS keys contained and proven / bare loop"):
        assert name in names


def test_the_rotator_and_the_bare_loop_make_the_same_calls(short):
    calls = re.findall(r"([\d,]+) calls", short[0])
    assert len(calls) == 4
    assert len(set(calls)) == 1
