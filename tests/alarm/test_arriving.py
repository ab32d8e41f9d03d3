"""An advisory that arrives by itself: kept, every vendor triaged for it, people told once, and nobody paused."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import select

from rotator.alarm import arriving
from rotator.api.declaring import declare
from rotator.flow.incident import Severity
from rotator.flow.registry import Listed
from rotator.flow.vendor import Software
from rotator.ledger import tables
from rotator.ledger.alarms import TRIAGED
from rotator.ledger.kept_advisories import KeptAdvisories
from rotator.notices.event import Event
from rotator.packages.nature import Nature
from rotator.triggers.advisory_alarm import alarm
from tests.ledger.test_vendors import chain
from tests.shown.vendors import ADVISORY, RECORD, filled

AT = 1_780_000_000.0
OTHER_NAME = json.dumps({**json.loads(RECORD), "id": "GHSA-5mg7-485q-xm76", "aliases": []})
WIDER = json.dumps(
    {
        **json.loads(RECORD),
        "affected": [
            {"package": {"ecosystem": "PyPI", "name": "litellm"}, "versions": ["1.82.7", "1.82.8"]},
            {"package": {"ecosystem": "PyPI", "name": "requests"}, "versions": ["2.0"]},
        ],
    }
)


@pytest.fixture
def house(tmp_path):
    found = filled(tmp_path)
    yield found
    found.database.close()


def told(house):
    query = select(tables.notice.c.event, tables.notice.c.facts, tables.notice.c.incident).order_by(tables.notice.c.id)
    with house.database.read() as connection:
        return [(event, json.loads(facts), about) for event, facts, about in connection.execute(query)]


def records(house, name):
    return [each for each in chain(house.database, name) if each["act"] in {"advisory_arrived", "advisory_touches"}]


def test_whom_it_touches_is_told_in_every_place(house):
    [found] = arriving.take(house, [RECORD], "siem", AT)
    assert [each.vendor for each in found.touched] == ["acme", "beta", "delta"]
    assert found.unknown == 1  # gamma: nobody knows what it runs
    assert found.severity is Severity.CRITICAL
    acme = found.touched[0]
    assert (acme.advice, acme.priority > 0.5) == ("pause now", True)
    assert f"touches acme {acme.priority:g} pause now, " in arriving.said([found])
    assert arriving.said([found]).endswith(f"a person decides: rotator vendor triage {ADVISORY}")

    [(event, facts, about)] = told(house)
    assert (event, about) == (Event.VENDORS_TOUCHED, f"advisory.{ADVISORY}")
    assert facts["touched"][0] == f"acme {acme.priority:g} pause now"
    assert facts["command"] == f"rotator vendor triage {ADVISORY}"
    for name in ("acme", "beta", "delta"):
        [record] = records(house, f"vendor.{name}")
        assert (record["act"], record["advisory"], record["arrived_at"]) == ("advisory_touches", ADVISORY, AT)
    assert records(house, "vendor.gamma") == []
    [came] = records(house, "advisories")
    assert (came["act"], came["by"], sorted(came["touches"])) == ("advisory_arrived", "siem", ["acme", "beta", "delta"])
    assert house.pauses.every() == []
    assert KeptAdvisories(house.database).read(ADVISORY) is not None


def test_the_same_event_told_again_by_another_name_is_told_to_nobody_twice(house):
    arriving.take(house, [RECORD], "siem", AT)
    [again] = arriving.take(house, [OTHER_NAME], "github", AT + 500)
    arriving.take(house, [OTHER_NAME], "github", AT + 900)
    assert (again.name, again.at, again.sender) == (ADVISORY, AT, "siem")
    assert len(told(house)) == 1
    assert len(records(house, "advisories")) == 1
    assert len(house.advisories.since(0.0)) == 1
    assert house.advisories.first(["GHSA-5mg7-485q-xm76"]).at == AT


def test_who_is_touched_later_is_told_alone(house):
    arriving.take(house, [RECORD], "siem", AT)
    runs = Listed("g.json", "0" * 64, (Software("PyPI", "requests", "2.0", "g.json"),), AT, 0)
    house.vendors.runs("gamma", runs, "ben")
    [found] = arriving.take(house, [WIDER], "siem", AT + 60)
    assert {each.vendor for each in found.touched} >= {"acme", "gamma"}
    assert [len(facts["touched"]) for _, facts, _ in told(house)] == [3, 1]
    assert told(house)[1][1]["touched"][0].startswith("gamma ")
    assert len(records(house, "vendor.acme")) == 1


def test_one_that_touches_nobody_or_was_withdrawn_is_kept_and_disturbs_nobody(house):
    elsewhere = json.dumps({**json.loads(WIDER), "id": "GHSA-aaaa-bbbb-cccc", "aliases": [], "affected": [
        {"package": {"ecosystem": "npm", "name": "chalk"}, "versions": ["5.6.1"]}]})  # fmt: skip
    gone = json.dumps({**json.loads(RECORD), "withdrawn": "2026-04-01T00:00:00Z"})
    found = [*arriving.take(house, [elsewhere], "siem", AT), *arriving.take(house, [gone], "siem", AT)]
    assert [each.touched for each in found] == [(), ()]
    assert "of 2 it is not known" in arriving.said(found[:1])
    assert "was withdrawn" in found[1].title
    assert arriving.said(found[1:]) == f"{ADVISORY} (withdrawn 2026-04-01) touches nobody"
    assert told(house) == []
    assert len(records(house, "advisories")) == 2


def test_an_alarm_that_carries_one_is_triaged_and_no_incident(house):
    kept = house.triggers.keep("generic/siem", alarm(json.loads(RECORD), "msg_1"), RECORD.encode())
    declare(house, house.triggers.take())
    [row] = house.triggers.listed()
    assert (row.id, row.state, row.incident, row.due_at) == (kept.id, TRIAGED, None, None)
    assert row.reason.startswith(f"{ADVISORY} (a compromise by its aliases: MAL-2026-2144) touches acme ")
    assert house.triggers.waiting(5) == (0, [])
    assert house.triggers.keep("generic/siem", alarm(json.loads(RECORD), "msg_1"), RECORD.encode()).again
    assert house.triggers.keep("generic/siem", alarm(json.loads(RECORD), "msg_2"), b"2").state == "same"
    assert house.triggers.take() is None
    [arrived] = house.advisories.since(0.0)
    assert arrived.sender == "generic/siem webhook"


def test_whom_it_touches_is_tried_again_where_the_ledger_failed_half_way(house, monkeypatch):
    house.triggers.keep("generic/siem", alarm(json.loads(RECORD), "msg_1"), RECORD.encode())
    taken = house.triggers.take()
    with monkeypatch.context() as patched:
        patched.setattr(type(house.triggers), "triaged", lambda *_: (_ for _ in ()).throw(OSError("gone")))
        declare(house, taken)
    assert house.triggers.listed()[0].state == "waiting"
    declare(house, taken)
    assert house.triggers.listed()[0].state == TRIAGED
    assert len(told(house)) == 1


@pytest.mark.parametrize("modified", ["2026-03-24T00:00:00Z", None, "long ago", "9000-01-01T00:00:00Z"])
def test_an_older_record_takes_no_newer_ones_place_whatever_it_says(house, modified):
    """A delivery of GitHub's says nothing of when it was sent: it may be repeated, late, or by somebody else."""
    new = json.dumps({**json.loads(RECORD), "modified": "2026-03-25T00:00:00Z"})
    affected = [{"package": {"ecosystem": "npm", "name": "chalk"}, "versions": ["5.6.1"]}]
    old = {**json.loads(RECORD), "modified": modified, "affected": affected, "withdrawn": "2026-03-24T00:00:00Z"}
    kept = KeptAdvisories(house.database)
    before = arriving.take(house, [new], "siem", AT)
    at = kept.read(ADVISORY)
    assert arriving.take(house, [json.dumps(old)], "siem", AT + 60) == before
    assert kept.read(ADVISORY, fetched=True) == at
    newest = {**old, "modified": "2026-03-26T00:00:00+00:00"}
    [found] = arriving.take(house, [json.dumps(newest)], "siem", AT + 120)
    assert (found.touched, "was withdrawn" in found.title) == ((), True)


