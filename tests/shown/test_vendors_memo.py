"""One memo for all vendors that a notice touches: the gravest first, on one page, and what does not fit is counted."""

from __future__ import annotations

import json
from io import BytesIO

import pytest
from pypdf import PdfReader

from rotator.alarm.vendor_notice import Given
from rotator.errors import BadInput
from rotator.operations.vendor_memo import made_of_all
from rotator.report import vendors_memo_forms
from rotator.report.vendor_memo_forms import MemoForm
from rotator.report.vendors_memo import LISTED
from tests.shown.test_vendor_memo import HOSTILE, LONG, paused
from tests.shown.vendors import RECORD, filled, vendor

GIVEN = Given(records={"r.json": RECORD})


@pytest.fixture
def house(tmp_path):
    return filled(tmp_path)


def file(found, form):
    return b"".join(vendors_memo_forms.written(found, form))


def test_all_that_are_touched_stand_in_it_by_gravity_with_what_is_recommended_and_takes(house):
    found = made_of_all(house, "ana", GIVEN)
    assert [each["vendor"] for each in found["vendors"]] == ["acme", "gamma", "beta", "delta"]
    assert [each["priority"] for each in found["vendors"]] == sorted(
        (each["priority"] for each in found["vendors"]), reverse=True
    )
    hours = sum(each["effort_h"] for each in found["vendors"])
    assert found["totals"] == {"vendors": 4, "effort_h": round(hours, 3), "tasks": 1, "unknown": 4, "paused": 0}
    assert found["recommended"][0].startswith("pause now: acme (about ")
    text = file(found, MemoForm.MARKDOWN).decode()
    assert "# 4 vendors may be touched: which are paused?" in text
    assert f"about {hours:g} hours of people, 1 task that no machine does" in text
    assert json.loads(file(found, MemoForm.JSON)) == found


def test_who_is_paused_already_takes_nothing_more_and_is_recommended_nothing(house):
    paused(house)
    found = made_of_all(house, "ana", GIVEN)
    assert (found["vendors"][0]["paused"], found["totals"]["paused"], found["totals"]["tasks"]) == ("inc-1", 1, 0)
    assert not any("acme" in each for each in found["recommended"])
    assert "paused in inc-1" in file(found, MemoForm.HTML).decode()


def test_it_is_one_page_and_counts_who_has_no_room_there_whatever_people_wrote(house):
    why = {"level": "high", "why": LONG}
    many = [vendor(f"a-vendor-of-many-{number}", title=HOSTILE, user_impact=why) for number in range(60)]
    house.vendors.take(many, "ben")
    found = made_of_all(house, "ana", GIVEN)
    assert len(found["vendors"]) == 64
    [page] = PdfReader(BytesIO(file(found, MemoForm.PDF))).pages
    told = "".join(page.extract_text().split())
    assert f"{64 - LISTED}morevendors,lessgrave" in told
    assert "1of1" in told
    assert "<script" not in file(found, MemoForm.HTML).decode()


def test_without_a_notice_there_is_none(house):
    with pytest.raises(BadInput, match="nothing was given"):
        made_of_all(house, "ana", Given())
