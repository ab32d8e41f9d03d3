"""A page that has lost its service says so at once; when it says live again, it shows what is so."""

from __future__ import annotations

from playwright.sync_api import expect


def test_while_the_service_is_down_the_page_says_so_and_shows_the_truth_before_it_is_live_again(person, house):
    incident = house.declared(house.leaked("ci"))
    house.approve(incident)
    ana = person("ana")
    ana.page.goto(incident.path)
    ana.counts("1 dead")
    ana.is_live()
    ana.expected += ("net::ERR_",)
    house.end()
    line = ana.page.get_by_role("alert").filter(has_text="NOT LIVE since")
    expect(line).to_be_visible()
    expect(line).to_be_in_viewport()
    ana.counts("1 dead")  # what was known stays readable

    house.parts.stops.stop(incident.id, "bo", "done at a terminal meanwhile", ())
    ana.sees_when_live("done at a terminal meanwhile")
    house.begin()
    ana.is_live()
    expect(line).to_have_count(0)
    seen = ana.page.evaluate("seen")
    assert seen
    assert all(seen)


def test_a_browser_that_is_cut_off_says_so_and_comes_back_by_itself(person, house):
    incident = house.declared(house.leaked("ci"))
    ana = person("ana")
    ana.page.goto(incident.path)
    ana.is_live()
    ana.expected += ("net::ERR_",)
    ana.context.set_offline(True)
    expect(ana.page.get_by_role("alert").filter(has_text="NOT LIVE since")).to_be_visible()
    house.approve(incident)
    ana.counts("0 dead")
    ana.context.set_offline(False)
    ana.is_live()
    ana.counts("1 dead")


def test_a_page_that_was_opened_behind_another_takes_no_line_of_the_browser_till_it_is_seen(person, house):
    incident = house.declared(house.leaked("ci"))
    ana = person("ana")
    ana.context.add_init_script(
        "Object.defineProperty(document, 'hidden', {get: () => !window.seen, configurable: true})"
    )
    ana.page.goto("about:blank")  # The page that the sign-in led to is live, and may ask for its line only now.
    asked = []
    ana.page.on("request", lambda request: asked.append(request.url))
    ana.page.goto(incident.path)
    line = ana.page.locator("#live")
    expect(line).to_have_attribute("data-state", "still")
    ana.page.evaluate("dispatchEvent(new Event('online'))")  # a network that comes back is no reason either
    ana.page.wait_for_load_state("networkidle")
    assert not [each for each in asked if "/events" in each]
    ana.page.evaluate("window.seen = true; document.dispatchEvent(new Event('visibilitychange'))")
    ana.is_live()
