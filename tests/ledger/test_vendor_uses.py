"""What logs tell of a vendor's credentials, on both ledgers: once for each log, and against what is dead since."""

from __future__ import annotations

import hashlib
import io
import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from sqlalchemy import select, update

from rotator import clock
from rotator.errors import NotAllowed
from rotator.held import held_by, reached
from rotator.ledger import tables, vendor_history, vendors
from rotator.ledger.probes import of_credentials, probes
from rotator.ledger.vendor_chains import altered
from rotator.ledger.vendor_uses import VendorUses, digests
from rotator.operations.vendor_uses import seen
from rotator.restoring import standing
from rotator.shown.vendor_story import story
from tests.access.logs import record
from tests.access.test_credential_report import report_text, user
from tests.fakes.vendors_paused import override
from tests.ledger.test_restoring import KEY, acme  # noqa: F401 - a fixture

THIEF = {"sourceIPAddress": "203.0.113.9", "userAgent": "curl/8"}


def at(moment, ref, name="GetObject", **given):
    told = f"{datetime.fromtimestamp(moment, UTC):%Y-%m-%dT%H:%M:%SZ}"
    return {**record(0, name, ref.id, **given), "eventTime": told}


def read(house, *records, called="trail.json", since=None):
    text = json.dumps({"Records": records}).encode()
    return seen(house.parts, "eva", "acme", lambda: [(called, io.BytesIO(text))], since, called)


@pytest.fixture
def cut(acme):  # noqa: F811 - it is the fixture
    """Give a vendor whose key was cut, and is proven dead."""
    [scoped] = acme.pause(KEY, tasks=())
    acme.cut()
    acme.deployment.world.wait_until(clock.now() + 3600)
    return acme, scoped.ref


def test_a_use_that_was_accepted_after_death_shuts_the_gate_until_somebody_says_why_not(cut):
    house, ref = cut
    assert "cut" not in house.shut()
    before, vendor = vendor_history.mark(house.parts.database), house.parts.vendors.one("acme")
    assert [each.is_dead for each in held_by(house.parts, vendor)] == [True]
    found = read(house, at(clock.now() - 60, ref, **THIEF))
    [row] = found["uses"]["credentials"]
    assert (row["after"], row["calls"], found["basis"]) == ("dead", 1, "the pause")
    assert found["uses"]["grave"][0].startswith(f"aws_iam_access_key {ref.id}: USED AFTER IT WAS DEAD (proven at ")
    assert "from 203.0.113.9 by curl/8 (trail.json, record 1)" in row["grave"]
    assert vendor_history.mark(house.parts.database) != before
    [alive] = held_by(house.parts, vendor)
    assert alive.death is None
    assert [each.name for each in reached(house.parts, [alive]).datasets] == ["people"]
    [gate] = [each for each in standing(house.parts, "acme").gates if each.gate.name == "cut"]
    assert [each.says for each in gate.left] == [f"{ref}, used at {row['last_at']}: {row['grave']}"]
    with pytest.raises(NotAllowed, match="USED AFTER IT WAS DEAD"):
        house.restore()
    override(house.parts, "cid", "acme", "cut", "the clock of that log is a day ahead")
    assert "cut" not in house.shut()
    read(house, at(clock.now() - 30, ref, **THIEF), called="later.json")
    assert "cut" in house.shut()  # nobody spoke of that one
    acts = [[each for each in house.chain(name) if each["act"] == "uses_seen"] for name in ("inc-9", "vendor.acme")]
    assert [[each["uses"][0]["credential"] for each in of] for of in acts] == [[str(ref)] * 2] * 2
    [newest, *_] = story(house.parts, "acme", None)
    assert (newest["tone"], "USED AFTER IT WAS DEAD" in newest["what"]) == ("red", True)
    assert house.broken() == []


