"""How long an incident took is told as the report of its period tells it, with what is open counted as open."""

from __future__ import annotations

import csv

import pytest
from rich.console import Console

from rotator.flow.exposure import Disposition
from rotator.flow.playbook_words import Strategy
from rotator.flow.scope import Unresolved
from rotator.ledger import responses
from rotator.report import compliance, csv_form, html_form
from rotator.report.incident import build
from rotator.report.terminal import incident_text
from tests.fakes.company import founded

KEY, TOKEN = "aws_iam_access_key", "acme_api_token"
BAIT = "inc-1.r1"
LATER_S = 5000.0


@pytest.fixture(scope="module")
def half_done(tmp_path_factory):
    """Return a deployment of which three keys are dead, and a token that came later, a bait and a task are not."""
    company, deployment = founded(tmp_path_factory.mktemp("half done"))
    keys = [company.stolen(KEY, owner=f"o{number}")[0] for number in range(3)]
    bait, late = company.stolen(TOKEN, owner="bait")[0], company.stolen(TOKEN)[0]
    left = [Unresolved(TOKEN, "nobody's", (), "nobody knows it", "ask its owner")]
    plan = deployment.declare([*keys, bait], left, Strategy.REVOKE_ONLY)
    deployment.dismissing.dismiss("inc-1", BAIT, Disposition.CANARY, "ann", "ours")
    deployment.enrolment.approve("inc-1", plan.digest, by="test")
    deployment.rest()
    deployment.declare([late], wanted=Strategy.REVOKE_ONLY, incident="inc-2")
    deployment.enrolment.merge("inc-2", "inc-1", by="ann")
    return deployment


def at(deployment):
    return deployment.world.now() + LATER_S


def test_an_incident_and_its_period_tell_the_same_figures(half_done):
    now = at(half_done)
    found = build(half_done.record(), now=now)
    period = compliance.build(responses.find(half_done.database, 0.0, now), 0.0, now, now)
    told, figures = found["time_to_revoke"], period["clocks"]["proven_dead"]
    assert [told[name] for name in ("p50_s", "p95_s", "max_s")] == [figures[n] for n in ("p50_s", "p95_s", "max_s")]
    assert told["still_open"] == figures["open"] == 2
    assert (told["mean_s"], told["p95_s"]) == (None, None)
    assert told["p50_s"] == told["max_s"] > 0
    of_keys = next(each for each in period["by"]["provider"] if each["name"] == KEY)
    assert found["by_provider"][KEY]["mean_s"] == of_keys["proven_dead"]["mean_s"] > 0
    assert found["by_provider"][TOKEN] == {"credentials": 2, "proven_dead": 0, "mean_s": None}


def test_what_nobody_approved_has_not_begun_and_counts_as_open(half_done):
    latency = build(half_done.record(), now=at(half_done))["revocation_latency"]
    assert latency["still_open"] == 2
    assert 0 < latency["mean_s"] <= latency["max_s"] == latency["p95_s"]


def test_each_form_says_what_is_not_reached_yet_and_never_nothing(half_done):
    report = build(half_done.record(), now=at(half_done))
    half = report["time_to_revoke"]["p50_s"]
    shown = Console(width=400)
    with shown.capture() as captured:
        shown.print(incident_text(report))
    times = f"mean not known yet · p50 {half:.1f} s · p95 not reached yet · max {half:.1f} s; still open 2"
    assert times in captured.get()
    page = html_form.text(report, at(half_done))
    assert page.count("not reached yet</td>") == 1
    assert page.count("not known yet</td>") == 2  # of all, and of the tokens
    assert "enters no figure" not in page


def test_who_has_the_table_alone_can_count_what_is_open_too(half_done):
    report = build(half_done.record(), now=at(half_done))
    rows = {each["run"]: each for each in csv.DictReader(csv_form.text(report))}
    told = {run: (bool(each["time_to_revoke_s"]), bool(each["open_for_s"])) for run, each in rows.items()}
    assert told.pop(BAIT) == (False, False)  # dismissed: no figure counts it
    assert sorted(told.values()) == [(False, True)] * 2 + [(True, False)] * 3
    assert float(rows["inc-1.m1"]["open_for_s"]) > LATER_S
    assert "as_of" in report
    assert {each["open_for_s"] for each in csv.DictReader(csv_form.text({**report, "as_of": ""}))} == {""}
