"""What is done is offered to be taken back from where it can be, with what that would do, and from nowhere else."""

from __future__ import annotations

import time

import pytest

from rotator.flow.approval import Role
from tests.api.board.pages import page
from tests.api.calling import api
from tests.fakes.company import founded
from tests.fakes.deployment import sqlite

RUN = "inc-1.r1"


@pytest.fixture
def served(tmp_path):
    database = sqlite(tmp_path / "ledger.db")
    company, deployment = founded(tmp_path, database=database)
    company.world.wait_until(time.time() - 600)
    deployment.start([company.stolen("ssh_authorized_key", "deploy")[0]])
    deployment.rest(patience_s=300.0)
    yield api(tmp_path, database)
    database.close()


def test_an_undo_is_offered_where_there_is_a_way_back_and_says_what_it_would_do(served):
    found = page(served, f"/incidents/inc-1/credentials/{RUN}", Role.ADMIN)
    offered = [path.split("/")[-2] for path in found.acts() if path.endswith("/undo")]
    assert offered == ["deliver", "install"]
    assert "would do, one after the other: demote replacement, reload consumers" in found.text
    token = served.token(Role.ADMIN)
    for name in ("generate", "contain", "keep"):
        answer = served.asks("POST", f"/runs/{RUN}/steps/{name}/undo", token, json={"reason": "it is gone"})
        assert answer.status_code in {409, 422}, answer.text
