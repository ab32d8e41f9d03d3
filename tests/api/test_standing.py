"""Strangers who ask how it stands, however many, keep nobody from acting."""

from __future__ import annotations

import asyncio
import threading

import httpx2
import pytest

from rotator.api import app, gauges
from rotator.flow.approval import Role
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
