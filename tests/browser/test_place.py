"""Back leads back to what was asked for, in the list and above it; who acts by keys keeps his place in the queue."""

from __future__ import annotations

from playwright.sync_api import expect


def test_back_and_forward_show_the_list_and_what_it_is_filtered_by(person, house):
    incident = house.declared(house.leaked("ci", unconfigured=True))
    ana = person("ana")
    page = ana.page
    page.goto(incident.path)
    ana.is_live()
    state, rows = page.get_by_label("State"), page.locator("[data-part=credentials] tbody tr")
    for chosen, address in (("manual", "**state=manual*"), ("pending", "**state=pending*")):
        state.select_option(chosen)
        page.get_by_role("button", name="Show").click()
        page.wait_for_url(address)
        expect(rows).to_have_count(1)
        expect(rows).to_contain_text(chosen)
    page.go_back()
    expect(rows).to_contain_text("manual")
    expect(state).to_have_value("manual")
    page.go_back()
    expect(rows).to_have_count(2)
    expect(state).to_have_value("")
    page.go_forward()
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("manual")
    expect(state).to_have_value("manual")


def test_where_what_was_acted_on_is_gone_the_focus_stays_in_its_list(person, house):
    incident = house.declared(house.leaked("ci", unconfigured=True))
    ana = person("ana")
    ana.page.goto(incident.path)
    ana.is_live()
    form = ana.opens("Dismiss").locator("form")
    form.locator("[name=as]").select_option("not_ours")
    form.locator("[name=reason]").press_sequentially("it is another's")
    ana.page.keyboard.press("Enter")
    waits = ana.page.locator("[data-part=waiting]")
    expect(waits).to_contain_text("Nothing waits for a person")
    expect(waits).to_be_focused()
