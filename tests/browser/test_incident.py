"""A whole incident by clicks alone, from the scanner's report to the report of what became of it."""

from __future__ import annotations

import json
from pathlib import Path

from playwright.sync_api import expect

KEPT = "The whole incident by clicks"


def test_a_report_is_declared_approved_followed_to_its_end_and_downloaded(person, house):
    leak = house.leaked("shop", "ci", "stray", unconfigured=True)
    ana, bo = person("ana"), person("bo")
    page = ana.page
    page.get_by_role("link", name="Declare an incident").click()
    page.get_by_label("Title").fill(KEPT)
    page.get_by_label("report, a list, or an archive").set_input_files(leak.report)
    page.get_by_role("button", name="What does it name?").click()
    expect(page.get_by_role("region", name="What the report names")).to_contain_text("It names 4 credentials")
    page.get_by_role("button", name="Declare it").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("The plan")
    expect(page.locator("main")).to_contain_text("no github connection")
    assert house.issuer.alive() >= leak.ids

    page.get_by_role("link", name="Follow it").click()
    ana.counts("0 dead")
    ana.is_live()
    ana.marks()
    bo.page.get_by_role("link", name=KEPT).click()
    bo.page.get_by_role("link", name="Look at the plan and approve").click()
    bo.approves("Approve the containment", "revoke 1 production")
    ana.counts("3 dead")
    ana.counts("1 manual")
    expect(page.get_by_role("row", name="stray")).to_contain_text("proven dead")
    assert ana.is_marked
    assert not house.issuer.alive() & leak.ids

    bo.page.get_by_role("link", name="Follow it").click()
    expect(bo.page.get_by_role("region", name="Waits for a person")).to_contain_text("no github connection")
    bo.does("Dismiss", **{"as": "already_dead"}, reason="GitHub had revoked it: the mail is in the ticket")
    expect(bo.page.get_by_role("region", name="Waits for a person")).to_contain_text("Nothing waits for a person")
    report = json.loads(bo.downloads("data"))
    assert (report["incident"]["title"], report["totals"]["credentials"]) == (KEPT, 4)
    assert (report["totals"]["proven_dead"], report["totals"]["dismissed"]) == (3, 1)
    assert {each["id"] for each in report["credentials"] if each["state"] == "proven_dead"} == leak.ids
    table = bo.downloads("table").splitlines()
    assert len(table) == 1 + 4
    assert KEPT in bo.downloads("page")


def test_a_report_that_cannot_be_read_is_told_where_it_was_given(person, tmp_path):
    (tmp_path / "leak.jsonl").write_text('{"no": "report"}\n')
    ana = person("ana")
    ana.expected += ("status of 422",)
    ana.page.goto("/incidents/new")
    ana.page.get_by_label("Title").fill("Nothing")
    ana.page.get_by_label("report, a list, or an archive").set_input_files(Path(tmp_path / "leak.jsonl"))
    ana.page.get_by_role("button", name="Declare it").click()
    expect(ana.page.get_by_role("alert")).to_contain_text("this is no report")
    expect(ana.page.get_by_label("Title")).to_have_value("Nothing")
