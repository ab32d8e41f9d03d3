"""Which packages of vendors were called malicious is asked once a day: of all of them, and little is fetched."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import update

from rotator import advising, clock
from rotator.advising import DAY_S, look
from rotator.alarm import newly_bad as asking
from rotator.alarm.newly_bad import newly_bad
from rotator.errors import Unavailable
from rotator.flow.registry import Listed
from rotator.flow.vendor import Software
from rotator.ledger import tables
from rotator.ledger.kept_advisories import KeptAdvisories
from rotator.report.clocks import moment
from tests.fakes.http_server import Request, listening
from tests.shown.vendors import RECORD, filled

MAL, OLD, COMMON = "MAL-2026-2144", "MAL-2020-1", "GHSA-aaaa-bbbb-cccc"
BAD = ("PyPI", "litellm", "1.82.7")


class Osv:
    """A server of OSV's interface, with what it was asked."""

    def __init__(self):
        self.vulns, self.records, self.queries, self.fetched = {}, {}, [], []
        self.a_page, self.status = 2, 200

    def bad(self, key, name, modified, **more):
        ecosystem, package, version = key
        self.vulns.setdefault(key, []).append({"id": name, "modified": modified})
        affected = [{"package": {"ecosystem": ecosystem, "name": package}, "versions": [version]}]
        self.records[name] = {**json.loads(RECORD), "id": name, "aliases": [], "affected": affected, **more}

    def batch(self, queries):
        results = []
        for each in queries:
            self.queries.append(each)
            of = each["package"]
            found = self.vulns.get((of["ecosystem"], of["name"], each.get("version", "")), [])
            at = int(each.get("page_token", "0"))
            page = {"vulns": found[at : at + self.a_page]} if found else {}
            results.append(page | ({"next_page_token": str(at + self.a_page)} if found[at + self.a_page :] else {}))
        return results


@pytest.fixture
def osv():
    found = Osv()

    class Asked(Request):
        def answered(self, sent):
            if self.path == "/v1/querybatch":
                said = {"results": found.batch(json.loads(sent)["queries"])}
                self.reply(found.status, json.dumps(said).encode())
                return
            name = self.path.rpartition("/")[2]
            found.fetched.append(name)
            self.reply(200 if name in found.records else 404, json.dumps(found.records.get(name, {})).encode())

    with listening(Asked) as found.address:
        yield found


@pytest.fixture
def house(tmp_path, osv):
    found = filled(tmp_path, f'[advisories]\nurl = "{osv.address}"\n')
    yield found
    found.database.close()


def ago(seconds):
    return moment(clock.now() - seconds)


def asked(osv, *software, known=(), since=0.0):
    return newly_bad(osv.address, [Software(*each, "s.json") for each in software], known, since, lambda: True)


def test_only_what_is_malicious_and_new_is_fetched_the_newest_first(osv, monkeypatch):
    at = clock.now() - DAY_S
    osv.bad(BAD, COMMON, ago(60))
    osv.bad(BAD, OLD, ago(2 * DAY_S))
    osv.bad(BAD, MAL, ago(60))  # on the second page
    osv.bad(("npm", "chalk", "5.6.1"), "MAL-2026-9", ago(10))
    osv.bad(("npm", "chalk", "5.6.1"), "MAL-2026-8", ago(600))
    monkeypatch.setattr(asking, "MOST_RECORDS", 2)
    found = asked(
        osv, BAD, ("npm", "chalk", "5.6.1"), ("crates", "x", "1"), ("", "untold", "1"), known={OLD, MAL}, since=at
    )
    assert [each["id"] for each in found.records] == ["MAL-2026-9", MAL]
    assert (found.unread, found.unasked) == (1, 0)
    assert osv.fetched == ["MAL-2026-9", MAL]
    assert {each["package"]["ecosystem"] for each in osv.queries} == {"PyPI", "npm", "crates.io"}


