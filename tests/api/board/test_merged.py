"""Where two incidents became one, the page of the one offers what moves either run on, and of the other leads there."""

from __future__ import annotations

import time

import pytest

from rotator.errors import Rejected
from rotator.flow.approval import Role
from rotator.flow.playbook_words import Strategy
from rotator.shown.live import live
from tests.api.board.pages import page
from tests.api.calling import V1, api
from tests.fakes.company import founded
from tests.fakes.deployment import sqlite


def refused(phase, what, _changes):
    if phase == "before" and what.startswith("issuer.suspend"):
        raise Rejected("access_denied")


@pytest.fixture
def served(tmp_path):
    """Return the API on two incidents that became one: a stop of the key that both had failed in each."""
    database = sqlite(tmp_path / "ledger.db")
    company, deployment = founded(tmp_path, database=database)
    company.world.wait_until(time.time() - 600)
    stolen = [company.stolen("aws_iam_access_key")[0]]
    company.world.meet = refused
    for incident in ("inc-1", "inc-2"):
        deployment.start(stolen, wanted=Strategy.REVOKE_ONLY, incident=incident)
    deployment.rest(patience_s=60.0)
    deployment.enrolment.merge("inc-2", "inc-1", by="ann")
    found = api(tmp_path, database)
    yield found
    live(found.parts).close()
    database.close()


@pytest.mark.parametrize("path", ["/incidents/inc-1", "/incidents/inc-1/credentials/inc-1.r1"])
def test_each_run_of_a_credential_has_its_acts(served, path):
    found = page(served, path, Role.ADMIN)
    for run in ("inc-1.r1", "inc-2.r1"):
        assert {f"{V1}/runs/{run}/steps/contain/{act}" for act in ("retry", "skip")} <= set(found.acts())
    assert "Retry contain of inc-2.r1" in found.text


def test_the_other_run_can_be_looked_at(served):
    found = page(served, "/incidents/inc-1/credentials/inc-1.r1")
    assert "/incidents/inc-2/credentials/inc-2.r1" in found.links
    assert page(served, "/incidents/inc-2/credentials/inc-2.r1").status == 200


def test_an_incident_that_was_merged_leads_to_the_other_and_offers_nothing_that_is_refused(served):
    found = page(served, "/incidents/inc-2", Role.ADMIN)
    assert found.links["/incidents/inc-1"] == "Merged into inc-1"
    assert "/incidents/new?to=inc-2" not in found.links
    assert f"{V1}/incidents/inc-2/close" not in found.acts()