def test_one_of_a_time_to_come_is_not_the_newest_for_ever_and_the_server_has_the_last_word(house):
    kept = KeptAdvisories(house.database)
    narrow = {**json.loads(RECORD), "affected": json.loads(WIDER)["affected"][1:]}
    for modified, fetched in (("9000-01-01T00:00:00Z", False), ("2026-03-26T00:00:00Z", True)):
        arriving.take(house, [json.dumps({**narrow, "modified": modified})], "siem", AT)
        wide = json.dumps({**json.loads(WIDER), "modified": "2026-03-25T00:00:00Z"})
        arriving.take(house, [wide], "other", AT, fetched=fetched)
        [[found], _] = kept.read(ADVISORY)
        assert len(found.affected) == 2


@pytest.mark.parametrize("fetched", [False, True])
def test_no_later_record_of_its_id_makes_a_compromise_ordinary_nor_by_way_of_one_that_is_withdrawn(house, fetched):
    bare = {**json.loads(RECORD), "aliases": [], "modified": "2026-03-25T00:00:00Z"}
    grave = {"type": "malware"}, {"cwe_ids": ["CWE-79", "CWE-506"]}, {"malicious-packages-origins": [{"source": "x"}]}
    first = [{**bare, "id": f"GHSA-aaaa-bbbb-{number}", "database_specific": each} for number, each in enumerate(grave)]
    first.append({**bare, "id": "GHSA-aaaa-bbbb-9", "aliases": ["MAL-2026-2144"]})
    for one in first:
        told = dict.fromkeys(("first", "then", "last"))
        less = {**bare, "id": one["id"], "database_specific": {"cwe_ids": ["CWE-79"]}}
        for name, record in zip(told, (one, {**less, "withdrawn": "2026-03-26T00:00:00Z"}, less), strict=True):
            [told[name]] = arriving.take(house, [json.dumps(record)], "siem", AT, fetched=fetched)
        assert (told["first"].sign, told["first"].touched) == (told["last"].sign, told["last"].touched)
        assert (told["last"].is_ordinary, told["then"].sign.nature) == (False, Nature.WITHDRAWN)
