"""The practice range's token server refuses what a vendor's would refuse."""

from __future__ import annotations

import httpx2
import pytest

from rotator.practice.token_server import token_server


@pytest.fixture(scope="module")
def server():
    with token_server() as running:
        yield running


def ask(server, call: str, bearer, body: object = None) -> httpx2.Response:
    method, path = call.split()
    headers = {"Authorization": f"Bearer {bearer.reveal()}"}
    return httpx2.request(method, server.address + path, headers=headers, json=body)


def test_a_token_lives_until_it_is_suspended_or_revoked(server):
    planted = server.plant("ci", ("read",))
    me = ask(server, "GET /me", planted.token)
    assert me.json() == {"data": {"id": planted.id, "owner": "ci", "scopes": ["read"]}}
    for call, status in (
        (f"POST /tokens/{planted.id}/suspend", 401),
        (f"POST /tokens/{planted.id}/resume", 200),
        (f"DELETE /tokens/{planted.id}", 401),
    ):
        assert ask(server, call, server.admin).status_code == 204
        assert ask(server, "GET /me", planted.token).status_code == status
    assert ask(server, f"DELETE /tokens/{planted.id}", server.admin).status_code == 404
    assert planted.id not in server.alive()


def test_only_the_administrator_administers(server):
    planted = server.plant("ci")
    for call in ("GET /tokens", "POST /tokens", f"DELETE /tokens/{planted.id}", f"POST /tokens/{planted.id}/suspend"):
        assert ask(server, call, planted.token, {"owner": "x", "scopes": []}).status_code == 403
        assert ask(server, call, type(planted.token)("acme_nobody")).status_code == 401
    assert planted.id in server.alive()


def test_a_secret_is_shown_once(server):
    made = ask(server, "POST /tokens", server.admin, {"owner": "ci", "scopes": ["read"], "marker": "m"})
    token = made.json()["data"]["token"]
    assert made.status_code == 201
    assert len(token) == len("acme_") + 40
    assert token not in ask(server, "GET /tokens", server.admin).text


@pytest.mark.parametrize("body", [{}, {"owner": "", "scopes": []}, {"owner": "x", "scopes": "read"}, ["owner"]])
def test_nonsense_is_refused(server, body):
    before = server.alive()
    assert ask(server, "POST /tokens", server.admin, body).status_code in (400, 422)
    assert server.alive() == before
