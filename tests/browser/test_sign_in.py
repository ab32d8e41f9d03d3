"""Signing in by a real OpenID provider, out again, and what another's page can do meanwhile: nothing."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from rotator.api import origins
from rotator.practice.process import free_port
from tests.browser.house import house as standing
from tests.servers.canaille import CLIENT_ID, CLIENT_SECRET, PASSWORD, provider

CONFIGURATION = """
[web]
public_url = "{here}"
[sign_in.oidc]
issuer = "{issuer}"
client_id = "{client}"
client_secret = "file:client"
"""


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    folder = tmp_path_factory.mktemp("signing-in")
    (folder / "client").touch(mode=0o600)
    (folder / "client").write_text(CLIENT_SECRET)
    port = free_port()
    here = f"http://127.0.0.1:{port}"
    with provider() as canaille:
        canaille.knows(f"{here}/sign-in/oidc/callback", f"{here}/sign-in")
        more = CONFIGURATION.format(here=here, issuer=canaille.issuer, client=CLIENT_ID)
        with standing(folder, more, port) as up:
            yield up


def through_the_provider(page, login):
    """Answer what the provider asks."""
    page.get_by_role("textbox", name="Login").fill(login)
    page.keyboard.press("Enter")
    page.locator("input[type=password]").fill(PASSWORD)
    page.keyboard.press("Enter")


def test_who_the_provider_names_is_let_in_comes_where_he_was_going_and_out_again(person, house):
    incident = house.declared(house.leaked("ci"))
    bo = person()
    page = bo.page
    page.goto(incident.path)
    bo.forgives_others()
    page.get_by_role("link", name="Sign in with your organisation").click()
    through_the_provider(page, "bo")
    page.wait_for_url(f"{house.address}{incident.path}")
    expect(page.get_by_role("banner")).to_contain_text("bo approver")
    bo.is_live()
    [kept] = [each for each in bo.context.cookies(house.address) if each["name"] == origins.SESSION]
    assert kept["httpOnly"]
    assert kept["sameSite"] == "Lax"

    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("signed out")
    page.goto(incident.path)
    expect(page).to_have_url(re.compile("/sign-in"))


def test_whom_nobody_gave_a_role_is_not_let_in(person):
    eve = person()
    eve.page.goto("/sign-in")
    eve.forgives_others()
    eve.expected += ("status of 403",)
    eve.page.get_by_role("link", name="Sign in with your organisation").click()
    through_the_provider(eve.page, "eve")
    expect(eve.page.get_by_role("alert")).to_be_visible()
    expect(eve.page.get_by_role("banner")).not_to_contain_text("Sign out")


def test_a_form_on_another_page_does_nothing_with_ones_session(person, house):
    incident = house.declared(house.leaked("ci"))
    bo = person("bo")
    bo.expected += ("status of 4",)
    page = bo.page
    page.route("http://elsewhere.test/", lambda route: route.fulfill(content_type="text/html", body=FOREIGN))
    for path in (f"/api/v1/incidents/{incident.id}/stop", "/sign-out", "/sign-in/token"):
        page.goto("http://elsewhere.test/")
        with page.expect_response(lambda answer, path=path: answer.url == house.address + path) as told:
            page.evaluate(
                "there => { document.forms[0].action = there; document.forms[0].submit() }", house.address + path
            )
        page.wait_for_url(house.address + path)
        assert 400 <= told.value.status < 500, path
    page.goto("/incidents")
    expect(page.get_by_role("banner")).to_contain_text("bo")
    assert house.parts.stops.over(incident.id) == []


FOREIGN = """<!doctype html><title>elsewhere</title><form method="post" enctype="text/plain">
<input name='{"reason": "' value='forged"}'><input name="token" value="rot_anything"></form>"""
