"""A day's segmentation is kept once and is evidence, on both ledgers; what follows from the inventory follows it."""

from __future__ import annotations

import json

from sqlalchemy import select

from rotator import clock
from rotator.bootstrap import Rotator
from rotator.flow.inventory import Said
from rotator.ledger import segmentation, service, tables
from rotator.settings.configuration import Settings
from rotator.shown import segmentation as shown
from rotator.tending import Tending

DAY = 86400.0


def told(database):
    query = select(tables.evidence.c.body).where(tables.evidence.c.chain == service.CHAIN)
    with database.read() as connection:
        bodies = [json.loads(each) for each in connection.execute(query).scalars()]
    return [each for each in bodies if each["act"] == segmentation.ACT]


def said(owner, **keys):
    return Said({"provider": "vault_token", "owner": owner}, keys, "team.yaml:1")


def parts_on(database, folder):
    parts = Rotator(Settings(folder=folder))
    parts.__dict__["database"] = database
    return parts


def test_a_day_is_kept_once_and_told_as_evidence(database):
    now = 20_000 * DAY
    for at, reach in ((now, 3.0), (now + 60.0, 4.0), (now + DAY, 5.0)):
        segmentation.note(database, at, {"reach": reach})
    assert [figures["reach"] for _, figures in segmentation.noted(database)] == [3.0, 5.0]
    assert [each["reach"] for each in told(database)] == [3.0, 5.0]
    assert segmentation.is_noted(database, now + DAY)
    assert not segmentation.is_noted(database, now + 3 * DAY)


def test_whoever_leads_measures_each_day_and_what_changed_shows(database, tmp_path, monkeypatch):
    parts = parts_on(database, tmp_path)
    measured = shown.Measured(parts)
    shown.note(measured, parts)
    assert shown.trend(parts) == [], "where no place is known there is nothing to tell"
    parts.inventory.take([said("ci", reachable_from=["host:ci-7"], criticality="high")], "ana")
    tending = Tending(parts, lambda: True)
    tending.decide()
    tending.decide()
    [first] = shown.trend(parts)
    assert (first["reach"], first["places"], first["change"]) == (9.0, 1, None)
    assert first["widest_places"] == [{"place": "host:ci-7", "credentials": 1, "datasets": 0, "blast": 9.0}]
    parts.inventory.take([said("ci", reachable_from=[])], "ana")
    parts.inventory.take([said("web", reachable_from=["host:web"])], "ana")
    tomorrow = clock.now() + DAY
    monkeypatch.setattr(clock, "now", lambda: tomorrow)
    tending.decide()
    assert [each["change"] for each in shown.trend(parts)] == [None, -6.0]
