"""Signing in with a token, without a script: a page of ours alone, a new session each time, back to places of ours."""

from __future__ import annotations

import re
from urllib.parse import urljoin, urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from rotator import clock
from rotator.api import app
from rotator.api.sign_in.entering import HOME, own_path
from rotator.flow.approval import Role
from tests.api.calling import api
from tests.fakes.deployment import sqlite

HERE = "http://127.0.0.1:8420"
HTML = {"Accept": "text/html"}


@pytest.fixture
def served(tmp_path):
    database = sqlite(tmp_path / "ledger.db")
    found = api(tmp_path, database)
    found.browser = TestClient(app.make(found.parts), HERE, follow_redirects=False)
    yield found
    database.close()


def word(page):
    return re.search(r'name="csrf" value="([0-9a-f]{64})"', page.text)[1]


def shown(served, token, there="/incidents", **changed):
    page = served.browser.get("/sign-in", headers=HTML)
    data = {"token": token, "csrf": word(page), "next": there} | changed.pop("data", {})
    return served.browser.post("/sign-in/token", data=data, headers={**HTML, "Origin": HERE, **changed})


def test_who_shows_a_token_is_signed_in_and_the_token_is_in_no_answer(served):
    token = served.token(Role.RESPONDER, "ana")
    answer = shown(served, f" {token}\n", "/incidents?show=all")
    assert (answer.status_code, answer.headers["location"]) == (303, "/incidents?show=all")
    kept = answer.headers.get_list("set-cookie")
    [cookie] = [each for each in kept if each.startswith("rotator_session=")]
    assert {"HttpOnly", "Path=/", "SameSite=lax"} <= set(cookie.split("; "))
    assert token not in answer.text + str(answer.headers)
    page = served.browser.get("/incidents", headers=HTML)
    assert "ana" in page.text
    assert served.browser.get("/sign-in?next=/inventory", headers=HTML).headers["location"] == "/inventory"


def test_each_sign_in_is_a_new_session_and_ends_the_one_before(served):
    token, seen = served.token(Role.VIEWER), set()
    for before in ("0123abcd." + "A" * 43, None):  # the first as a thief would fix it, then the one that was opened
        page = TestClient(served.browser.app, HERE).get("/sign-in", headers=HTML)
        kept = {
            "rotator_signing_in": page.cookies["rotator_signing_in"],
            "rotator_session": before or seen.copy().pop(),
        }
        told = "; ".join(f"{name}={value}" for name, value in kept.items())
        data = {"token": token, "csrf": word(page)}
        answer = served.browser.post("/sign-in/token", data=data, headers={"Origin": HERE, "Cookie": told})
        assert answer.cookies["rotator_session"] not in {*seen, before}
        seen.add(answer.cookies["rotator_session"])
        served.browser.cookies.clear()
    states = [served.parts.sessions.known(each).state(clock.now()) for each in seen]
    assert sorted(states) == ["active", "ended"]


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"data": {"csrf": "0" * 64}}, 403),
        ({"data": {"csrf": ""}}, 403),
        ({"Origin": "https://evil.example.com"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"data": {"token": "rot_guess"}}, 401),
        ({"data": {"token": ""}}, 401),
    ],
)
def test_nobody_is_signed_in_by_another_page_or_a_wrong_token(served, changed, status):
    answer = shown(served, served.token(Role.VIEWER), **changed)
    assert (answer.status_code, 'role="alert"' in answer.text) == (status, True)
    assert "rotator_session" not in served.browser.cookies


def test_a_form_without_the_cookie_of_its_page_is_refused(served):
    page = served.browser.get("/sign-in", headers=HTML)
    served.browser.cookies.clear()
    data = {"token": served.token(Role.VIEWER), "csrf": word(page)}
    assert served.browser.post("/sign-in/token", data=data, headers={"Origin": HERE}).status_code == 403


@pytest.mark.parametrize("state", ["revoked", "expired"])
def test_a_token_that_is_over_opens_nothing_and_it_is_said(served, state):
    token = served.token(Role.VIEWER, lasts_s=-1 if state == "expired" else 3600)
    if state == "revoked":
        served.parts.tokens.revoke(served.parts.tokens.listed()[0].name, "cy", "stolen")
    answer = shown(served, token)
    assert (answer.status_code, f"is {state}" in answer.text) == (401, True)


def test_wrong_ones_wait_in_the_end_and_a_right_one_never(served):
    statuses = [shown(served, "rot_guess").status_code for _ in range(12)]
    assert statuses == [401] * 10 + [429] * 2
    assert shown(served, served.token(Role.VIEWER)).status_code == 303


def test_no_session_is_opened_on_a_line_that_others_can_read(served):
    page = served.browser.get("http://rotator.example.com/sign-in", headers=HTML)
    assert (page.status_code, "put TLS before it and set public_url" in page.text) == (403, True)
    assert "/sign-in/token" not in page.text


def test_over_https_the_cookie_is_of_this_host_alone_and_browsers_stay_there(tmp_path):
    there, database = "https://rotator.example.com", sqlite(tmp_path / "ledger.db")
    found = api(tmp_path, database, f'[web]\npublic_url = "{there}"\n')
    with TestClient(app.make(found.parts), there, follow_redirects=False) as browser:
        page = browser.get("/sign-in", headers=HTML)
        assert page.headers["strict-transport-security"].startswith("max-age=")
        data = {"token": found.token(Role.VIEWER), "csrf": word(page)}
        answer = browser.post("/sign-in/token", data=data, headers={"Origin": there})
        [cookie] = [each for each in answer.headers.get_list("set-cookie") if "rotator_session=" in each]
        assert cookie.startswith("__Host-rotator_session=")
        assert {"Secure", "HttpOnly", "Path=/"} <= set(cookie.split("; "))
        assert "Domain" not in cookie
    database.close()


@given(wanted=st.one_of(st.text(), st.text(alphabet="/\\:@.#?%\t\nevil.example.com", max_size=30)))
@example("//evil.example.com")
@example("/\\evil.example.com")
@example("/\t/evil.example.com")
@example("https://evil.example.com")
@example("javascript:alert(1)")
def test_nobody_is_led_to_a_place_that_is_not_ours(wanted):
    found = own_path(wanted)
    assert found in {wanted, HOME}
    as_browsers_read = re.sub(r"[\t\r\n]", "", found).replace("\\", "/")
    assert urlsplit(urljoin(f"{HERE}/sign-in", as_browsers_read))[:2] == urlsplit(HERE)[:2]
