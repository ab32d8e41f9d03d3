"""Several people change the registry of vendors at once: each change is whole, and stands on the one before."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest
from sqlalchemy import select

from rotator.flow.registry import Listed, Said, Sort
from rotator.flow.vendor import Attestation, Software
from rotator.ledger import attestations, tables
from rotator.ledger.vendors import Vendors

HANDS = 4
NAMES = [f"v{separator}{number}" for number in range(6) for separator in ("-", "", "_")]
"""A database of another tongue than C puts these in another order than Python does."""
DAY = date(2026, 6, 1)


@pytest.fixture
def vendors(database):
    return Vendors(database, lambda: 1000.0)


def at_once(*acts):
    """Do all of them, each in a thread of its own, begun together; raise what one raised."""
    together = threading.Barrier(len(acts))

    def act(one):
        together.wait()
        return one()

    with ThreadPoolExecutor(len(acts)) as threads:
        return [done.result() for done in [threads.submit(act, one) for one in acts]]


def chain(database, name):
    query = select(tables.evidence.c.body).where(tables.evidence.c.chain == name).order_by(tables.evidence.c.seq)
    with database.read() as connection:
        return [json.loads(each) for each in connection.execute(query).scalars()]


def file_of(hand):
    """Say all vendors and datasets, in an order of its own."""
    names = NAMES[hand:] + NAMES[:hand]
    rows = [Said(Sort.VENDOR, name, {"owner": f"hand-{hand}", f"title{hand}": "x"}, "v.yaml, line 1") for name in names]
    return rows + [Said(Sort.DATASET, name, {"sensitivity": "high", "why": f"hand-{hand}"}, "v.yaml") for name in names]


def test_one_file_is_taken_whole_and_then_the_other(vendors, database):
    at_once(*(lambda hand=hand: vendors.take(file_of(hand), f"hand-{hand}") for hand in range(HANDS)))
    told = vendors.told()
    assert len({told[Sort.VENDOR, name]["owner"] for name in NAMES}) == 1, "the last file is the last of each vendor"
    assert len({told[Sort.DATASET, name]["why"] for name in NAMES}) == 1
    orders = set()
    for name in NAMES:
        records = chain(database, f"vendor.{name}")
        orders.add(tuple(each["by"] for each in records))
        assert [each["before"].get("owner") for each in records] == [None, *(each["by"] for each in records[:-1])]
        assert {key for key in told[Sort.VENDOR, name] if key.startswith("title")} == {
            f"title{n}" for n in range(HANDS)
        }
    assert len(orders) == 1, "every vendor tells the same order of files"


def test_a_list_that_several_give_at_once_is_kept_once_and_told_by_each(vendors, database):
    vendors.take([Said(Sort.VENDOR, "acme", {}, "v.yaml, line 1")], "ben")
    lists = [
        Listed("app.json", str(n) * 64, (Software("pypi", "x", str(n), "app.json"),), None, 0) for n in range(HANDS)
    ]
    at_once(*(lambda one=one: vendors.runs("acme", one, "ben") for one in lists))
    told = [each for each in chain(database, "vendor.acme") if each["act"] == "software_told"]
    assert [each["instead_of"] for each in told] == [None, *(each["digest"] for each in told[:-1])]
    [kept] = vendors.lists("acme")
    assert kept.digest == told[-1]["digest"]


def test_who_imports_attests_and_reminds_at_once_waits_for_nobody_who_waits_for_him(vendors, database):
    vendors.take(file_of(0), "ben")
    acts = []
    for name in NAMES[::3]:
        vendors.attest(name, Attestation("SOC 2", "EY", "EU", date(2025, 1, 1), DAY), "eva")
        acts.append(lambda name=name: vendors.attest(name, Attestation("ISO", "EY", "EU", DAY, DAY), "eva"))
    at_once(lambda: vendors.take(file_of(1), "ben"), lambda: attestations.remind(database, 1.8e9), *acts)
    for name in NAMES[::3]:
        assert [each.kind for each in vendors.one(name).attestations] == ["SOC 2", "ISO"]
