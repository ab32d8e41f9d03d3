"""Advisories that arrived, in the ledger: one event under all its names, and people told once, on every database."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest
from sqlalchemy import func, select

from rotator.flow.incident import Severity
from rotator.flow.registry import Said, Sort
from rotator.ledger import tables
from rotator.ledger.advisories import Advisories, Arrived, Touched
from rotator.ledger.vendors import Vendors
from rotator.notices.event import Event
from tests.ledger.test_vendors import chain

ACME, BETA = (
    Touched(name, 0.8, advice, "s.json lists it") for name, advice in (("acme", "pause now"), ("beta", "watch"))
)
FIRST = Arrived(
    "GHSA-1-2-3", frozenset({"GHSA-1-2-3", "MAL-1"}), "Bad packages", "github webhook", 1000.0, 900.0, (ACME,), 2
)
OTHER = Arrived(
    "PYSEC-1", frozenset({"PYSEC-1", "MAL-1"}), "Bad packages", "the daily look", 2000.0, 900.0, (ACME, BETA), 2
)


@pytest.fixture
def advisories(database):
    vendors = [Said(Sort.VENDOR, name, {"title": name}, "v.yaml, line 1") for name in ("acme", "beta")]
    Vendors(database).take(vendors, "ben")
    return Advisories(database, lambda: 5000.0)


def told(database):
    query = select(func.count()).where(tables.notice.c.event == Event.VENDORS_TOUCHED.value)
    with database.read() as connection:
        return connection.execute(query).scalar_one()


def test_one_event_is_one_row_under_its_first_name_and_moment(advisories, database):
    assert advisories.settle(FIRST) == FIRST
    found = advisories.settle(OTHER)
    assert (found.name, found.at, found.sender) == (FIRST.name, FIRST.at, FIRST.sender)
    assert found.names == {"GHSA-1-2-3", "MAL-1", "PYSEC-1"}
    assert found.touched == (ACME, BETA)
    assert advisories.since(0.0) == [found]
    assert advisories.since(1000.1) == []
    assert [advisories.first([each]) for each in ("PYSEC-1", "MAL-1", "MAL-2")] == [found, found, None]
    assert advisories.first([]) is None
    assert told(database) == 2
    assert [len(chain(database, f"vendor.{name}")) for name in ("acme", "beta")] == [2, 2]


def test_two_who_settle_it_at_once_tell_people_once(advisories, database):
    both = [threading.Thread(target=advisories.settle, args=(each,)) for each in (FIRST, replace(FIRST, at=999.0))]
    for each in both:
        each.start()
    for each in both:
        each.join()
    assert told(database) == 1
    assert len(advisories.since(0.0)) == 1


def test_it_is_as_bad_as_the_worst_that_is_recommended():
    assert [each.severity for each in (FIRST, replace(OTHER, touched=(BETA,)), replace(OTHER, touched=()))] == [
        Severity.CRITICAL,
        Severity.MEDIUM,
        Severity.LOW,
    ]


def test_when_it_was_last_asked_is_kept_and_replaced(advisories):
    assert advisories.looked_at() is None
    advisories.looked(10.0)
    advisories.looked(20.5)
    assert advisories.looked_at() == 20.5
