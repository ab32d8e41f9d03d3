"""Whoever leads tells of attestations that end, whatever else it has to do."""

from __future__ import annotations

import json

from sqlalchemy import select

from rotator.bootstrap import Rotator
from rotator.flow.registry import Said, Sort
from rotator.ledger import pauses, tables
from rotator.settings.file import load
from rotator.shown import vendors
from rotator.tending import Tending
from tests.fakes.deployment import sqlite
from tests.shown.test_vendor_memo import paused
from tests.shown.vendors import KEY, entry, filled


def told(parts):
    """Return what channels were told was found, in order."""
    notice = tables.notice
    query = select(notice.c.facts).where(notice.c.event == "vendor_holds_more").order_by(notice.c.id)
    with parts.database.read() as connection:
        return [json.loads(each)["what"] for each in connection.execute(query).scalars()]


def test_who_leads_tells_once_of_each_that_a_paused_vendor_was_found_to_hold(tmp_path):
    parts = filled(tmp_path)
    leads = Tending(parts, lambda: True)
    leads.decide()
    paused(parts)
    for _ in range(2):
        leads.decide()
        Tending(parts, lambda: True).decide()
    there = [f"{KEY} AKIAACME00000000000{number}" for number in (1, 2)]
    assert told(parts) == [[*there, "unheard_of x"]]
    parts.inventory.take([entry(3, "acme")], "ben")
    leads.decide()
    assert told(parts)[1:] == [[f"{KEY} AKIAACME000000000003"]]
    shown = vendors.one(parts, "acme")["uncut"]
    assert [each["id"] for each in shown] == [
        "AKIAACME000000000001",
        "AKIAACME000000000002",
        "AKIAACME000000000003",
        "x",
    ]
    with parts.database.write() as connection:
        pauses.restore(connection, pauses.pause_of(connection, "acme"), "eva", "all gates met", 1.8e9, {})
    parts.inventory.take([entry(4, "acme")], "ben")
    leads.decide()
    assert (len(told(parts)), vendors.one(parts, "acme")["uncut"]) == (2, [])


def test_who_leads_tells_of_what_has_ended(tmp_path):
    (tmp_path / "rotator.toml").write_text('data_dir = "data"\n')
    parts = Rotator(load(tmp_path / "rotator.toml"))
    parts.__dict__["database"] = sqlite(tmp_path / "ledger.db")
    ended = {"kind": "SOC 2", "issuer": "EY", "valid_from": "2020-01-01", "valid_to": "2020-12-31"}
    parts.vendors.take([Said(Sort.VENDOR, "acme", {"attestations": [ended]}, "v.yaml, line 2")], "ana")
    Tending(parts, lambda: True).decide()
    with parts.database.read() as connection:
        assert list(connection.execute(select(tables.notice.c.event)).scalars()) == ["attestation_ends"]
