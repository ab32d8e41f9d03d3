"""Who calls: by token or session, asked anew for each request; an act of a session comes from a page of ours alone."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import text
from starlette.testclient import TestClient

from rotator import clock
from rotator.api import app, callers
from rotator.flow.approval import Role
from tests.api.calling import V1, api
from tests.api.signing_in import HERE, browser
from tests.fakes.company import founded
from tests.fakes.deployment import sqlite

RULE = """
[approval]
[[people]]
name = "ana"
roles = ["{}"]
"""
OIDC = """
[web]
public_url = "{here}"
[sign_in.oidc]
issuer = "https://id.example.com"
client_id = "rotator"
roles = {{soc = "responder"}}
"""


@pytest.fixture(scope="module")
def ledger(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ledger")
    database = sqlite(folder / "ledger.db")
    company, deployment = founded(folder, database=database)
    deployment.start([company.stolen("aws_iam_access_key")[0]])
    yield database
    database.close()


@pytest.fixture
def served(tmp_path, ledger):
    return api(tmp_path, ledger)


def signed_in_with_a_token(served, role=Role.RESPONDER, person="ana"):
    served.token(role, person)
    name = served.parts.tokens.listed()[0].name
    return browser(served, role, person, name), name


def evidence(served):
    with served.parts.database.read() as connection:
        found = connection.execute(text("SELECT body FROM evidence WHERE chain = 'service' ORDER BY seq")).scalars()
        return [json.loads(each) for each in found]


def test_a_session_reads_and_acts_in_the_name_of_who_opened_it(served):
    mine, _ = signed_in_with_a_token(served)
    said = mine.sends("GET", "/whoami").json()
    assert (said["token"], said["by"], said["role"]) == (mine.name, "ana", "responder")
    assert mine.sends("POST", "/incidents/inc-1/stop").status_code == 200
    assert mine.sends("POST", "/incidents/inc-1/continue").status_code == 200
    last = evidence(served)[-1]
    assert (last["act"], last["token"], last["by"], last["what"]) == ("called", mine.name, "ana", "continue")


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ({"X-CSRF-Token": ""}, "no_csrf_token"),
        ({"X-CSRF-Token": "0" * 64}, "no_csrf_token"),
        ({"X-CSRF-Token": "\u00e9"}, "no_csrf_token"),
        ({"Origin": "https://evil.example.com"}, "foreign_page"),
        ({"Origin": "null"}, "foreign_page"),
        ({"Origin": "http://127.0.0.1:9999"}, "foreign_page"),
        ({"Origin": "https://127.0.0.1:8420"}, "foreign_page"),
        ({"Sec-Fetch-Site": "cross-site"}, "foreign_page"),
        ({"Sec-Fetch-Site": "same-site"}, "foreign_page"),
        ({"Host": "evil.example.com"}, "plain_line"),
    ],
)
def test_no_foreign_page_acts_in_a_session(served, headers, reason):
    mine, _ = signed_in_with_a_token(served)
    answer = mine.sends("POST", "/incidents/inc-1/stop", **{name: each.encode() for name, each in headers.items()})
    assert (answer.status_code, answer.json()["reason"]) == (403, reason)
    last = evidence(served)[-1]
    assert (last["act"], last["token"], last["reason"]) == ("refused", mine.name, reason)


def test_another_sessions_word_is_not_this_ones(served):
    mine, _ = signed_in_with_a_token(served)
    other, _ = signed_in_with_a_token(served)
    answer = mine.sends("POST", "/incidents/inc-1/stop", **{"X-CSRF-Token": callers.csrf_of(other.cookie)})
    assert answer.json()["reason"] == "no_csrf_token"


def test_a_token_needs_no_word_of_a_page_since_no_page_can_send_it(served):
    foreign = {"Origin": "https://evil.example.com", "Sec-Fetch-Site": "cross-site"}
    answer = served.asks(
        "POST", "/incidents/inc-1/stop", served.token(Role.RESPONDER), json={"reason": "why"}, headers=foreign
    )
    assert answer.status_code == 200


def test_a_session_ends_with_the_token_it_was_opened_with(served):
    mine, name = signed_in_with_a_token(served)
    assert mine.sends("GET", "/whoami").status_code == 200
    served.parts.tokens.revoke(name, "cy", "stolen")
    answer = mine.sends("GET", "/whoami")
    assert (answer.status_code, answer.json()["reason"]) == (401, "session_over")
    assert "revoked" in answer.json()["detail"]


def test_the_rule_is_asked_anew_for_each_request_of_a_session(tmp_path, ledger):
    served = api(tmp_path, ledger, RULE.format("approver"))
    mine, _ = signed_in_with_a_token(served, Role.APPROVER)
    config = tmp_path / "rotator.toml"
    assert mine.sends("GET", "/whoami").json()["role"] == "approver"
    config.write_text('data_dir = "data"\n' + RULE.format("responder"))
    assert mine.sends("GET", "/whoami").json()["role"] == "responder"
    config.write_text("data_dir =")
    assert mine.sends("GET", "/whoami").status_code == 503


def test_whom_a_provider_named_is_out_as_soon_as_the_rule_does_not_know_him(tmp_path, ledger):
    served = api(tmp_path, ledger, OIDC.format(here=HERE) + RULE.format("admin"))
    mine = browser(served, Role.RESPONDER, "ana")
    assert mine.sends("GET", "/whoami").json()["role"] == "admin"
    assert browser(served, Role.ADMIN, "eve").sends("GET", "/whoami").status_code == 401
    (tmp_path / "rotator.toml").write_text('data_dir = "data"\n[approval]\n' + OIDC.format(here=HERE))
    assert mine.sends("GET", "/whoami").json()["reason"] == "session_over"


def test_where_there_is_no_rule_he_is_what_his_groups_made_him_and_nobody_once_no_provider_is_asked(tmp_path, ledger):
    mine = browser(api(tmp_path, ledger, OIDC.format(here=HERE)), Role.RESPONDER, "ana")
    assert mine.sends("GET", "/whoami").json()["role"] == "responder"
    mine.api = api(tmp_path, ledger)
    assert mine.sends("GET", "/whoami").json()["reason"] == "session_over"


def test_a_board_that_is_seen_keeps_its_session_to_the_longest_and_a_stream_does_not(tmp_path, ledger, monkeypatch):
    served = api(tmp_path, ledger, OIDC.format(here=HERE))
    mine = browser(served, Role.RESPONDER, "ana")
    found = served.parts.sessions.known(mine.cookie)
    begun, sessions = found.opened_at, served.parts.sessions
    now = [begun]
    monkeypatch.setattr(sessions, "_clock", lambda: now[0])
    monkeypatch.setattr(clock, "now", lambda: now[0])
    now[0] = begun + 1200
    stream = {"Accept": "text/event-stream", "Sec-Fetch-Mode": "cors"}
    assert mine.sends("GET", "/whoami", **stream).status_code == 200
    assert sessions.known(mine.cookie).used_at == begun
    watching = {"Accept": "text/html", "Sec-Fetch-Mode": "cors"}
    while now[0] < found.expires_at:
        assert mine.sends("GET", "/whoami", **watching).status_code == 200
        assert sessions.known(mine.cookie).used_at == now[0]
        now[0] += 1200
    assert mine.sends("GET", "/whoami", **watching).json()["reason"] == "session_over"


def test_wrong_cookies_are_answered_429_in_the_end_and_a_right_one_never(served):
    mine, _ = signed_in_with_a_token(served)
    wrong = [mine.sends("GET", "/whoami", Cookie="rotator_session=guess").status_code for _ in range(12)]
    assert wrong == [401] * 10 + [429] * 2
    assert mine.sends("GET", "/whoami").status_code == 200


@pytest.mark.parametrize("path", ["/incidents/", "/sign-in/", "/metrics/", "/incidents/new/", V1, f"{V1}/incidents/"])
def test_no_answer_sends_anybody_to_the_host_that_a_request_names(served, path):
    shown = {"Authorization": f"Bearer {served.token(Role.VIEWER)}", "Host": "evil.example.com"}
    answer = served.client.get(path, headers=shown, follow_redirects=False)
    assert (answer.status_code, "location" in answer.headers) == (404, False)


def test_over_https_no_other_host_can_have_set_the_cookie(tmp_path, ledger):
    there = "https://rotator.example.com"
    served = api(tmp_path, ledger, OIDC.format(here=f"{there}:443/"))  # browsers leave the usual port out
    mine = browser(served, Role.RESPONDER, "ana")
    assert mine.sends("GET", "/whoami").json()["reason"] == "no_token"
    named = {"Cookie": f"__Host-rotator_session={mine.cookie}", "Origin": there}
    assert mine.sends("GET", "/whoami", **named).status_code == 200
    assert mine.sends("POST", "/connections/none/stop", **named).json()["reason"] == "no_such_connection"
    assert mine.sends("POST", "/incidents/inc-1/stop", **named | {"Origin": HERE}).json()["reason"] == "foreign_page"


@pytest.mark.parametrize(
    ("proxies", "counted"), [("", "127.0.0.1"), ('[web]\nproxies = ["127.0.0.0/8"]\n', "192.0.2.7")]
)
def test_only_a_proxy_that_is_named_says_for_whom_it_asks(tmp_path, ledger, monkeypatch, proxies, counted):
    served, seen = api(tmp_path, ledger, proxies), []
    monkeypatch.setattr(callers, "neighbourhood", lambda address: seen.append(address) or address)
    config = app.server(served.parts).config
    config.load()
    asked = {"Authorization": "Bearer rot_guess", "X-Forwarded-For": "198.51.100.9, 192.0.2.7"}
    TestClient(config.loaded_app, client=("127.0.0.1", 5)).get("/api/v1/whoami", headers=asked)
    assert seen == [counted]
