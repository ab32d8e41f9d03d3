"""A vendor's package was poisoned: the whole story in the browser, by clicks and keys, from the advisory to the pack.

Outside stands alone what happens outside: a dataset is altered, put back, and read where it lies.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from playwright.sync_api import expect

from rotator import datasets, readings
from rotator.datasets import Asked
from rotator.evidence import pack, verify
from rotator.flow.inventory import Said as Entry
from rotator.flow.registry import Listed, Said, Sort
from rotator.flow.vendor import Software
from rotator.manifests.hashing import Meter
from tests.browser.test_keyboard import goes_to
from tests.shown.vendors import ADVISORY, RECORD

NAME, TITLE, ROWS = "orbit", "Orbit Data", "orbit-rows"
SHUT = {"forensics", "attestations", "software", "approval"}


@pytest.fixture
def orbit(house):
    """Have a vendor run what is bad, and hold a token that opens a dataset which was recorded."""
    leak, folder = house.leaked("stray"), house.folder / "orbit"
    rows = folder / "rows"
    rows.mkdir(parents=True)
    table = rows / "2026.csv"
    table.write_text("id,account\n1,DE02\n")
    (folder / "report.txt").write_text("They are out since Tuesday.\n")
    (folder / "freeze.txt").write_text("litellm==1.82.9\n")
    told = {"title": TITLE, "criticality": "critical", "owner": "ana"}
    described = {"sensitivity": "critical", "manifest": ROWS}
    where = "vendors.yaml, line 1"
    house.parts.vendors.take([Said(Sort.VENDOR, NAME, told, where), Said(Sort.DATASET, ROWS, described, where)], "ana")
    bad = Software("PyPI", "litellm", "1.82.7", "freeze.txt")
    house.parts.vendors.runs(NAME, Listed("freeze.txt", "0" * 64, (bad,), None, 0), "ana")
    [token] = leak.ids
    match = {"provider": "acme_api_token", "connection": "acme", "owner": "stray", "id": token}
    house.parts.inventory.take([Entry(match, {"vendor": NAME, "datasets": [ROWS]}, "inventory.yaml, line 1")], "ana")
    house.parts.look_again()
    datasets.record(house.parts, ROWS, Asked(str(rows), "dora"), Meter())
    news = {**json.loads(RECORD), "published": datetime.now(UTC).isoformat()}  # what was recorded before it is sound
    (folder / "advisory.json").write_text(json.dumps(news))
    return SimpleNamespace(leak=leak, folder=folder, table=table, token=token)


def test_a_vendor_is_paused_proven_out_and_let_in_again_in_the_browser(person, house, orbit):
    ana, bo = person("ana"), person("bo")
    incident = paused(ana, orbit)
    approved(bo, incident)
    cut(ana, house, orbit, incident)
    altered(ana, house, orbit)
    gates_met(ana, bo, orbit)
    restored(bo)
    told(bo, orbit)


def gives(who, button, file=None, **fields):
    """Open an act's form, choose its file, fill its fields and send it; say what came of it."""
    form = who.opens(button).locator("form")
    if file is not None:
        form.locator("[type=file]").set_input_files(file)
    for name, value in fields.items():
        form.locator(f"[name={name.rstrip('_')}]").fill(value)
    form.locator("button").click()
    expect(form).to_be_hidden()


def gate(who, name):
    return who.page.locator(f"[data-part=gates] > ol > li[data-key={name}]")


def paused(ana, orbit):
    page = ana.page
    page.goto("/vendors")
    page.get_by_role("link", name="Whom does a notice touch?").click()
    page.get_by_label("Or an advisory as a file").set_input_files(orbit.folder / "advisory.json")
    page.get_by_role("button", name="Triage").click()
    first = page.locator("#found li").first
    expect(first).to_contain_text(TITLE)
    expect(first).to_contain_text("pause now")
    expect(first).to_contain_text("likelihood 0.95freeze.txt lists litellm 1.82.7, which is bad")
    with page.expect_download() as given:
        first.get_by_role("button", name="Markdown").click()
    memo = given.value.path().read_text()
    assert f"# {TITLE}: pause it" in memo
    assert ADVISORY in memo
    first.get_by_role("link", name="Look at it, and pause it").click()
    form = page.locator("details.act[open]")
    expect(form).to_contain_text("1 credential and 0 grants")
    expect(form.get_by_label("For which advisory")).to_have_value(ADVISORY)
    form.get_by_label("Why?").fill("it ran the poisoned litellm")
    form.locator("[type=file]").set_input_files(orbit.leak.report)
    form.get_by_role("button", name="Pause it, and see the plan").click()
    page.wait_for_url("**/plan")
    expect(page.locator("main")).to_contain_text(orbit.token)
    expect(page.locator("main")).to_contain_text("not approved")
    return page.url.split("/")[-2]


def approved(bo, incident):
    bo.page.goto(f"/vendors/{NAME}")
    expect(bo.page.locator("main")).to_contain_text("Nothing is cut yet: its plan waits for a yes.")
    bo.page.get_by_role("link", name="Look at the plan and approve").click()
    bo.page.wait_for_url(f"**/incidents/{incident}/plan")
    bo.does("Approve the containment")


def cut(ana, house, orbit, incident):
    page = ana.page
    page.goto(f"/vendors/{NAME}")
    ana.is_live()
    ana.counts("1 dead")
    assert orbit.token not in house.issuer.alive()
    expect(page.locator("[data-part=timeline]")).to_contain_text("All that machines cut is dead: 1 proven by refusals")
    page.goto(f"/incidents/{incident}")
    page.get_by_role("link", name=orbit.token).first.click()
    expect(page.locator("main")).to_contain_text("refused")


