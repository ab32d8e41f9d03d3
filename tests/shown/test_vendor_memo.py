"""The decision memo: one page whatever it tells, true to the triage, and saying so once the vendor is paused."""

from __future__ import annotations

import json
import re
from io import BytesIO

import pytest
from pypdf import PdfReader

from rotator.alarm.vendor_notice import Given, told
from rotator.errors import BadInput
from rotator.flow.gate_facts import Did
from rotator.flow.incident import Incident, Severity
from rotator.flow.planned import Plan
from rotator.flow.vendor_terms import Judged, Name
from rotator.ledger import pause_gates, pauses
from rotator.ledger.pauses import Pause
from rotator.report import vendor_memo_forms
from rotator.report.vendor_memo_forms import MemoForm
from rotator.shown.vendor_memo import NO_NOTICE, memo
from tests.shown.vendors import ADVISORY, RECORD, dataset, entry, filled, vendor

AT = 1_790_000_000.0
HOSTILE = '<script>alert(1)</script> [x](http://127.0.0.1) | \x1b[31m they said "so"'
LONG = "nobody could say for how long that would go on, and who asked was told another thing each time " * 9


@pytest.fixture
def house(tmp_path):
    return filled(tmp_path)


def made(house, name="acme", **given):
    notice, advisories = told(house, Given(**given)) if given else (NO_NOTICE, ())
    return memo(house, name, notice, advisories, AT, "ana")


def file(found, form):
    return b"".join(vendor_memo_forms.written(found, form))


def crowded(house):
    """Give it forty credentials, twelve datasets, and long words of people on everything."""
    said = {"level": "high", "why": LONG}
    names = [f"dataset-of-a-department-{number}" for number in range(12)]
    house.vendors.take(
        [
            *(dataset(name, "high") for name in names),
            vendor("acme", title="Acme Data Company & Sons", user_impact=said, cost_of_change=said),
        ],
        "ben",
    )
    keys = {"criticality": "high", "environment": "production"}
    house.inventory.take([entry(n, "acme", datasets=[names[n % 12]], **keys) for n in range(1, 41)], "ben")
    for name, value in ((Name.LIKELIHOOD, 0.9), (Name.SENSITIVITY, 0.9), (Name.EFFORT, 40.0), (Name.USER_IMPACT, 4.0)):
        house.assessments.set("acme", Judged(name, value, "ana", 0.0, LONG, ""))
    house.look_again()


def paused(house):
    """Pause it by an incident of which nothing is proven yet."""
    incident = Incident("inc-1", "PAUSE acme", Severity.HIGH, detected_at=AT, declared_at=AT)
    begun = Pause("acme", 0, "inc-1", AT, "cid", f"a breach {LONG}", "[]", (ADVISORY,))
    house.enrolment.declare(
        incident, Plan((), ()), {}, {}, "cid", then=lambda connection, *_: pauses.begin(connection, begun, {})
    )


def test_it_is_one_page_of_paper_whatever_people_wrote(house):
    crowded(house)
    paused(house)
    found = made(house, records={"r.json": RECORD}, breached=["acme", "mailer"], text=LONG)
    [page] = PdfReader(BytesIO(file(found, MemoForm.PDF))).pages
    text = "".join(page.extract_text().split())
    for each in ("40aws_iam_access_key", "dataset-of-a-department-11", "Letitinagain", "1of1", "Pausedat2026"):
        assert each in text


def test_it_tells_what_triage_found_and_how_that_comes_to_its_advice(house):
    found = made(house, records={"r.json": RECORD})
    terms = {each["name"]: each["value"] for each in found["terms"]}
    assert found["advice"] == "pause now"
    assert found["formula"] == (
        f"{found['priority']:g} = likelihood {terms['likelihood']} x sensitivity {terms['sensitivity']}"
    )
    assert terms["cost of change"] == "unknown"
    assert any("cost_of_change" in each for each in found["unknown"])
    assert "sbom.json lists litellm 1.82.7" in found["known"][0]
    assert found["holds"]["kinds"] == ["2 aws_iam_access_key", "1 unheard_of"]
    assert found["holds"]["datasets"][0]["name"] == "payments"
    assert "2 cut by machine" in found["options"][0]["does"]
    assert found["until"].startswith("2026-09-21T15:")
    assert "ana answers for it here" in found["deciders"][0]


def test_it_says_so_where_nothing_was_told_or_nothing_links_the_vendor(house):
    bare = made(house)
    assert "no notice was given" in bare["known"][0]
    assert "No notice was given" in bare["happened"][0]
    other = made(house, "beta", breached=["mailer"])
    assert other["advice"] == "watch"
    assert "nothing that is known links it to breached:mailer" in other["known"][0]
    with pytest.raises(BadInput, match="no vendor is registered"):
        made(house, "nobody")


def test_once_paused_it_names_the_incident_and_asks_for_no_pause(house):
    paused(house)
    found = made(house, records={"r.json": RECORD})
    assert found["paused"]["incident"] == "inc-1"
    assert "Paused at 2026-09-21 14:13 UTC by cid in inc-1 for PYSEC-2026-2: a breach" in found["standing"][0]
    assert "paused still" in found["standing"][0]
    assert [each["name"] for each in found["options"]] == ["Stay paused", "Let it in again"]
    assert found["options"][1]["command"] == "rotator vendor restore acme"
    assert (found["until"], "inc-1" in found["asked"]) == ("", True)
    assert b"Without the pause the recommendation would be" in file(found, MemoForm.HTML)
    with house.database.write() as connection:
        pauses.restore(connection, pauses.pause_of(connection, "acme"), "eva", "all gates met", AT + 60, {})
    after = made(house, records={"r.json": RECORD})
    assert "Let in again at 2026-09-21 14:14 UTC by eva: all gates met." in after["standing"][0]
    assert (after["paused"], after["advice"]) == (None, "pause now")


def test_what_was_overridden_stands_in_every_later_memo(house):
    paused(house)
    with house.database.write() as connection:
        pause = pauses.pause_of(connection, "acme")
        told_of = {"against": ["no report was given"]}
        pause_gates.keep(connection, pause, "report", Did.OVERRIDDEN, "eva", "their lawyer called", AT + 30, told_of)
        pauses.restore(connection, pause, "eva", "all gates met", AT + 60, {})
    told_so = made(house, records={"r.json": RECORD})["standing"][1]
    assert told_so == (
        "OVERRIDDEN: the gate report at 2026-09-21 14:13 UTC by eva: their lawyer called. Against: no report was given."
    )


def test_words_of_others_are_text_in_every_form(house):
    house.assessments.set("acme", Judged(Name.LIKELIHOOD, 0.5, HOSTILE, 0.0, HOSTILE, ""))
    house.vendors.take([vendor("acme", title=HOSTILE)], "ben")
    found = made(house, breached=["acme"], text=HOSTILE)
    page, text = file(found, MemoForm.HTML).decode(), file(found, MemoForm.MARKDOWN).decode()
    assert "<script" not in page
    assert "\x1b" not in page + text
    assert not re.search(r"(?<!\\)[<\[]", text)
    assert all(
        len(re.findall(r"(?<!\\)\|", line)) == 5 for line in text.splitlines() if line.startswith("| likelihood")
    )
    assert json.loads(file(found, MemoForm.JSON)) == found


def test_an_address_in_a_notice_becomes_no_link(house):
    found = made(house, text="acme: log in again at https://evil.example or WWW.evil.example")
    assert r"https\://evil.example or WWW\.evil.example" in file(found, MemoForm.MARKDOWN).decode()
