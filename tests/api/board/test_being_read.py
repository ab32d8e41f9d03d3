"""A page does not wait for a large plan to be read: it says so, and the plan is read once for all who ask."""

from __future__ import annotations

import json
import threading
import zlib

import pytest
from sqlalchemy import update

from rotator.flow.approval import Role
from rotator.flow.forecast import forecast
from rotator.flow.outage import expected
from rotator.ledger import tables
from rotator.report.planned import document
from rotator.shown import plans
from tests.api.board.pages import page
from tests.api.calling import api
from tests.fakes.company import founded
from tests.fakes.deployment import sqlite

PLAN, CREDENTIAL = "/incidents/inc-1/plan", "/incidents/inc-1/credentials/inc-1.r1"


@pytest.fixture
def served(tmp_path):
    database = sqlite(tmp_path / "ledger.db")
    company, deployment = founded(tmp_path, database=database)
    found = [company.stolen("aws_iam_access_key")[0]]
    plan = deployment.declare(found)
    calls = forecast(plan, {})
    packed = zlib.compress(json.dumps(document(plan, found, calls, expected(plan, found, calls))).encode())
    with database.write() as connection:
        connection.execute(update(tables.plan).values(document=packed))
    yield api(tmp_path, database)
    database.close()


def test_a_large_plan_is_read_beside_and_once(served, monkeypatch):
    may_end, made, read = threading.Event(), [], plans.revision

    def slow(document):
        may_end.wait()
        made.append(read(document))
        return made[-1]

    monkeypatch.setattr(plans, "revision", slow)
    monkeypatch.setattr(plans, "_LARGE", 0)
    for path in (PLAN, "/incidents/inc-1/graph"):
        found = page(served, path, Role.APPROVER)
        assert "The plan is being read." in found.text
        assert 'data-part="being-read"' in found.source
        assert 'data-live="/api/v1/incidents/inc-1/events"' in found.source
    assert "The plan is being read: it stands here soon." in page(served, CREDENTIAL).text
    may_end.set()
    monkeypatch.setattr(plans, "_LARGE", 1)
    assert "What it does: 1 credential" in page(served, PLAN, Role.APPROVER).text
    assert "seen in laptop/.env:7" in page(served, CREDENTIAL).text
    assert len(made) == 1


def test_a_plan_that_could_not_be_read_is_read_again_by_who_asks_next(served, monkeypatch):
    read = plans.revision
    monkeypatch.setattr(plans, "revision", lambda _: 1 / 0)
    assert page(served, PLAN).status == 500
    monkeypatch.setattr(plans, "revision", read)
    assert page(served, PLAN).status == 200