def test_each_component_is_asked_for_once_and_no_more_than_is_allowed(osv, monkeypatch):
    monkeypatch.setattr(asking, "AT_ONCE", 3)
    monkeypatch.setattr(asking, "MOST_QUERIES", 7)
    some = [("PyPI", f"p{number}", "1") for number in range(9)]
    found = asked(osv, *some, *some)
    assert len(osv.queries) == len({each["package"]["name"] for each in osv.queries}) == 7
    assert (found.unasked, found.records) == (2, [])


@pytest.mark.parametrize("name", ["MAL-../../x", "MAL-2026-1"])
def test_what_cannot_be_read_is_left(osv, name):
    osv.bad(BAD, name, ago(60), affected=[])
    assert asked(osv, BAD).records == []


@pytest.mark.parametrize("first", ["MAL-2026-1", "MAL-2026-3"])
def test_a_record_that_cannot_be_had_keeps_no_other_back(osv, first):
    for number in (1, 2, 3):
        osv.bad(BAD, f"MAL-2026-{number}", ago(60 * number))
    osv.records[first] = ["no record"]
    left = [each for each in ("MAL-2026-1", "MAL-2026-2", "MAL-2026-3") if each != first]
    assert [each["id"] for each in asked(osv, BAD).records] == left
    osv.records = {name: ["no record"] for name in osv.records}
    with pytest.raises(Unavailable):
        asked(osv, BAD)


def test_what_was_known_for_long_is_told_of_who_begins_to_run_it_however_late(house, osv):
    osv.bad(BAD, OLD, ago(400 * DAY_S))
    assert look(house)
    [found] = house.advisories.since(0.0)
    assert (found.name, "gamma" in {each.vendor for each in found.touched}) == (OLD, False)
    with house.database.write() as connection:
        connection.execute(update(tables.arrived_advisory).values(at=clock.now() - advising.AGAIN_S - 1))
    house.vendors.runs("gamma", Listed("g.json", "0" * 64, (Software(*BAD, "g.json"),), None, 0), "ben")
    house.advisories.looked(clock.now() - DAY_S - 1)
    assert look(house)
    [found] = house.advisories.since(0.0)
    assert "gamma" in {each.vendor for each in found.touched}


def test_one_look_a_day_tells_whom_it_touches_once(house, osv):
    osv.bad(BAD, MAL, ago(60))
    assert look(house)
    assert not look(house)
    [found] = house.advisories.since(0.0)
    assert (found.name, found.sender) == (MAL, advising.SENDER)
    assert [each.vendor for each in found.touched] == ["acme", "beta", "delta"]
    assert KeptAdvisories(house.database).read(MAL) is not None
    house.advisories.looked(clock.now() - DAY_S - 1)
    assert look(house)
    assert house.advisories.since(0.0) == [found]


def test_who_begins_to_run_what_is_bad_is_told_by_the_next_look(house, osv):
    osv.bad(BAD, MAL, ago(60))
    look(house)
    house.vendors.runs("gamma", Listed("g.json", "0" * 64, (Software(*BAD, "g.json"),), None, 0), "ben")
    osv.vulns.clear()
    house.advisories.looked(clock.now() - DAY_S - 1)
    look(house)
    [found] = house.advisories.since(0.0)
    assert "gamma" in {each.vendor for each in found.touched}


def test_a_server_that_does_not_answer_is_asked_again_and_not_taken_for_silence(house, osv):
    osv.status = 500
    with pytest.raises(Unavailable):
        look(house)
    assert house.advisories.looked_at() is None
    osv.status = 200
    assert look(house)


def test_who_leads_no_longer_stops(house, osv):
    with pytest.raises(Unavailable):
        look(house, lambda: False)
    assert osv.queries == []


def test_where_nobody_is_named_nothing_is_asked(tmp_path, osv):
    parts = filled(tmp_path)
    assert look(parts)
    assert osv.queries == []
    parts.database.close()
