"""From the sign-in to a stop by keys alone, and at each key it can be seen where one is."""

from __future__ import annotations

import re

from playwright.sync_api import expect

FOCUSED = """() => {
    const at = document.activeElement, style = getComputedStyle(at), box = at.getBoundingClientRect()
    const label = at.labels?.[0]?.innerText || at.getAttribute("aria-label") || at.innerText || ""
    const seen = (style.outlineStyle !== "none" && style.outlineWidth !== "0px") || style.boxShadow !== "none"
    return {name: label.trim(), seen: seen && box.width > 0 && box.height > 0, tag: at.tagName, id: at.id}
}"""
MOST = 80


def goes_to(page, name):
    """Press Tab until what is called so has the focus."""
    met = []
    while len(met) < MOST:
        page.keyboard.press("Tab")
        at = page.evaluate(FOCUSED)
        if at["tag"] == "BODY":
            continue  # the browser's own
        assert at["seen"], f"the focus is on {at} and cannot be seen"
        met.append(at["name"])
        if re.match(name, at["name"]):
            return
    raise AssertionError(f"no Tab leads to {name}: {met}")


def test_an_incident_is_approved_and_stopped_by_keys_alone(person, house):
    incident = house.declared(house.leaked("shop", "shop"), title="By keys alone")
    bo = person()
    bo.expected += ("status of 409",)
    page, keys = bo.page, bo.page.keyboard
    page.goto("/sign-in")
    keys.press("Tab")
    assert page.evaluate(FOCUSED)["name"] == "Skip to the content"
    keys.press("Enter")
    assert page.evaluate(FOCUSED)["id"] == "main"
    goes_to(page, "API token")
    keys.type(house.token("bo"))
    keys.press("Enter")
    page.wait_for_url("**/incidents")

    goes_to(page, ".*By keys alone")
    keys.press("Enter")
    page.wait_for_url(f"**{incident.path}")
    goes_to(page, "Look at the plan and approve")
    keys.press("Enter")
    page.wait_for_url("**/plan")
    goes_to(page, "Approve the containment")
    keys.press("Enter")
    goes_to(page, "Approve the containment")
    keys.press("Enter")
    expect(page.get_by_role("textbox", name="Type the words")).to_be_focused()
    keys.type("revoke 2 production")
    keys.press("Enter")
    expect(page.locator("#said")).to_contain_text("Your yes is kept")
    expect(bo.button("Approve the containment")).to_have_count(0)
    expect(page.locator("[data-part=consent]:focus, [data-part=consent] :focus")).to_have_count(1)
    goes_to(page, "Follow it")
    keys.press("Enter")
    page.wait_for_url(f"**{incident.path}")
    bo.counts("2 dead")

    goes_to(page, "Stop$")
    keys.press("Enter")
    expect(page.get_by_label("Why?").first).to_be_focused()
    keys.type("the rest by hand")
    keys.press("Enter")
    expect(page.locator("main")).to_contain_text("the rest by hand")
    assert [each.reason for each in house.parts.stops.over(incident.id)] == ["the rest by hand"]


def test_escape_closes_a_form_and_leads_back_to_its_button(person, house):
    incident = house.declared(house.leaked("ci"))
    ana = person("ana")
    ana.page.goto(incident.path)
    goes_to(ana.page, "Stop$")
    ana.page.keyboard.press("Enter")
    expect(ana.page.get_by_label("Why?").first).to_be_focused()
    ana.page.keyboard.press("Escape")
    expect(ana.button("Stop")).to_be_focused()
