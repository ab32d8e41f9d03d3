"""Tokens and sessions over HTTP: an admin's alone, a token answered once, nobody more than the rule makes of him."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from rotator.flow.approval import Role
from tests.api.calling import api
from tests.api.signing_in import browser
from tests.fakes.deployment import sqlite

RULE = """
[approval]
[[people]]
name = "ana"
roles = ["admin"]
[[people]]
name = "bo"
roles = ["approver"]
"""


@pytest.fixture
def served(tmp_path):
    database = sqlite(tmp_path / "ledger.db")
    yield api(tmp_path, database)
    database.close()


def made(served, token, name="pager", role="responder", **more):
    return served.asks("POST", "/tokens", token, json={"name": name, "role": role, **more})


def test_an_admin_makes_lists_and_ends_tokens_and_each_is_shown_once(served):
    admin = served.token(Role.ADMIN, "ana")
    key = {"Idempotency-Key": "again"}
    answer = served.asks("POST", "/tokens", admin, json={"name": "pager", "role": "responder"}, headers=key)
    secret = answer.json()["token"]
    assert (answer.status_code, answer.json()["created_by"]) == (201, "ana")
    assert served.asks("GET", "/whoami", secret).json()["by"] == "token pager"
    listed = served.asks("GET", "/tokens", admin)
    assert "pager" in [each["name"] for each in listed.json()["items"]]
    assert made(served, admin).status_code == 409
    with served.parts.database.read() as connection:
        kept = [
            str(row)
            for table in ("token", "evidence", "called")
            for row in connection.execute(text(f"SELECT * FROM {table}"))
        ]
    assert not [each for each in [listed.text, *kept] if secret in each]
    ended = served.asks("POST", "/tokens/pager/revoke", admin, json={"reason": "leaked"})
    assert (ended.json()["state"], ended.json()["revoked_by"]) == ("revoked", "ana")
    assert served.asks("GET", "/whoami", secret).json()["reason"] == "revoked_token"
    again = served.asks("POST", "/tokens/pager/revoke", served.token(Role.ADMIN, "bo"), json={"reason": "to be sure"})
    assert (again.status_code, again.json()) == (200, ended.json())


def test_a_token_that_takes_anothers_place_lasts_as_long_as_that_would_have(served):
    admin = served.token(Role.ADMIN)
    first = made(served, admin, "first", lasts_s=7200).json()
    second = made(served, admin, "second", expires_at=first["expires_at"])
    assert (second.status_code, second.json()["expires_at"]) == (201, first["expires_at"])
    for moment in ("2020-01-01T00:00:00Z", "9999-12-31T23:59:59Z"):
        refused = made(served, admin, "third", expires_at=moment)
        assert (refused.status_code, refused.json()["where"]) == (409, "expires_at")
    assert made(served, admin, "third", expires_at="2020-01-01T00:00:00").status_code == 422


@pytest.mark.parametrize("role", [Role.VIEWER, Role.RESPONDER, Role.APPROVER])
def test_nobody_else_does_or_sees_any_of_it(served, role):
    token = served.token(role)
    mine = browser(served, role, token=served.parts.tokens.listed()[0].name)
    session = mine.name.removeprefix("session ")
    asked = [
        ("GET", "/tokens"),
        ("GET", "/sessions"),
        ("POST", f"/sessions/{session}/revoke"),
        ("POST", "/tokens/x/revoke"),
    ]
    for method, path in asked:
        given = {"json": {"reason": "because"}} if method == "POST" else {}
        assert served.asks(method, path, token, **given).json()["reason"] == "role"
    assert made(served, token).json()["reason"] == "role"


def test_an_admin_ends_somebodys_session(served):
    admin = served.token(Role.ADMIN, "ana")
    served.token(Role.VIEWER, "bo")
    theirs = browser(served, Role.VIEWER, "bo", served.parts.tokens.listed()[0].name)
    [listed] = served.asks("GET", "/sessions", admin).json()["items"]
    assert (listed["by"], listed["state"]) == ("bo", "active")
    assert theirs.cookie.partition(".")[2] not in str(listed)
    path = f"/sessions/{listed['id']}/revoke"
    assert served.asks("POST", path, admin, json={"reason": "left open"}).status_code == 200
    assert theirs.sends("GET", "/whoami").json()["reason"] == "session_over"
    assert served.asks("POST", path, admin, json={"reason": "again"}).status_code == 409


def test_under_a_rule_no_token_says_somebody_elses_yes(tmp_path, served):
    served = api(tmp_path, served.parts.database, RULE)
    program = served.token(Role.ADMIN)
    assert made(served, program, "for-a-program").status_code == 201
    refused = made(served, program, "for-bo", "approver", person="bo")
    assert (refused.status_code, "bo alone makes tokens of bo" in refused.json()["detail"]) == (403, True)
    assert made(served, served.token(Role.ADMIN, "ana"), "own", "approver", person="ana").status_code == 201
