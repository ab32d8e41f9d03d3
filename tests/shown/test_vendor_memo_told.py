"""What a memo says is so: after a restore, of what is dead, of what nobody knows; and it tells nobody in a tracker."""

from __future__ import annotations

import json
from io import BytesIO

import pytest
from pypdf import PdfReader
from sqlalchemy import insert, update

from rotator.ledger import pauses, tables
from rotator.operations.vendor_memo import made
from rotator.report import vendor_memo_forms
from rotator.report.vendor_memo_forms import MemoForm
from rotator.shown import vendors
from rotator.vendors_risk import risks
from tests.shown.test_vendor_memo import AT, crowded, file, paused
from tests.shown.test_vendor_memo import made as memo_of
from tests.shown.vendors import ADVISORY, KEY, RECORD, filled

OWN = {"provider": KEY, "connection": "aws", "owner": "acme-1", "credential": "AKIAACME000000000001"}


@pytest.fixture
def house(tmp_path):
    return filled(tmp_path)


def restored(house):
    with house.database.write() as connection:
        pauses.restore(connection, pauses.pause_of(connection, "acme"), "eva", "all gates met.", AT + 60, {})


def dies(house, **keys):
    """Have an incident prove the death of one of its keys."""
    run = dict.fromkeys(("owner", "why", "deliver", "consumers"), "[]") | {
        "id": "inc-1.r1",
        "incident": "inc-1",
        "kind": KEY,
    }
    run |= {"strategy": "revoke_only", "priority": 1.0, "requested_at": AT, "dead_at": AT + 5, "evidence": "proven"}
    with house.database.write() as connection:
        connection.execute(insert(tables.run).values(**{**run, **OWN, **keys}))


def test_after_a_restore_it_tells_the_pause_its_notice_and_who_let_it_in_and_asks_nobody(house):
    paused(house)
    restored(house)
    found = made(house, "ana", {"name": "acme"})
    assert f"by cid in inc-1 for {ADVISORY}: a breach" in found["standing"][0]
    assert "Let in again at 2026-09-21 14:14 UTC by eva: all gates met. " in f"{found['standing'][0]} "
    assert ADVISORY in found["happened"][0]
    assert "let in again at 2026-09-21 14:14 UTC by eva" in found["asked"]
    assert (found["until"], found["question"]) == ("", "let in again; is it to be paused once more?")
    text = file(found, MemoForm.MARKDOWN).decode()
    assert "No notice was given" not in text
    assert "**Let in again; by what is known now the recommendation would be: " in text
    assert b"Let in again; by what is known now" in file(found, MemoForm.HTML)


def test_a_new_notice_after_a_restore_asks_anew(house):
    paused(house)
    restored(house)
    found = memo_of(house, breached=["acme"])
    assert (found["lead"], bool(found["until"])) == ("Recommendation", True)
    assert "Let in again" in found["standing"][0]


def test_a_pause_without_a_notice_is_what_happened(house):
    paused(house)
    with house.database.write() as connection:
        connection.execute(update(tables.pause).values(notices="[]"))
    found = made(house, "ana", {"name": "acme"})
    assert found["happened"][0].startswith("It was paused without a notice: a breach")


def test_the_record_of_an_advisory_says_what_happened_in_its_own_line(house):
    record = json.dumps({**json.loads(RECORD), "summary": "litellm was poisoned.  @ops see it"})
    found = memo_of(house, records={"r.json": record})
    assert found["happened"][1] == "litellm was poisoned. @ops see it"
    secret = json.dumps({**json.loads(RECORD), "summary": "ghp_" + "a1B2" * 9})
    assert "ghp_" not in json.dumps(memo_of(house, records={"r.json": secret}))


def test_nobody_is_told_by_a_tracker_who_is_named_in_it(house):
    record = json.dumps({**json.loads(RECORD), "summary": "@ops/all and cc @ana of security@acme.example"})
    text = file(memo_of(house, records={"r.json": record}), MemoForm.MARKDOWN).decode()
    assert "@&#8203;ops/all and cc @&#8203;ana of security@acme.example" in text


def test_how_long_it_takes_is_unknown_where_no_budget_says_what_is_allowed(house):
    known = memo_of(house, breached=["acme"])["options"][0]["does"]
    assert " at the least; tasks" in known
    house.__dict__["limits"] = {}
    found = memo_of(house, breached=["acme"])
    assert "in a time that is unknown: no budget says what the accounts allow; tasks" in found["options"][0]["does"]
    assert "0.0 s" not in json.dumps(found)


def test_one_of_a_thing_is_one_thing(house):
    text = file(memo_of(house, "beta", breached=["beta"]), MemoForm.MARKDOWN).decode()
    assert "1 credential and 0 grants: 1 aws" in text
    assert "and 1 dataset" in text


def test_what_is_proven_dead_is_told_as_that_and_reaches_nothing(house):
    paused(house)
    before = risks(house).rows.now()
    dies(house)
    house.look_again()
    listed = {each["name"]: each for each in vendors.listed(house)}["acme"]
    assert (listed["credentials"], listed["dead"], listed["datasets"]) == (3, 1, ["nobody described it"])
    shown = vendors.one(house, "acme")
    [dead] = [each for each in shown["holds"] if each["death"]]
    assert (dead["id"], dead["death"]["evidence"], dead["death"]["run"]) == (OWN["credential"], "proven", "inc-1.r1")
    assert [each["name"] for each in shown["reaches"]["datasets"]] == ["nobody described it"]
    risk = {each["vendor"]: each for each in risks(house).rows.now()}["acme"]
    assert risk["risk"] < {each["vendor"]: each for each in before}["acme"]["risk"]
    assert (risk["dead"], "payments" in risk["datasets"]) == (1, False)
    found = memo_of(house, records={"r.json": RECORD})
    assert found["holds"]["ended"] == [
        "1 of these is proven dead, the last since 2026-09-21T14:13Z: that reaches nothing."
    ]
    assert found["holds"]["by_machine"] == 1


@pytest.mark.parametrize(
    ("keys", "count"),
    [
        ({"evidence": "none", "dead_at": None}, (0, 0)),
        ({"evidence": "stated"}, (0, 1)),
        ({"replacement": OWN["credential"], "replaced_at": AT}, (0, 0)),
        ({"dismissed": "benign: ana: no"}, (0, 0)),
        ({"requested_at": None}, (0, 0)),
        ({"connection": "elsewhere"}, (0, 0)),
    ],
)
def test_what_may_live_is_not_told_as_dead(house, keys, count):
    paused(house)
    dies(house, **keys)
    listed = {each["name"]: each for each in vendors.listed(house)}["acme"]
    assert (listed["dead"], listed["stated_dead"]) == count
    assert "payments" in listed["datasets"]


def test_what_another_run_still_answers_is_not_dead(house):
    paused(house)
    dies(house)
    dies(house, id="inc-1.r2", evidence="none", dead_at=None)
    assert {each["name"]: each for each in vendors.listed(house)}["acme"]["dead"] == 0


def test_it_stays_one_page_after_a_restore(house):
    crowded(house)
    paused(house)
    dies(house)
    restored(house)
    found = made(house, "ana", {"name": "acme"})
    [page] = PdfReader(BytesIO(b"".join(vendor_memo_forms.written(found, MemoForm.PDF)))).pages
    assert "Letinagain" in "".join(page.extract_text().split())
