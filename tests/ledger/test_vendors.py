"""The registry of vendors: what files said is kept, and each change of it is evidence, on both ledgers."""

from __future__ import annotations

import json
from datetime import date

import pytest
from sqlalchemy import select

from rotator.errors import BadInput
from rotator.flow.inventory import Act
from rotator.flow.registry import Listed, Said, Sort
from rotator.flow.vendor import Attestation, Dataset, Level, Software
from rotator.ledger import tables
from rotator.ledger.service import CHAIN
from rotator.ledger.vendors import Vendors


@pytest.fixture
def vendors(database):
    return Vendors(database, lambda: 1000.0)


def said(name, sort=Sort.VENDOR, where="vendors.yaml, line 2", **keys):
    return Said(sort, name, keys, where)


def listed(source, digest, *software, made=None):
    return Listed(source, digest * 64, software, made, 0)


def chain(database, name):
    query = select(tables.evidence.c.body).where(tables.evidence.c.chain == name).order_by(tables.evidence.c.seq)
    with database.read() as connection:
        return [json.loads(each) for each in connection.execute(query).scalars()]


def test_a_rows_keys_replace_and_the_others_stay_and_each_change_is_evidence(vendors, database):
    vendors.take([said("acme", title="Acme", criticality="high", owner="ana")], "ben")
    vendors.take([said("acme", owner="cid", title=None)], "eva")
    found = vendors.one("acme")
    assert (found.title, found.criticality, found.owner) == ("acme", Level.HIGH, "cid")
    first, second = chain(database, "vendor.acme")
    assert (first["act"], first["by"], first["is_new"], first["after"]["owner"]) == (
        "vendor_registered",
        "ben",
        True,
        "ana",
    )
    assert (second["by"], second["before"], second["after"], second["is_new"], second["file"]) == (
        "eva",
        {"owner": "ana", "title": "Acme"},
        {"owner": "cid"},
        False,
        "vendors.yaml, line 2",
    )


def test_what_is_the_same_already_is_left_alone(vendors, database):
    row = said("acme", title="Acme"), said("crm", Sort.DATASET, sensitivity="high", why="customers")
    assert [each.act for each in vendors.plan(row)] == [Act.ADDED, Act.ADDED]
    assert vendors.every() == []
    vendors.take(row, "ben")
    before = chain(database, "vendor.acme"), chain(database, CHAIN)
    assert [each.act for each in vendors.take(row, "eva")] == [Act.SAME, Act.SAME]
    assert (chain(database, "vendor.acme"), chain(database, CHAIN)) == before
    assert vendors.datasets() == {"crm": Dataset("crm", Level.HIGH, "", "customers")}
    assert [(each["act"], each["dataset"]) for each in before[1]] == [("dataset_described", "crm")]


def test_a_slip_of_the_hand_is_told(vendors):
    vendors.take([said("acme-data")], "ben")
    with pytest.raises(BadInput, match="did you mean `acme-data`"):
        vendors.one("acme-dta")


def test_a_later_list_of_the_same_name_replaces_what_a_vendor_runs(vendors, database):
    vendors.take([said("acme"), said("beta")], "ben")
    litellm, curl = Software("pypi", "litellm", "1.82.7", "app.json"), Software("", "curl", "", "host.json")
    assert vendors.runs("acme", listed("app.json", "a", litellm, litellm), "ben") == 1
    vendors.runs("acme", listed("host.json", "b", curl, made=900.0), "ben")
    assert vendors.one("acme").software == (litellm, curl)
    newer = Software("pypi", "litellm", "1.82.9", "app.json")
    vendors.runs("acme", listed("app.json", "c", newer, made=5000.0), "eva")
    assert [each.software for each in vendors.every()] == [(newer, curl), ()]
    assert [each.software for each in vendors.every(software=False)] == [(), ()]
    # Of what says that it was made tomorrow, the time it was given counts.
    assert [(each.source, each.digest, each.at, each.components) for each in vendors.lists("acme")] == [
        ("app.json", "c" * 64, 1000.0, 1),
        ("host.json", "b" * 64, 900.0, 1),
    ]
    *_, last = chain(database, "vendor.acme")
    assert (last["act"], last["instead_of"], last["digest"], last["components"]) == (
        "software_told",
        "a" * 64,
        "c" * 64,
        1,
    )
    with pytest.raises(BadInput, match="no vendor is registered"):
        vendors.runs("gamma", listed("app.json", "c", newer), "eva")
    with pytest.raises(BadInput, match="a secret seems to stand in it"):
        vendors.runs("acme", listed(f"{'ghp_' + 'a1B2' * 9}.json", "d", newer), "eva")


def test_an_act_is_in_the_vendors_chain_and_in_the_incidents(house, database):
    company, deployment = house
    vendors = Vendors(database)
    vendors.take([said("acme")], "ben")
    deployment.declare([company.stolen("acme_api_token")[0]], incident="inc-1")
    with database.write() as connection:
        vendors.act(connection, "acme", {"at": 2000.0, "act": "vendor_paused", "by": "ana"}, "inc-1")
    record = {"at": 2000.0, "act": "vendor_paused", "by": "ana", "vendor": "acme", "incident": "inc-1"}
    for name in ("vendor.acme", "inc-1"):
        last = chain(database, name)[-1]
        assert {**last, **record} == last


def test_an_attestation_is_recorded_once(vendors, database):
    vendors.take([said("acme", owner="ana")], "ben")
    found = Attestation("SOC 2", "EY", "EU", date(2026, 1, 1), date(2026, 12, 31), "d" * 64)
    assert vendors.attest("acme", found, "eva")
    assert not vendors.attest("acme", found, "ben")
    vendor = vendors.one("acme")
    assert (vendor.attestations, vendor.owner) == ((found,), "ana")
    _, told = chain(database, "vendor.acme")
    assert (told["act"], told["by"], told["valid_to"], told["sha256"]) == (
        "vendor_attested",
        "eva",
        "2026-12-31",
        "d" * 64,
    )
    with pytest.raises(BadInput, match="no vendor is registered"):
        vendors.attest("gamma", found, "eva")
