"""What a thief wrote into titles, owners and paths is shown as it stands, and never run."""

from __future__ import annotations

from playwright.sync_api import expect

RUNS = "<img src=x onerror=\"document.body.dataset.ran='yes'\"><script>document.body.dataset.ran='yes'</script>"
TURNS = "\u202egnp.exe\u202c \u2067\u061c"
WRITTEN = f"{RUNS}'\"--></title>{TURNS}"


def test_markup_in_a_report_is_text_on_every_page(person, house):
    incident = house.declared(house.leaked(WRITTEN, where=f"home/{WRITTEN}"), title=WRITTEN)
    house.approve(incident)
    house.until_dead(incident)
    bo = person("bo")
    for path in ("", "/plan", "/graph", f"/credentials/{incident.id}.r1", "/report.html"):
        if path == "/report.html":
            (house.folder / "report.html").write_text(bo.downloads("page", at=incident.path))
            bo.page.goto((house.folder / "report.html").as_uri())
        else:
            bo.page.goto(incident.path + path)
        expect(bo.page.locator("body")).to_contain_text("onerror=")
        assert bo.page.locator("img[src=x], body script").count() == 0
        assert bo.page.evaluate("document.body.dataset.ran") is None
    for path in ("/incidents", "/inventory", "/schedules", "/reports"):
        bo.page.goto(path)
        assert bo.page.evaluate("document.body.dataset.ran") is None


def test_a_text_that_turns_does_not_turn_what_stands_beside_it(person, house):
    incident = house.declared(house.leaked("ci"), title=TURNS)
    bo = person("bo")
    bo.page.goto(incident.path)
    turned = bo.page.get_by_role("heading", level=1).locator("bdi")
    expect(turned).to_have_count(1)
    assert turned.evaluate("each => getComputedStyle(each).unicodeBidi") == "isolate"
