"""Strangers who ask how it stands, however many, keep nobody from acting."""

from __future__ import annotations

import asyncio
import re
import threading

import httpx2
import pytest

from rotator.api import app, gauges
from rotator.evidence.signing import SigningKey
from rotator.flow.approval import Role
from rotator.witnessing import witnesses_of
from tests.api.calling import V1, api
from tests.fakes.deployment import sqlite


@pytest.fixture
def served(tmp_path):
    database = sqlite(tmp_path / "ledger.db")
    yield api(tmp_path, database)
    database.close()


def test_whoever_asks_for_metrics_holds_up_neither_a_stop_nor_health(served, monkeypatch):
    counted, begun, ends = [], threading.Event(), threading.Event()

    def slow(_parts):
        counted.append(1)
        begun.set()
        ends.wait(60)
        return ["# counted"]

    monkeypatch.setattr(gauges, "lines", slow)
    headers = {"Authorization": f"Bearer {served.token(Role.RESPONDER)}"}

    async def asked():
        transport = httpx2.ASGITransport(app.make(served.parts))
        async with httpx2.AsyncClient(transport=transport, base_url="http://testserver", timeout=60) as client:
            strangers = [asyncio.ensure_future(client.get("/metrics")) for _ in range(60)]
            await asyncio.to_thread(begun.wait, 60)
            others = [await client.get(path) for path in ("/healthz", "/readyz")]
            others.append(await client.post(f"{V1}/stop", json={"reason": "because"}, headers=headers))
            was_waiting = not any(each.done() for each in strangers)
            ends.set()
            return [each.status_code for each in others], was_waiting, await asyncio.gather(*strangers)

    statuses, was_waiting, told = asyncio.run(asyncio.wait_for(asked(), 60))
    assert (statuses, was_waiting) == ([200, 200, 200], True)
    assert {(each.status_code, "# counted" in each.text) for each in told} == {(200, True)}
    assert len(counted) < len(told)


def test_a_ledger_that_does_not_answer_is_not_ready_and_the_process_lives(served):
    served.parts.database.close()
    with served.parts.database.write() as connection:
        connection.exec_driver_sql("DROP TABLE leader")
    answers = [served.client.get(path) for path in ("/healthz", "/readyz")]
    assert [each.status_code for each in answers] == [200, 503]


def test_a_witness_of_the_evidence_that_fails_is_told_to_whoever_asks_and_not_named(tmp_path):
    database = sqlite(tmp_path / "ledger.db")
    served = api(tmp_path, database, '[evidence]\nkeep = ["worm"]\n')
    parts, place = served.parts, str(tmp_path / "worm")
    assert served.client.get("/readyz").json() == {"status": "ok"}
    parts.checkpoints.sign(SigningKey(bytes(32)))
    parts.witnesses.failed(place, "not_there")
    told = served.client.get("/readyz").json()
    assert told["status"] == "ok"
    assert "1 of 1 witnesses" in told["warning"]
    assert "worm" not in told["warning"]
    figures = served.client.get("/metrics").text
    assert "\nrotator_witnesses_failing 1\n" in figures
    unkept = re.search(r"^rotator_checkpoint_unkept_seconds (\S+)$", figures, re.MULTILINE)
    assert float(unkept[1]) >= 0
    assert "\nrotator_checkpoints_forked 0\n" in figures
    (tmp_path / "worm").mkdir()
    (witness,) = witnesses_of(parts.settings, lambda: parts.witnesses)
    witness.witness()
    assert served.client.get("/readyz").json() == {"status": "ok"}
    database.close()
