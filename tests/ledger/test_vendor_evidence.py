"""A vendor's chain is evidence as any other: signed, never deleted by an incident's age, and told to a SIEM."""

from __future__ import annotations

import json

from rotator.flow.registry import Said, Sort
from rotator.ledger.siem import SiemPlaces
from rotator.ledger.vendors import Vendors
from rotator.siem import classes, ocsf
from rotator.siem.told import About
from tests.ledger.test_expiring import KEY, YEAR_S, chains, old  # noqa: F401 - a fixture

VENDOR = "vendor.acme"


def paused(database, incident):
    """Register a vendor, and note in its chain what was done to it by an incident."""
    vendors = Vendors(database)
    vendors.take([Said(Sort.VENDOR, "acme", {"owner": "ana"}, "v.yaml, line 2")], "ben")
    with database.write() as connection:
        vendors.act(connection, "acme", {"at": 1.0, "act": "vendor_paused", "by": "eva"}, incident)


def test_it_stays_when_the_evidence_of_its_incident_is_deleted(old):  # noqa: F811 - it is the fixture
    paused(old.deployment.database, "inc-1")
    old.checkpoints.sign(KEY)
    signed = {each[0] for each in json.loads(old.checkpoints.newest()[0].body)["chains"]}
    assert VENDOR in signed
    expiring = old.expiring()
    due = [each for each in expiring.old(YEAR_S) if not each.why]
    assert [each.incident for each in due] == ["inc-1"]
    expiring.delete(KEY, due, YEAR_S, "ann")
    assert VENDOR in chains(old)
    assert "inc-1" not in chains(old)


def test_it_is_told_to_a_siem_with_the_incident_for_which_it_was(house):
    company, deployment = house
    deployment.declare([company.stolen("acme_api_token")[0]])
    paused(deployment.database, "inc-1")
    places = SiemPlaces(deployment.database)
    places.replay("siem", 0.0, "ann")
    told = [each for each in places.told(places.next(places.find("siem"), 500)) if each.body["chain"] == VENDOR]
    assert [each.about for each in told] == [None, About("inc-1", "a stolen laptop", "high")]
    [registered], [was_paused] = (ocsf.events(each) for each in told)
    assert registered["class_name"] == classes.ENTITY.caption
    assert registered["entity"]["name"] == "acme"
    assert was_paused["finding_info_list"] == [{"uid": "inc-1", "title": "a stolen laptop"}]
