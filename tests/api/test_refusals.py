"""Whoever is known leaves evidence of what he asked for, and of what he was refused; strangers lock nobody out."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import text
from starlette.testclient import TestClient

from rotator import clock
from rotator.api import app
from rotator.flow.approval import Role
from tests.api.calling import api
from tests.api.signing_in import HERE, browser
from tests.fakes.deployment import sqlite

HTML = {"Accept": "text/html"}


@pytest.fixture
def served(tmp_path):
    database = sqlite(tmp_path / "ledger.db")
    found = api(tmp_path, database)
    found.browser = TestClient(app.make(found.parts), HERE, follow_redirects=False)
    yield found
    database.close()


def noted(served):
    with served.parts.database.read() as connection:
        found = connection.execute(text("SELECT body FROM evidence WHERE chain = 'service' ORDER BY seq")).scalars()
        return [json.loads(each) for each in found]


def refusals(served):
    return [each for each in noted(served) if each["act"] == "refused"]


@pytest.mark.parametrize("path", ["/tokens", "/sessions", "/service/evidence", "/config"])
def test_who_wants_to_read_what_is_an_admins_is_evidence(served, path):
    served.asks("GET", path, served.token(Role.APPROVER, "bo"))
    [seen] = refusals(served)
    assert (seen["by"], seen["what"], seen["on"], seen["reason"]) == ("bo", "read_service", path, "role")


def test_who_wants_to_read_it_too_often_is_no_more_written_down(served):
    viewer = served.token(Role.VIEWER)
    codes = [served.asks("GET", "/tokens", viewer).status_code for _ in range(20)]
    codes += [served.asks("POST", "/stop", viewer, json={"reason": "why"}).status_code for _ in range(12)]
    assert codes == [403] * 30 + [429] * 2
    assert len(refusals(served)) == 30


@pytest.mark.parametrize("end", ["signed_out", "revoked", "expired", "token"])
def test_that_a_session_which_is_over_is_still_shown_is_evidence_once_a_minute(served, end, monkeypatch):
    served.token(Role.RESPONDER, "ana")
    name = served.parts.tokens.listed()[0].name
    thief = browser(served, Role.RESPONDER, "ana", name)
    session = served.parts.sessions.known(thief.cookie)
    if end == "signed_out":
        served.parts.sessions.sign_out(session)
    elif end == "revoked":
        served.parts.sessions.revoke(session.id, "cy", "stolen")
    elif end == "token":
        served.parts.tokens.revoke(name, "cy", "stolen")
    else:
        monkeypatch.setattr(clock, "now", lambda: session.expires_at + 1)
    for _ in range(3):
        assert thief.sends("POST", "/stop").json()["reason"] == "session_over"
    [seen] = refusals(served)
    reason = {"token": "revoked_token", "expired": "expired_session"}.get(end, "ended_session")
    assert (seen["token"], seen["by"], seen["reason"]) == (thief.name, "ana", reason)


def test_a_session_whose_token_is_not_in_this_ledger_opens_nothing(served):
    mine = browser(served, Role.ADMIN, "", "of-another-ledger")
    answer = mine.sends("GET", "/whoami")
    assert (answer.status_code, answer.json()["reason"]) == (401, "session_over")
    assert "the token it was opened with" in answer.json()["detail"]


@pytest.mark.parametrize("word", ["-", "", "0" * 64])
def test_no_word_at_all_signs_in_where_no_page_of_ours_was_opened(served, word):
    data = {"token": served.token(Role.VIEWER), "csrf": word}
    answer = served.browser.post("/sign-in/token", data=data, headers=HTML)
    assert answer.status_code == 403
    assert "rotator_session" not in answer.cookies


def test_whatever_strangers_guess_from_there_a_cookie_that_is_no_more_leads_to_the_sign_in(served):
    old = {**HTML, "Cookie": "rotator_session=0123abcd." + "A" * 43}
    seen = [served.browser.get("/incidents", headers=old) for _ in range(12)]
    assert {(each.status_code, each.headers.get("location")) for each in seen} == {(303, "/sign-in?next=%2Fincidents")}
    assert served.browser.post("/sign-out", data={"csrf": ""}, headers=old).status_code == 303


@pytest.mark.parametrize(
    ("path", "what"), [("/providers/check", "ask"), ("/inventory/coverage", "ask"), ("/intake", "intake")]
)
def test_who_has_others_asked_is_evidence_whatever_comes_of_it(served, path, what):
    served.asks("POST", path, served.token(Role.RESPONDER, "bo"), content=b"no report")
    [seen] = [each for each in noted(served) if each["act"] == "called"]
    assert (seen["by"], seen["what"]) == ("bo", what)
