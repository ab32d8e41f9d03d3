"""Use of what a vendor holds, from its log to the risk: believed nowhere, and with no secret in it."""

from __future__ import annotations

import io
import json

import pytest

from rotator.errors import BadInput
from rotator.ledger.vendor_uses import VendorUses
from rotator.operations.vendor_uses import seen
from rotator.shown.vendor_memo import NO_NOTICE, memo
from rotator.shown.vendor_uses import in_a_line
from rotator.vendors_risk import risks
from tests.access.logs import EXPOSED, HOUR, log, record
from tests.access.test_credential_report import ONE, report_text, user
from tests.fakes.vendors_paused import pause
from tests.ledger.test_vendors import chain
from tests.shown.vendors import filled

KEY = "AKIAACME000000000001"
SECRET = "ghp_" + "a1B2" * 9
THIEF = {"sourceIPAddress": "203.0.113.9", "userAgent": f"curl/8 {SECRET}"}
USUAL = [record(-24.0 * day, key=KEY) for day in range(1, 20)]
ODD = record(1, key=KEY, sourceIPAddress="203.0.113.9", userAgent="curl/8")


@pytest.fixture
def house(tmp_path):
    parts = filled(tmp_path)
    yield parts
    parts.database.close()


def used(house, *records, since=EXPOSED, name="acme", text=None):
    given = log(*records) if text is None else text
    return seen(house, "ana", name, lambda: [("trail.json", io.BytesIO(given))], since, "trail.json")


def risk(house):
    return next(each for each in risks(house).rows.now() if each["vendor"] == "acme")


def test_what_is_unusual_is_told_with_its_record_and_counts_in_the_risk_and_the_memo(house):
    told = memo(house, "acme", NO_NOTICE, (), 0.0, "ana")
    assert any("no access log was read" in each for each in told["unknown"])
    assert "unusual use" not in str(risk(house))
    found = used(house, *USUAL, record(1, "PutObject", KEY, sourceIPAddress="203.0.113.9"))
    [row] = found["uses"]["credentials"]
    assert sorted(each["sign"] for each in row["signs"]) == ["new call", "new network"]
    assert all("from 203.0.113.9" in each["words"] and "record 20" in each["words"] for each in row["signs"])
    [ground] = [each for each in risk(house)["grounds"] if "unusual use" in each["why"]]
    assert (ground["likelihood"], ground["source"]) == (0.5, "trail.json")
    known = memo(house, "acme", NO_NOTICE, (), 0.0, "ana")["known"]
    assert known[0].startswith("Unusual use, by the 1 access logs that were read, to 2026-03-24: aws_iam_access_key")
    [record_of] = [each for each in chain(house.database, "vendor.acme") if each["act"] == "uses_seen"]
    assert (record_of["by"], record_of["digest"], record_of["unusual"]) == ("ana", found["sha256"], 1)


def test_a_week_before_the_newest_record_begins_what_is_new_where_nobody_says(house):
    found = used(house, *USUAL, ODD, since=None)
    assert (found["basis"], found["since"]) == ("a week before the newest record", "2026-03-17T11:00:00.000Z")
    assert [each["sign"] for each in found["uses"]["credentials"][0]["signs"]] == ["new network"]
    pause(house, "acme", at=EXPOSED + 2 * HOUR)
    again = used(house, *USUAL, ODD, since=None)
    assert (again["basis"], again["known"], again["uses"]["unusual"]) == ("the pause", 1, 0)


def test_what_no_log_names_and_what_none_was_read_of_is_said(house):
    early, silent = used(house, record(1, key="AKIAOTHER"), name="beta")["uses"]["says"]
    assert early.startswith("the logs that were read last begin at 2026-03-24T11:00:00Z, and not before 2026-03-24T10")
    assert "nothing of them is called new" in early
    assert silent == "of 1 credentials no log that was read tells"
    assert "no access log was read: `rotator vendor uses acme LOG`" in risks(house).one("acme").now()["uses"]["says"][0]
    used(house, *USUAL)
    assert in_a_line(risks(house).one("acme").now()["uses"]).startswith("Nothing unusual of its use stands in")


def test_a_secret_that_a_caller_put_into_a_log_is_kept_nowhere(house):
    found = used(house, *USUAL, record(1, key=KEY, **THIEF))
    assert found["uses"]["credentials"][0]["signs"][0]["words"] == "it looks like a secret, and is left out"
    kept = str(VendorUses(house.database).uses()) + json.dumps(chain(house.database, "vendor.acme")) + json.dumps(found)
    assert SECRET not in kept


def test_a_users_only_key_is_told_by_a_report_of_last_uses_though_nobody_knows_when_it_was_made(house):
    [row] = used(house, text=report_text(user("acme-1", ONE)))["uses"]["credentials"]
    assert (row["id"], row["last_at"]) == (KEY, "2026-03-24T10:15:00.000Z")


@pytest.mark.parametrize("before", ["x" * 22 + " ", "x" * 30, "x" * 180 + " ", ""])
def test_no_part_of_a_secret_is_kept_where_a_long_text_is_cut_off(house, before):
    agent = f"{before}{SECRET}{SECRET} and more of it, beyond all that is ever kept of one"
    found = used(house, *USUAL, record(1, key=KEY, sourceIPAddress="203.0.113.9", userAgent=agent))
    assert found["uses"]["unusual"] == 1
    kept = str(VendorUses(house.database).uses()) + json.dumps(chain(house.database, "vendor.acme")) + json.dumps(found)
    assert SECRET[:12] not in kept


@pytest.mark.parametrize("text", [b"hello\n", b'{"Records": [{"eventTime"', b"\x1f\x8b\x08"])
def test_what_is_no_log_is_refused_and_nothing_is_kept(house, text):
    with pytest.raises(BadInput):
        used(house, text=text)
    with pytest.raises(BadInput, match="no vendor is registered"):
        used(house, *USUAL, name="acmee")
    assert VendorUses(house.database).logs() == {}
