"""Who answers for a vendor is told before what is attested of it ends, and again after, on both ledgers."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from rotator.flow.incident import Severity
from rotator.flow.registry import Said, Sort
from rotator.flow.reminding import ATTESTED_S, SELDOM_S, of_an_attestation
from rotator.ledger import attestations, tables
from rotator.ledger.messages import Messages
from rotator.ledger.vendors import Vendors
from rotator.notices.event import Event

LAST = date(2026, 6, 30)
OVER = datetime(2026, 7, 1, tzinfo=UTC).timestamp()
DAY = 86400.0


def attested(kind="SOC 2", to=LAST):
    return {"kind": kind, "issuer": "EY", "valid_from": "2025-07-01", "valid_to": to.isoformat()}


@pytest.fixture
def registered(database):
    def register(name="acme", *of, **keys):
        row = Said(Sort.VENDOR, name, {"attestations": list(of), **keys}, "v.yaml, line 2")
        Vendors(database).take([row], "ben")
        return database

    return register


def told(database):
    with database.read() as connection:
        return [json.loads(each) for each in connection.execute(select(tables.notice.c.facts)).scalars()]


def test_its_owner_is_told_on_each_of_these_days_and_then_each_fortnight(registered):
    database = registered("acme", attested(), owner="ana")
    days = [day for day in range(-100, 31) if attestations.remind(database, OVER + day * DAY)]
    assert days == [-60, -30, -14, -7, -1, 0, 14, 28]
    first, *_, last = told(database)
    assert (first["vendor"], first["owner"], first["what"]) == ("acme", "ana", ["SOC 2 by EY ends on 2026-06-30"])
    assert last["what"] == ["SOC 2 by EY ended on 2026-06-30"]
    query = select(tables.evidence.c.body).where(tables.evidence.c.chain == "vendor.acme")
    with database.read() as connection:
        acts = [json.loads(each)["act"] for each in connection.execute(query).scalars()]
    assert acts == ["vendor_registered", *["vendor_reminded"] * len(days)]


def test_what_a_later_one_of_its_kind_follows_is_not_told_of(registered):
    database = registered("acme", attested(), attested(to=LAST + timedelta(days=365)), attested("ISO 27001"))
    assert attestations.remind(database, OVER) == ["acme"]
    assert [each["what"] for each in told(database)] == [["ISO 27001 by EY ended on 2026-06-30"]]


def test_a_message_about_a_vendor_is_as_grave_as_the_vendor(registered):
    name = "a-vendor-of-a-name-that-is-longer-than-an-incident-s"
    database = registered(name, attested(), criticality="high", title="Acme")
    attestations.remind(database, OVER)
    messages = Messages(database, lambda: OVER)
    wanted = []
    messages.route({"oncall": lambda event, severity: wanted.append((event, severity)) is None})
    assert wanted == [(Event.ATTESTATION_ENDS, Severity.HIGH)]
    letter = messages.take("oncall", at_once=True)
    assert (letter.title, letter.severity) == ("Acme", "high")
    assert letter.incident.startswith("vendor.a-vendor-of-a-name")
    messages.sent(letter, "ok")
    assert messages.take("oncall", at_once=True) is None


@given(st.floats(-100 * DAY, 100 * DAY), st.floats(0, DAY))
def test_what_was_missed_is_caught_up_once(at, later):
    found, after = of_an_attestation(OVER, OVER + at), of_an_attestation(OVER, OVER + at + later)
    assert found is None or found <= OVER + at
    assert (found is None) == (at < -ATTESTED_S[0])
    assert found is None or after >= found
    assert found is None or at < 0 or OVER + at - found < SELDOM_S
