"""Alerts and the dashboard speak of figures that /metrics tells, and of no others."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from ruamel.yaml import YAML
from starlette.testclient import TestClient

from rotator.api import app
from rotator.bootstrap import Rotator
from rotator.settings.file import load

DEPLOY = Path(__file__).parents[2] / "deploy"
SERIES = {"gauge": ("",), "counter": ("",), "histogram": ("_bucket", "_sum", "_count")}


@pytest.fixture(scope="module")
def metrics(tmp_path_factory):
    """Return what an empty deployment tells."""
    config = tmp_path_factory.mktemp("watched") / "rotator.toml"
    config.write_text('data_dir = "data"\n')
    return TestClient(app.make(Rotator(load(config)))).get("/metrics").text


def told_by(metrics):
    families = dict(re.findall(r"^# TYPE (\S+) (\S+)$", metrics, re.MULTILINE))
    return {name + end for name, kind in families.items() for end in SERIES[kind]}


def rules():
    return [
        each
        for group in YAML(typ="safe").load(DEPLOY / "prometheus" / "alerts.yaml")["groups"]
        for each in group["rules"]
    ]


def panels():
    return json.loads((DEPLOY / "grafana" / "rotator.json").read_text())["panels"]


def used_by(expressions):
    return {name for each in expressions for name in re.findall(r"\brotator_\w+", each)}


def test_each_line_of_metrics_is_of_a_family_that_is_declared(metrics):
    lines = [line for line in metrics.splitlines() if not line.startswith("#")]
    assert lines
    for line in lines:
        name, value = re.fullmatch(r'(\w+)(?:\{(?:\w+="[^"\n\\]*",?)+\})? (\S+)', line).groups()
        assert name in told_by(metrics)
        assert float(value) >= 0


def test_alerts_use_what_metrics_tell_and_say_what_to_look_at(metrics):
    assert used_by(each["expr"] for each in rules()) <= told_by(metrics)
    for each in rules():
        assert each["labels"]["severity"] in {"critical", "warning"}
        assert set(each["annotations"]) == {"summary", "description"}
        assert re.fullmatch(r"\d+m", each["for"])
    assert len({each["alert"] for each in rules()}) == len(rules())


def test_the_dashboard_uses_what_metrics_tell_and_shows_all_that_responders_need(metrics):
    used = used_by(target["expr"] for each in panels() for target in each["targets"])
    assert used <= told_by(metrics)
    ours = {name for name in told_by(metrics) if not name.endswith(("_bucket", "_sum", "_count"))}
    not_shown = {"rotator_credentials", "rotator_time_seconds", "rotator_notice_age_seconds", "rotator_siem_waiting"}
    of_the_evidence = {"checkpoint_unkept_seconds", "witnesses_failing", "checkpoints_forked"}
    of_drills = {"drill_age_seconds", "drill_late", "drill_proven_dead_seconds"}
    assert ours - used <= not_shown | {f"rotator_{each}" for each in of_the_evidence | of_drills}
    places = [(each["gridPos"]["x"], each["gridPos"]["y"]) for each in panels()]
    assert len(set(places)) == len(places)
    assert len({each["id"] for each in panels()}) == len(panels())
