"""How much of what somebody sends is kept in memory: little of whom nothing may come, and so many files of one."""

from __future__ import annotations

import asyncio
import threading

import httpx2
import pytest

from rotator import playbook_file
from rotator.api import app
from rotator.api.callers import Callers
from rotator.api.counts import Counts
from rotator.api.v1.asking import LINTED_AT_ONCE
from rotator.api.v1.guard import ACT_BYTES, PLAYBOOK_BYTES, REPORTS_OF_ONE, Guard
from rotator.flow.approval import Role
from tests.api.calling import V1, api
from tests.fakes.deployment import sqlite


@pytest.fixture
def served(tmp_path):
    database = sqlite(tmp_path / "ledger.db")
    yield api(tmp_path, database)
    database.close()


@pytest.mark.parametrize(
    ("role", "path", "most"),
    [
        (Role.VIEWER, "/intake", ACT_BYTES),
        (Role.VIEWER, "/incidents", ACT_BYTES),
        (Role.ADMIN, "/stop", ACT_BYTES),
        (Role.VIEWER, "/playbooks/lint", PLAYBOOK_BYTES),
    ],
)
def test_no_more_is_read_than_may_come_of_it(served, role, path, most):
    token = served.token(role)
    assert served.asks("POST", path, token, content=b"\n" * (most + 1)).status_code == 413
    assert served.asks("POST", path, token, content=b"\n" * most).status_code != 413
    assert role is not Role.VIEWER or served.asks("POST", "/intake", token).status_code == 403


def test_files_of_one_are_in_memory_in_bounded_number_and_others_are_read_meanwhile(served):
    tokens = {name: served.token(Role.RESPONDER, name) for name in ("eve", "ana")}
    answers = asyncio.run(_while_files_are_under_way(served.parts, tokens))
    assert answers == [429, 200, 200]


async def _while_files_are_under_way(parts, tokens):
    """Let eve send as many as she may, none of them ever whole; return what is answered to her, to ana, and to her."""
    arrived, over = asyncio.Event(), asyncio.Event()

    async def kept(_scope, _receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    guard = Guard(kept, Callers(parts), Counts("refusals", ("act", "reason")))
    under_way = 0

    async def never_whole():
        nonlocal under_way
        under_way += 1
        if under_way == REPORTS_OF_ONE:
            arrived.set()
        await over.wait()
        return {"type": "http.disconnect"}

    async def asked(name, receive):
        scope = {"type": "http", "method": "POST", "path": "/intake", "query_string": b"", "server": ("127.0.0.1", 1)}
        scope["headers"] = [(b"authorization", f"Bearer {tokens[name]}".encode())]
        sent = []

        async def send(message):
            sent.append(message)

        await guard(scope, receive, send)
        return sent[0]["status"]

    async def empty():
        return {"type": "http.request", "body": b"", "more_body": False}

    hers = [asyncio.create_task(asked("eve", never_whole)) for _ in range(REPORTS_OF_ONE)]
    await asyncio.wait_for(arrived.wait(), 20)
    meanwhile = [await asked("eve", empty), await asked("ana", empty)]
    over.set()
    await asyncio.gather(*hers)
    return [*meanwhile, await asked("eve", empty)]


def test_playbooks_that_take_long_are_read_few_at_once(served, monkeypatch):
    ends = threading.Event()
    monkeypatch.setattr(playbook_file, "mistakes", lambda _: (ends.wait(60), [])[1])
    headers = {"Authorization": f"Bearer {served.token(Role.VIEWER)}"}

    async def asked():
        transport = httpx2.ASGITransport(app.make(served.parts))
        async with httpx2.AsyncClient(transport=transport, base_url="http://testserver", timeout=60) as client:
            lints = [asyncio.ensure_future(client.post(f"{V1}/playbooks/lint", headers=headers)) for _ in range(9)]
            sent_away = []
            for done in asyncio.as_completed(lints):
                sent_away.append(await done)
                if len(sent_away) == len(lints) - LINTED_AT_ONCE:
                    break
            ends.set()
            return sent_away, [each for each in await asyncio.gather(*lints) if each not in sent_away]

    sent_away, read = asyncio.run(asyncio.wait_for(asked(), 60))
    assert {each.json()["reason"] for each in sent_away} == {"busy"}
    assert [each.status_code for each in read] == [200] * LINTED_AT_ONCE