def test_refused_knocks_and_our_own_are_no_use_of_what_is_dead(cut):
    house, ref = cut
    [knock, *_] = [each for each in of_credentials(house.parts.database, [ref.id]) if each.do == "verify exposed"]
    assert list(of_credentials(house.parts.database, [ref.id, "other"])) == list(probes(house.parts.database, "inc-9"))
    found = read(
        house,
        at(clock.now() - 60, ref, errorCode="InvalidClientTokenId", **THIEF),
        at(knock.begun_at, ref, userAgent="rotator/1"),
    )
    assert found["ours"] == 1
    [row] = found["uses"]["credentials"]
    assert (row["calls"], row["refused"], row["after"]) == (1, 1, "")
    assert "cut" not in house.shut()


def test_a_report_that_names_no_keys_tells_nothing_of_a_dead_one_that_may_be_another_by_now(cut):
    """What its user has as the only key may be a second one that nobody stole."""
    house, ref = cut
    only = f"true,2025-01-02T03:04:05+00:00,{datetime.fromtimestamp(clock.now() - 60, UTC).isoformat()},us-east-1,s3"
    text = report_text(user(ref.owner, only))
    found = seen(house.parts, "eva", "acme", lambda: [("report.csv", io.BytesIO(text))], None, "report.csv")
    assert (found["logs"], found["uses"]["credentials"]) == (1, [])
    assert "cut" not in house.shut()


def test_a_denied_call_was_made_by_who_holds_it(cut):
    house, ref = cut
    found = read(house, at(clock.now() - 60, ref, errorCode="AccessDenied", **THIEF))
    assert found["uses"]["credentials"][0]["after"] == "dead"


def test_a_log_counts_once_under_whatever_name_and_in_whatever_form_and_what_it_told_is_replaced(cut):
    house, ref = cut
    usual, odd = at(clock.now() - 90000, ref), at(clock.now() - 4000, ref, **THIEF)
    first = read(house, usual, odd, since=clock.now() - 5000)
    assert (first["known"], first["uses"]["credentials"][0]["calls"]) == (0, 2)
    assert [each["sign"] for each in first["uses"]["credentials"][0]["signs"]] == ["new network"]
    again = read(house, usual, odd, called="copy.json", since=clock.now() - 95000)
    assert (again["known"], again["uses"]["logs"], again["uses"]["credentials"][0]["calls"]) == (1, 1, 2)
    assert again["uses"]["credentials"][0]["signs"] == []  # nothing stands before that moment
    assert again["uses"]["credentials"][0]["logs"] == ["copy.json"]
    as_lines = "\n".join(map(json.dumps, (usual, odd))).encode()
    found = seen(house.parts, "eva", "acme", lambda: [("log.jsonl", io.BytesIO(as_lines))], None, "log.jsonl")
    [row] = found["uses"]["credentials"]
    assert (found["known"], found["uses"]["logs"], row["calls"], row["logs"]) == (1, 1, 2, ["log.jsonl"])
    assert altered(house.parts.database) == []
    what_was_kept_before_records_were_known_is_as_its_chain_tells(house.parts.database)


def what_was_kept_before_records_were_known_is_as_its_chain_tells(database):
    rows = []
    with database.write() as connection:
        connection.execute(update(tables.vendor_log).values(records=""))
        for table in (tables.vendor_log, tables.vendor_use):
            of = select(*(each for each in table.c if each.name != "records"))
            rows += [repr(tuple(row)) for row in connection.execute(of)]
        assert digests(connection) == {"acme": hashlib.sha256(repr(sorted(rows)).encode()).hexdigest()}


def test_two_who_read_one_log_at_once_come_one_after_the_other_also_beside_who_acts_on_the_pause(cut):
    house, ref = cut
    record = at(clock.now() - 60, ref, **THIEF)

    def acts_on_it():
        with house.parts.database.write() as connection:
            vendors.act(connection, "acme", {"at": clock.now(), "act": "gate_given"}, "inc-9")

    with ThreadPoolExecutor(8) as people:
        done = [people.submit(each) for _ in range(4) for each in (acts_on_it, lambda: read(house, record))]
        assert [each.exception() for each in done] == [None] * 8
    assert len(VendorUses(house.parts.database).uses("acme")["acme"]) == 1
    assert sum(each["act"] == "uses_seen" for each in house.chain("vendor.acme")) == 4
    assert house.broken() == []