def altered(ana, house, orbit):
    page = ana.page
    page.goto(f"/vendors/{NAME}")
    ana.is_live()
    ana.marks()
    as_it_was = orbit.table.read_text()
    orbit.table.write_text(as_it_was.replace("DE02", "LT99"))
    checks(ana, house, orbit)
    rows = page.locator("[data-part=datasets]")
    expect(rows).to_contain_text("DIFFERS")
    expect(rows).to_contain_text("altered: 2026.csv")
    expect(rows).to_contain_text("as dora read it on ")
    expect(gate(ana, "datasets")).to_contain_text(f"{ROWS} is not as it was recorded")
    expect(page.locator("[data-part=timeline]")).to_contain_text("was checked: DIFFERS, 1 altered")
    orbit.table.write_text(as_it_was)
    checks(ana, house, orbit)
    expect(gate(ana, "datasets")).to_contain_text("by what dora read there, which ana gave,")
    expect(page.locator("[data-part=timeline]")).to_contain_text("was checked: as recorded, by what dora read there")
    assert ana.is_marked  # each was seen without loading the page anew


def checks(ana, house, orbit):
    """Type elsewhere what the page says, and give it what was written."""
    form = ana.opens("Check by what was read there")
    expect(form).to_contain_text(f"rotator manifest read {orbit.table.parent} --to {ROWS}.reading")
    read = orbit.folder / f"{ROWS}.reading"
    read.unlink(missing_ok=True)
    readings.write(house.parts.settings, Asked(str(orbit.table.parent), "dora"), read, Meter())
    form.locator("[type=file]").set_input_files(read)
    form.locator("form button").click()
    expect(form.locator("form")).to_be_hidden()


def gates_met(ana, bo, orbit):
    listed = ana.page.locator(".refused-for")
    expect(listed.get_by_role("button", name="Restore")).to_be_disabled()
    expect(listed.get_by_role("listitem")).to_have_count(len(SHUT))  # all is dead, and the dataset as recorded
    forged = ana.acts("POST", f"/api/v1/vendors/{NAME}/restore", {"reason": "they say it is over", "yes": True})
    assert forged["status"] == 403
    assert {each.partition(":")[0] for each in forged["each"]} == SHUT

    today = str(datetime.now(UTC).date())
    gives(
        ana, "Give the report", orbit.folder / "report.txt", from_="Forensics Ltd", dated=today, reason="they are out"
    )
    expect(gate(ana, "forensics")).to_contain_text("report.txt of")
    term = {"kind": "SOC 2", "issuer": "EY", "from_": today, "to": "2099-12-31"}
    gives(ana, "Record an attestation", orbit.folder / "report.txt", **term)
    expect(gate(ana, "attestations")).to_contain_text("nobody has said why the attestation is believed")
    expect(ana.page.locator("[data-part=attested]")).to_contain_text("SOC 2 by EY")
    bo.page.goto(f"/vendors/{NAME}")
    overrides(bo)
    gives(ana, "Give what it runs now", orbit.folder / "freeze.txt")
    gives(ana, "Give an advisory", orbit.folder / "advisory.json", reason="what it was")
    expect(gate(ana, "software")).to_contain_text("open")
    expect(listed).to_contain_text("It is refused while this gate is shut")
    expect(listed).to_contain_text("not ana")


def overrides(bo):
    bo.expected += ("status of 409",)  # the words are asked for by a refusal
    form = gate(bo, "attestations").locator("details.act", has=bo.button("Override"))
    form.locator("summary").click()
    form.get_by_label("Why?").fill("their auditor was breached too")
    form.get_by_role("button").click()
    asked = re.compile(rf"override attestations of {NAME} [0-9a-f]{{6}}")
    expect(form.get_by_role("alert")).to_contain_text(asked)
    form.get_by_label("Type the words").fill(asked.search(form.get_by_role("alert").inner_text())[0])
    bo.page.keyboard.press("Enter")
    expect(gate(bo, "attestations")).to_contain_text("overridden")


def restored(bo):
    page, keys = bo.page, bo.page.keyboard
    expect(gate(bo, "software")).to_contain_text("open")
    goes_to(page, "Say yes")
    keys.press("Enter")
    expect(gate(bo, "approval").get_by_label("Why?").first).to_be_focused()
    keys.type("I read all of it")
    keys.press("Enter")
    expect(page.locator("[data-part=gates]")).to_contain_text("All are open: it can be restored.")
    form = bo.opens("Restore").locator("form")
    form.get_by_label("Why?").fill("clean by every gate")
    keys.press("Enter")
    form.get_by_label("Yes, that is meant").check()
    form.get_by_role("button").click()
    expect(page.locator("[data-part=now]")).to_contain_text("Let in again")


def told(bo, orbit):
    story = bo.page.locator("[data-part=timeline]")
    for words in (
        f"PAUSED, for {ADVISORY}", "DIFFERS", "The gate forensics: report.txt", "OVERRIDDEN", "LET IN AGAIN",
        "clean by every gate",
    ):  # fmt: skip
        expect(story).to_contain_text(words)
    memo = bo.downloads("Markdown of the memo")
    assert "their auditor was breached too" in memo
    with bo.page.expect_download() as given:
        bo.page.get_by_role("link", name="signed pack").click()
    found = orbit.folder / "evidence.zip"
    given.value.save_as(found)
    assert verify.verify(pack.Pack(found)).findings == []
    acts = {json.loads(body).get("act") for body in pack.Pack(found).records()}
    assert {"vendor_paused", "vendor_restored", "dataset_checked", "gate_overridden"} <= acts
