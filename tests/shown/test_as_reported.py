"""What pages sum up themselves is what the report says, also where incidents became one."""

from __future__ import annotations

import pytest

from rotator.flow.exposure import Disposition
from rotator.flow.playbook_words import Strategy
from rotator.ledger import listing
from rotator.shown import reports as shown_reports
from rotator.shown.incidents import report
from rotator.shown.live import live
from rotator.shown.reports import reports
from tests.api.calling import api
from tests.fakes.company import founded
from tests.fakes.deployment import sqlite

KEY, TOKEN = "aws_iam_access_key", "acme_api_token"


@pytest.fixture
def house(tmp_path):
    """Return parts, and a deployment with two incidents that share a credential, and a foothold nobody knows."""
    database = sqlite(tmp_path / "ledger.db")
    company, deployment = founded(tmp_path, database=database)
    first, both, other = (company.stolen(kind, owner)[0] for kind, owner in ((KEY, "a"), (TOKEN, "b"), (KEY, "c")))
    deployment.start([first, both], footholds=["nobody-knows"])
    deployment.rest(patience_s=60.0)
    company.world.wait_until(company.world.now() + 1000)
    deployment.declare([both, other], wanted=Strategy.REVOKE_ONLY, incident="inc-2")
    parts = api(tmp_path, database).parts
    yield parts, deployment
    live(parts).close()
    database.close()


def agree(parts):
    found = reports(parts, 1)["rows"]
    assert found
    for each in found:
        assert each["times"] == report(parts, each["id"])["time_to_revoke"]


def test_times_to_revoke_are_those_of_the_report_before_and_after_a_merge(house):
    parts, deployment = house
    agree(parts)
    deployment.dismissing.dismiss("inc-2", "inc-2.r2", Disposition.CANARY, "ann", "bait")
    agree(parts)
    deployment.enrolment.merge("inc-2", "inc-1", by="ann")
    agree(parts)
    deployment.enrolment.approve("inc-1", deployment.record("inc-1").plan_digest, by="ann")
    deployment.rest(patience_s=60.0)
    agree(parts)


def test_a_page_of_reports_looks_at_no_more_incidents_than_it_shows(house, monkeypatch):
    parts, _ = house
    looked_at, count = [], listing._count
    monkeypatch.setattr(shown_reports, "ON_A_PAGE", 1)
    monkeypatch.setattr(listing, "_count", lambda *of: looked_at.append([*of[2]]) or count(*of))
    first, second = reports(parts, 1), reports(parts, 9)  # the last, where there is no ninth
    assert [each["id"] for each in (*first["rows"], *second["rows"])] == ["inc-2", "inc-1"]
    assert looked_at == [["inc-2"], ["inc-1"]]
    assert (first["count"], second["page"], second["pages"]) == (2, 2, 2)


def test_a_foothold_that_nobody_knows_is_told_so_live_too(house):
    parts, _ = house
    known = [each["known"] for each in report(parts, "inc-1")["incident"]["footholds"]]
    assert known == [False]
    assert [each["known"] for each in live(parts).of("inc-1", None).whole["footholds"]] == known
